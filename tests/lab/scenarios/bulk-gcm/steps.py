# SPDX-License-Identifier: MIT
import bulk


def run(lab):
    bulk.run(lab, "rfc4106(gcm(aes))")

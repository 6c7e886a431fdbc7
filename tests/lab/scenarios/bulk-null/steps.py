# SPDX-License-Identifier: MIT
import bulk


def run(lab):
    bulk.run(lab, "enc ecb(cipher_null)")

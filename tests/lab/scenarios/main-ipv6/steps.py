# SPDX-License-Identifier: MIT
import main_job


def run(lab):
    main_job.run(lab, address="fd00:1::2")

# SPDX-License-Identifier: MIT
from main_job import run  # noqa: F401

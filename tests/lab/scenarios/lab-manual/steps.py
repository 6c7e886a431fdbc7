# SPDX-License-Identifier: MIT
from carried import run  # noqa: F401

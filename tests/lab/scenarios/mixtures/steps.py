# SPDX-License-Identifier: MIT
import mixtures


def run(lab):
    mixtures.realm(lab)
    mixtures.run(lab, "the plugin", {}, mixtures.NO_PLUGIN, "over ESP")

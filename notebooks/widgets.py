"""Sliders that appear in a live front end and stay static calls in a batch run."""

import os


def slider(function, **ranges):
    """Interactive `function` over integer ranges name=(low, high); in a batch run one call at the low ends."""
    if os.environ.get("MDM_BATCH"):
        return function(**{name: low for name, (low, _) in ranges.items()})
    from ipywidgets import interact

    return interact(function, **ranges)

"""The garbage collector as the daemon sets it before its first round: see `exporter/app.py`."""

import gc


def calm_the_collector() -> None:
    """Without it, full collections walk all that is kept, and would be measured with whatever sets them off."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)

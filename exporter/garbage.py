"""How the interpreter collects garbage while the exporter runs: its walks stop every probe."""

from __future__ import annotations

import gc

_YOUNG_OBJECTS = 5_000
_YOUNG_WALKS, _MIDDLE_WALKS = 5, 4_000


def calm() -> None:
    """What is there by now stays for good; the rest is looked at in small pieces, and all of it every few hours.

    Rounds leave nothing in cycles (`tests/test_garbage.py`), and what they keep lives until the next round: with 5,000
    domains a walk over all of it would find nothing in half a million objects, and take 0.2 to 0.4 s, measured.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, _YOUNG_WALKS, _MIDDLE_WALKS)

"""How the interpreter collects garbage while the exporter runs: its walks stop every probe."""

from __future__ import annotations

import asyncio
import gc
from itertools import count

_PIECE_SECONDS = 0.5
_MIDDLE_EVERY, _ALL_EVERY = 4, 50_000  # pieces: two seconds, seven hours
_ONLY_IN_A_BURST = 50_000
_NEVER = 1_000_000


def calm() -> None:
    """What is there by now stays for good, and the interpreter starts hardly any walk by itself.

    It counts what is made less what is freed, so while each round takes the place of the last one it starts none, and
    then one over all of them: with 5,000 domains half a million objects and 0.2 to 0.4 s, measured, to find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ONLY_IN_A_BURST, _NEVER, _NEVER)


async def collect_in_pieces(seconds: float = _PIECE_SECONDS) -> None:
    """Look through what was made lately, every so many `seconds`, until it is cancelled: a millisecond or two each.

    Rounds leave nothing in cycles (`tests/test_garbage.py`); requests to our own pages do.
    """
    for piece in count(1):
        await asyncio.sleep(seconds)
        gc.collect(2 if piece % _ALL_EVERY == 0 else 1 if piece % _MIDDLE_EVERY == 0 else 0)

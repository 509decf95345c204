"""kill -9 at random moments, disks that are full and disks that are read-only: real processes on real files."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
from collections import Counter

from exporter.model import ChangeKind, Stage
from exporter.store.store import FILE
from tests.store import crashes

RUNS = 60


def test_whatever_moment_it_is_killed_at_what_was_told_is_there_and_is_not_told_twice(tmp_path):
    """Each run goes on where the last one was killed."""
    chance = random.Random(421)
    told_open, opened, resolved, seen_open, stages = {}, Counter(), Counter(), 0, {}
    for run in range(RUNS):
        events = killed_after(chance.uniform(0, 0.12), tmp_path, run)
        goes_on = {identity: since for kind, identity, since in events if kind == "open"}
        for identity in told_open.keys() - goes_on.keys():  # it was killed after it was over, before that was told
            assert stages[identity] == Stage.RESOLVED
            del told_open[identity]
        assert goes_on.items() >= told_open.items()
        seen_open += len(goes_on)
        stages = stored_stages(tmp_path)
        for kind, identity, since in events:
            if kind is ChangeKind.OPENED:
                opened[identity] += 1
            if kind in {ChangeKind.OPENED, "open"}:
                told_open[identity] = since
            if kind is ChangeKind.RESOLVED:
                resolved[identity] += 1
                told_open.pop(identity, None)

    assert max(opened.values()) == max(resolved.values()) == 1
    assert min(len(opened), len(resolved), seen_open) > 20  # so that something was at stake


def stored_stages(folder):
    """Of all incidents, as the process left them on the disk."""
    with contextlib.closing(sqlite3.connect(folder / FILE)) as connection:
        return dict(connection.execute("SELECT id, stage FROM incident"))


def killed_after(seconds, folder, seed):
    """What a run said that was killed so long after it was ready."""
    ours, theirs = crashes.CONTEXT.Pipe(duplex=False)
    process = crashes.CONTEXT.Process(target=crashes.probe_on, args=(folder, seed, theirs))
    process.start()
    theirs.close()
    events, deadline = [], None
    try:
        while deadline is None or time.monotonic() < deadline:
            if not ours.poll(20 if deadline is None else max(0.0, deadline - time.monotonic())):
                assert deadline is not None, "it does not start"
                break
            events.append(ours.recv())
            if events[-1][0] == "ready":
                deadline = time.monotonic() + seconds
    finally:
        process.kill()
        process.join(10)
        process.close()
    with ours:
        events += rest_of(ours)
    return events


def rest_of(pipe):
    """What was said before the end; a last word that was cut off was not."""
    try:
        while pipe.poll(0):
            yield pipe.recv()
    except (EOFError, OSError):
        return


def test_a_full_disk_stops_nothing_and_gets_all_when_there_is_room(tmp_path):
    assert crashes.in_a_process(crashes.fill_the_disk, tmp_path) == ""


def test_a_read_only_disk_stops_nothing_and_gets_all_when_it_may_be_written(tmp_path):
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:  # pytest's own folders are for their owner alone
        parent.chmod(0o755)

    assert crashes.in_a_process(crashes.write_where_nobody_may, tmp_path / "data") == ""

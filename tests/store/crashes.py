"""What runs in processes of its own: a chronicle that is killed, and disks that are full or read-only.

Each is forked from a server that has imported everything, so that a run takes a tenth of a second.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import resource
import traceback
from pathlib import Path

from exporter.chronicle import Chronicle
from exporter.incident_metrics import IncidentMetrics
from exporter.model import Stage
from exporter.store import Query, Store
from tests.factories import NOON, finding, round_, target
from tests.store.kept import Watch, incident, kept, running

DOMAINS = tuple(f"{letter}.test" for letter in "abcdef")
CAUSES = ("upstream-down", "upstream-too-slow", "access-denied")

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.store.crashes"])


def probe_on(folder: Path, seed: int, said) -> None:
    """Rounds at random until the process is killed; what is told, and what was open at the start, goes to `said`."""
    with asyncio.Runner() as runner:
        runner.run(_probe_on(folder, random.Random(seed), said))


async def _probe_on(folder, chance, said):
    now = NOON + chance.random() + 10_000 * chance.randrange(10**6)
    store = Store(folder, Watch(), now=lambda: now)
    chronicle = Chronicle(store, IncidentMetrics(), lambda: DOMAINS, lambda: now)
    chronicle.listeners.append(lambda change: said.send((change.kind, change.incident.id, change.incident.since)))
    async with store.running():
        said.send(("start", None, None))
        for one in chronicle.open:
            said.send(("open", one.id, one.since))
        said.send(("ready", None, None))
        while True:
            now += 60
            domain = chance.choice(DOMAINS)
            causes = chance.sample(CAUSES, k=chance.choice((0, 0, 1, 2)))
            findings = tuple(finding(cause, domain, chance.choice(DOMAINS)) for cause in causes)
            about = target(domain, siblings=(domain,))
            await chronicle.record(round_(of=about, findings=findings, started_at=now, duration_seconds=0))


def in_a_process(function, *arguments) -> str:
    """What went wrong in `function`, run by itself; empty: nothing."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_run, args=(function, arguments, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv() if ours.poll(60) else "it does not end"
    except EOFError:
        return f"it ended with {process.exitcode}"
    finally:
        process.kill()
        process.join(10)
        process.close()
        ours.close()


def _run(function, arguments, said) -> None:
    try:
        with asyncio.Runner() as runner:
            runner.run(function(*arguments))
    except BaseException:  # noqa: BLE001  # it is told to the test
        said.send(traceback.format_exc())
    else:
        said.send("")


async def fill_the_disk(folder: Path) -> None:
    """A file may not grow any more: what the kernel says then is what it says of a full disk, or nearly."""
    watch = Watch()
    loop = asyncio.get_running_loop()
    async with running(folder, watch) as (store, _):
        await store.keep(kept(incident("1")))
        assert (watch.failed, watch.waiting) == (0, 0)
        largest = max(file.stat().st_size for file in files(folder))
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 4096, hard))

        slowest = 0.0
        for number in range(2, 300):
            started = loop.time()
            tried = store.keep(kept(incident(str(number)), at=NOON + number))
            await asyncio.sleep(0)
            slowest = max(slowest, loop.time() - started)
            if number % 50 == 0:
                await tried
        await watch.until(lambda seen: seen.failed)
        assert slowest < 0.2, slowest
        assert watch.waiting > 0
        assert (await store.page(Query(limit=500))).incidents  # what is on the disk can still be read

        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await watch.until(lambda seen: seen.waiting == 0)
        assert len((await store.page(Query(limit=500))).incidents) == 299
        assert len((await store.record("299")).rounds) == 1


async def write_where_nobody_may(folder: Path) -> None:
    """As a user who may read the store and not write it, who then may."""
    async with running(folder) as (store, _):
        await store.keep(kept(incident("1")))
    allow(folder, 0o555, 0o444)
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        watch = Watch()
        async with running(folder, watch) as (store, _):
            await store.keep(kept(incident("2")))
            assert (watch.wrote, watch.waiting) == (0, 2)
            assert watch.failed >= 1
            os.seteuid(os.getuid())
            allow(folder, 0o777, 0o666)
            await watch.until(lambda seen: seen.waiting == 0)
            assert {one.id for one in (await store.page(Query())).incidents} == {"1", "2"}
            assert (await store.record("1")).incident.stage is Stage.FIRING
    finally:
        os.seteuid(os.getuid())


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def allow(folder: Path, mode: int, mode_of_files: int) -> None:
    folder.chmod(mode)
    for file in files(folder):
        file.chmod(mode_of_files)

"""Asks blackbox_exporter for probes, as many at once as our own prober runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from benchmarks.figures import Cost
from benchmarks.processes import HOST
from benchmarks.servers import Blackbox

CONCURRENCY = 16


def probed(blackbox: Blackbox, module: str, probes: int) -> Cost:
    """What so many probes cost blackbox_exporter. Raises RuntimeError where one did not succeed."""
    before = blackbox.process.cpu_seconds()
    asyncio.run(_ask_all(blackbox, module, probes))
    return Cost(blackbox.process.cpu_seconds() - before, probes)


async def _ask_all(blackbox: Blackbox, module: str, probes: int) -> None:
    tickets = iter(range(probes))
    async with asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(_ask_in_turn(blackbox, module, tickets))


async def _ask_in_turn(blackbox: Blackbox, module: str, tickets: Iterator[int]) -> None:
    """One connection that is kept, so that what is measured is probing and hardly anything of asking for it."""
    request = f"GET {blackbox.path(module)} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection(HOST, blackbox.port)
    try:
        for _ in tickets:
            writer.write(request)
            await _succeed(reader)
    finally:
        writer.close()


async def _succeed(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    body = await (_chunked(reader) if b"chunked" in head else reader.readexactly(_length(head)))
    if b"\nprobe_success 1\n" not in body:
        raise RuntimeError(f"blackbox_exporter's probe failed: {body.decode()}")


def _length(head: bytes) -> int:
    field = next(line for line in head.splitlines() if line.lower().startswith(b"content-length:"))
    return int(field.partition(b":")[2])


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return body

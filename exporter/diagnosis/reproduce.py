"""Commands that show it to a person, to be copied into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from exporter.model import Connection, Observation, Phase, Probe, Protocol, Target

_VERSIONS = {Protocol.HTTP11: "--http1.1", Protocol.H2: "--http2", Protocol.H3: "--http3-only"}
_MOST_COMMANDS = 4


def commands(target: Target, shown: Sequence[Observation], *, verifies: bool = False) -> tuple[str, ...]:
    """One command for each of the observations, the first few of them.

    With `verifies` they judge the certificate as clients do, and tell what is wrong with it instead of the status.
    """
    told: dict[str, None] = {}
    for seen in shown:
        told[command(target, seen, verifies=verifies)] = None
        if len(told) == _MOST_COMMANDS:
            break
    return tuple(told)


def command(target: Target, seen: Observation, *, verifies: bool = False) -> str:
    """What asks the same again, and shows the status."""
    probe = seen.probe
    if probe.address is None:
        return f"dig +short A {probe.host}; dig +short AAAA {probe.host}"
    if (
        seen.failure is not None
        and seen.failure.phase in (Phase.CONNECT, Phase.TLS)
        and probe.protocol is not Protocol.H3
    ):
        name = ["-servername", probe.sni] if probe.sni is not None else ["-noservername"]
        return f"{shlex.join(['openssl', 's_client', '-connect', _place(target, probe), *name])} </dev/null"
    if probe.sni is None:
        return _without_sni(target, probe)
    return _curl(target, probe, _trust(target) if verifies else ("-sk",))


def _trust(target: Target) -> tuple[str, ...]:
    return ("-sS", *(("--cacert", str(target.ca_file)) if target.ca_file is not None else ()))


def _curl(target: Target, probe: Probe, how: tuple[str, ...]) -> str:
    """curl sends the URL's name as SNI; Host is set where it is another one."""
    sni, port = probe.sni or probe.host, probe.port or target.port
    url = f"https://{_authority(sni, target.port)}{target.path}"
    there = ["--connect-to", f"{sni}:{target.port}:{_bracketed(probe.address or '')}:{port}"]
    arguments = ["curl", *how, "-o", "/dev/null", "-w", "%{http_code}\\n", _VERSIONS[probe.protocol], *there]
    host = ["-H", f"Host: {_authority(probe.host, target.port)}"] if probe.host != sni else []
    if probe.connection is Connection.REUSED:
        first = [*arguments, url, "--next"]
        return shlex.join([*first, *arguments[1:], *host, url])
    return shlex.join([*arguments, *host, url])


def _without_sni(target: Target, probe: Probe) -> str:
    """curl cannot leave SNI out for a name; openssl can."""
    request = (
        f"GET {target.path} HTTP/1.1\\r\\nHost: {_authority(probe.host, target.port)}\\r\\nConnection: "
        "close\\r\\n\\r\\n"
    )
    client = shlex.join(["openssl", "s_client", "-quiet", "-noservername", "-connect", _place(target, probe)])
    return f"printf {shlex.quote(request)} | {client}"


def _place(target: Target, probe: Probe) -> str:
    return f"{_bracketed(probe.address or '')}:{probe.port or target.port}"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _authority(name: str, port: int) -> str:
    return name if port == 443 else f"{name}:{port}"

"""Other programs that ask for the same cells: curl, `openssl s_client`, nghttp. What they print is told as `Seen`."""

from __future__ import annotations

import hashlib
import re
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from exporter.probing.failures import ALERTS
from tests.programs import program
from tests.real.matrix.cells import TIMEOUT_SECONDS, Cell, Seen, Shown, Way
from tests.real.processes import Endpoint


def curl(cell: Cell, endpoint: Endpoint, folder: Path) -> Seen:
    """What curl saw last. It keeps the connection between transfers to one URL, whatever Host is asked for."""
    argv: list[str | Path] = [program("curl")]
    for number, host in enumerate(cell.hosts):
        argv += ["--next"] if number else []
        argv += _transfer(cell, endpoint, host, folder / str(number))
    (*_, last) = _run(argv).stdout.splitlines()
    status, version, opened, exit_status, error = last.split(" ", 4)
    if exit_status != "0":
        return Seen(None, refusal=_first(_CURL_REFUSALS, error))
    if version == "1.1" and cell.way is not Way.H1_FRESH:
        return Seen(None, refusal="alpn")
    if len(cell.hosts) > 1 and opened != "0":
        return Seen(None, refusal="not-reused")
    return Seen(int(status), (folder / str(len(cell.hosts) - 1)).read_bytes())


def _transfer(cell: Cell, endpoint: Endpoint, host: str, output: Path) -> Iterator[str | Path]:
    yield from ("--silent", "--show-error", "--insecure", "--max-time", str(TIMEOUT_SECONDS), "--output", output)
    yield "--http1.1" if cell.way is Way.H1_FRESH else "--http2"
    yield from ("--header", f"Host: {host}:{endpoint.port}", "--connect-to", f"::{endpoint}")
    yield from ("--write-out", "%{http_code} %{http_version} %{num_connects} %{exitcode} %{errormsg}\\n")
    yield f"https://{cell.sni or endpoint.address}:{endpoint.port}/"


def _alert(found: re.Match[str]) -> str:
    """OpenSSL's reason code for an alert is 1000 and the alert's number (`include/openssl/sslerr.h`)."""
    number = int(found["reason"], 16) - 1000
    return f"alert {ALERTS[number]}"


Refusals = dict[str, Callable[[re.Match[str]], str]]

_OPENSSL_REFUSALS: Refusals = {
    r"error:0A000126": lambda _: "closed",  # unexpected eof while reading
    r"error:0A000(?P<reason>\w{3}):": _alert,
    r"errno=104": lambda _: "reset",
    r"errno=0": lambda _: "closed",
}
_CURL_REFUSALS: Refusals = {
    **_OPENSSL_REFUSALS,
    r"HTTP/2 stream \d+ was not closed cleanly: (?P<code>\w+)": lambda found: f"stream-reset {found['code']}",
    r"Connection reset by peer": lambda _: "reset",
    r"SSL_ERROR_SYSCALL": lambda _: "closed",
    r"Empty reply from server": lambda _: "closed",
}


def _first(refusals: Refusals, text: str) -> str:
    for pattern, tell in refusals.items():
        found = re.search(pattern, text)
        if found is not None:
            return tell(found)
    return text


def s_client(cell: Cell, endpoint: Endpoint) -> Shown | Seen:
    """The handshake as `openssl s_client` sees it."""
    offer = "http/1.1" if cell.way is Way.H1_FRESH else "h2,http/1.1"
    name = ("-servername", cell.sni) if cell.sni else ("-noservername",)
    text = _output((program("openssl"), "s_client", "-connect", str(endpoint), "-alpn", offer, *name))
    agreed = re.search(r"^New, (\S+), Cipher is (\S+)$", text, re.MULTILINE)
    leaf = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.DOTALL)
    if agreed is None or leaf is None:
        return Seen(None, refusal=_first(_OPENSSL_REFUSALS, text))
    alpn = re.search(r"^ALPN protocol: (\S+)$", text, re.MULTILINE)
    return Shown(
        version=agreed[1],
        cipher=agreed[2],
        alpn=alpn[1] if alpn else None,
        leaf_sha256=hashlib.sha256(ssl.PEM_cert_to_DER_cert(leaf[0])).hexdigest(),
        client_certificate_requested="\nAcceptable client certificate CA names\n" in text,
    )


def nghttp(host: str, endpoint: Endpoint) -> list[int]:
    """The statuses of two requests on one connection with SNI = Host: nghttp always takes both from one name."""
    url = f"https://{endpoint}/"
    authority = f":authority: {host}:{endpoint.port}"
    text = _output((program("nghttp"), "--no-dep", "-nv", "-H", authority, url + "?1", url + "?2"))
    return [int(status) for status in re.findall(r":status: (\d+)", text)]


def _output(argv: tuple[str | Path, ...]) -> str:
    done = _run(argv)
    return done.stdout + done.stderr


def _run(argv: list[str | Path] | tuple[str | Path, ...]) -> subprocess.CompletedProcess[str]:
    """What it prints may hold bytes of the server's, as `s_client` shows what it received."""
    patience = 4 * TIMEOUT_SECONDS
    return subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, encoding="latin-1", timeout=patience, check=False
    )

"""Firefox, headless, with profiles of its own that trust the tests' authority and ask a name server of the tests."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import MappingProxyType

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from aiohttp import web

from tests.background import in_background
from tests.programs import program
from tests.real.processes import awaited

LOADS_WITHIN_SECONDS = 60.0
PREFERENCES: Mapping[str, object] = {
    # Names are asked for over HTTPS, as Firefox has no other way to give a name several addresses of ours.
    "network.trr.mode": 3,
    "network.trr.allow-rfc1918": True,
    "network.trr.confirmationNS": "skip",
    "network.trr.wait-for-portal": False,
    "network.trr.disable-ECS": True,
    "network.trr.builtin-excluded-domains": "",
    "network.trr.excluded-domains": "",
    "network.proxy.type": 0,
    "network.lna.enabled": False,
    # Nothing but the page and what it asks for.
    "network.http.speculative-parallel-limit": 0,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.firstRunURL": "",
    "extensions.systemAddon.update.enabled": False,
    "services.settings.server": "https://settings.invalid/v1",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "security.OCSP.enabled": 0,
}


class Firefox:
    """Every document is loaded with a new profile, which trusts the authorities in `ca_files`."""

    def __init__(self, folder: Path, certificate: Path, *ca_files: Path) -> None:
        """`certificate` is for 127.0.0.1, where names are asked for."""
        self._firefox = program("firefox-esr")
        self._folder = folder
        self._certificate = certificate
        self._ca_files = ca_files
        self._serial = count(1)

    def load(
        self,
        url: str,
        addresses: Mapping[str, Sequence[str]],
        is_done: Callable[[], bool],
        preferences: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        """Keep `url` open until `is_done`; names without addresses do not exist."""
        with in_background(name_server(addresses, self._certificate)) as uri:
            profile = self._profile({**PREFERENCES, **preferences, "network.trr.uri": uri})
            argv = (self._firefox, "--headless", "--no-remote", "--profile", profile, url)
            with _group(argv, profile):
                awaited(is_done, within_seconds=LOADS_WITHIN_SECONDS, what=f"the page is done; see {profile}")

    def _profile(self, values: Mapping[str, object]) -> Path:
        profile = self._folder / f"{next(self._serial)}"
        profile.mkdir()
        lines = [f'user_pref("{name}", {_literal(value)});' for name, value in values.items()]
        (profile / "user.js").write_text("\n".join(lines))
        certutil = (program("certutil"), "-d", f"sql:{profile}")
        subprocess.run((*certutil, "-N", "--empty-password"), check=True, timeout=30)
        for number, ca_file in enumerate(self._ca_files):
            subprocess.run((*certutil, "-A", "-t", "C,,", "-n", f"{number}", "-i", ca_file), check=True, timeout=30)
        return profile


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


@contextlib.asynccontextmanager
async def name_server(addresses: Mapping[str, Sequence[str]], certificate: Path) -> AsyncIterator[str]:
    """DNS over HTTPS (RFC 8484) with these addresses; yields its URI."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def answer(request: web.Request) -> web.Response:
        query = dns.message.from_wire(base64.urlsafe_b64decode(request.query["dns"] + "==="))
        return web.Response(body=_answered(query, addresses).to_wire(), content_type="application/dns-message")

    application = web.Application()
    application.router.add_get("/dns-query", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}/dns-query"
    finally:
        await runner.cleanup()


def _answered(query: dns.message.Message, addresses: Mapping[str, Sequence[str]]) -> dns.message.Message:
    response = dns.message.make_response(query, recursion_available=True)
    question = query.question[0]
    name = question.name.to_text().rstrip(".")
    if name not in addresses:
        response.set_rcode(dns.rcode.NXDOMAIN)
        return response
    kind = dns.rdatatype.to_text(question.rdtype)
    found = [address for address in addresses[name] if ("AAAA" if ":" in address else "A") == kind]
    if found:
        response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
    return response


@contextlib.contextmanager
def _group(argv: tuple[str | Path, ...], home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose children are ended with it."""
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)}
    with (home / "firefox.log").open("ab") as log:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

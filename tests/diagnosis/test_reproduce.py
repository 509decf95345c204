"""Commands to copy into a shell: they are valid, quote what is hostile, and show what the probe saw."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from contextlib import asynccontextmanager

import pytest

from exporter.diagnosis.reproduce import command, commands
from exporter.model import Connection, Phase, Protocol
from tests.diagnosis.cases import API, NOBODY, ONE, SHOP, failed, seen, stranger, target
from tests.origin import CLOSE, answer, host_of, origin
from tests.origin2 import answer as answer2
from tests.origin2 import origin2
from tests.programs import program

H2, H3 = Protocol.H2, Protocol.H3
REUSED = Connection.REUSED
CURL = r"curl -sk -o /dev/null -w '%{http_code}\n'"

TO_API = f"--http2 --connect-to api.test:443:{ONE}:443"
SHARED = f"{CURL} {TO_API} https://api.test/ --next {CURL[5:]} {TO_API} -H 'Host: shop.test' https://api.test/"
REQUEST = r"'GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n'"
UNNAMED = f"printf {REQUEST} | openssl s_client -quiet -noservername -connect {ONE}:443"


@pytest.mark.parametrize(
    ("port", "one", "expected"),
    [
        (443, seen(421), f"{CURL} --http1.1 --connect-to shop.test:443:{ONE}:443 https://shop.test/"),
        (8443, seen(421, protocol=H2), f"{CURL} --http2 --connect-to shop.test:8443:{ONE}:8443 https://shop.test:8443/"),
        (443, seen(421, protocol=H3), f"{CURL} --http3-only --connect-to shop.test:443:{ONE}:443 https://shop.test/"),
        (443, seen(404, port=8443), f"{CURL} --http1.1 --connect-to shop.test:443:{ONE}:8443 https://shop.test/"),
        (443, seen(421, address="2001:db8::1"),
         f"{CURL} --http1.1 --connect-to 'shop.test:443:[2001:db8::1]:443' https://shop.test/"),
        (443, seen(421, sni=API),
         f"{CURL} --http1.1 --connect-to api.test:443:{ONE}:443 -H 'Host: shop.test' https://api.test/"),
        (8443, seen(421, sni=API),
         f"{CURL} --http1.1 --connect-to api.test:8443:{ONE}:8443 -H 'Host: shop.test:8443' https://api.test:8443/"),
        (443, seen(421, sni=API, connection=REUSED, protocol=H2),
         SHARED),
        (443, seen(421, sni=None),
         UNNAMED),
        (443, failed(Phase.TLS, "alert"), f"openssl s_client -connect {ONE}:443 -servername shop.test </dev/null"),
        (443, failed(Phase.TLS, "alert", sni=None), f"openssl s_client -connect {ONE}:443 -noservername </dev/null"),
        (443, failed(Phase.CONNECT, "refused", address="::1"),
         "openssl s_client -connect '[::1]:443' -servername shop.test </dev/null"),
        (443, failed(Phase.TLS, "timeout", protocol=H3),
         f"{CURL} --http3-only --connect-to shop.test:443:{ONE}:443 https://shop.test/"),
        (443, failed(Phase.RESOLVE, "nxdomain", address=None), "dig +short A shop.test; dig +short AAAA shop.test"),
    ],
)  # fmt: skip
def test_what_asks_the_same_again(port, one, expected):
    assert command(target(port=port), one) == expected


def test_each_is_told_once_and_only_the_first_few():
    shown = [seen(421), seen(421), *(seen(421, address=f"192.0.2.{last}") for last in range(9))]

    assert len(commands(target(), shown)) == 4
    assert commands(target(), [seen(421), seen(421)]) == (command(target(), seen(421)),)


HOSTILE = [
    "/'; touch owned; '",
    "/$(touch owned)",
    "/`touch owned`",
    '/"&&touch owned&&"',
    "/%s%n%d?x=\\n&y=*#[]{}",
    "/|touch owned",
    "/a b\tc",
    "/!touch",
    "/%0d%0aX-Injected:%20yes",
]
SHAPES = [
    seen(421),
    seen(421, sni=API, connection=REUSED, protocol=H2),
    seen(421, sni=None),
    stranger(404),
    failed(Phase.TLS, "alert"),
    failed(Phase.RESOLVE, "nxdomain", address=None),
]


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("one", SHAPES)
async def test_paths_of_any_kind_are_quoted(path, one, tmp_path):
    told = command(target(path=path), one)

    assert await said("bash", "-n", "-c", told, cwd=tmp_path) == (0, "")
    if one.probe.sni is not None and one.failure is None:
        assert shlex.split(told)[-1].endswith(path)


@pytest.mark.parametrize("name", ["a;touch owned", "$(touch owned)", "a'b", "a b", "-oProxyCommand", "a|b"])
async def test_names_of_any_kind_are_quoted(name, tmp_path):
    """The configuration has none of these; a server's names never get in."""
    one = seen(421, domain=name)
    unresolved = failed(Phase.RESOLVE, "nxdomain", address=None, domain=name)
    unnamed = seen(421, domain=name, sni=None)

    for shown in (one, unresolved, unnamed):
        assert await said("bash", "-n", "-c", command(target(name), shown), cwd=tmp_path) == (0, "")


async def said(*argv, cwd=None):
    """Exit status and output of a program, standard output before standard error."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(20):
            out, error = await process.communicate()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()
        raise
    return process.returncode, (out + error).decode("utf-8", "replace")


@asynccontextmanager
async def refusing(leaf):
    """Serves api.test, and says 421 to every other Host; 403 without SNI."""

    def respond(head):
        if server.snis[-1] is None:
            return answer(403) + CLOSE
        return answer(200 if host_of(head) == API else 421)

    async with origin({None: leaf}, respond) as server:
        yield server


@pytest.mark.parametrize(
    ("one", "statuses"),
    [
        (seen(421, address="127.0.0.1"), "421\n"),
        (seen(421, address="127.0.0.1", sni=API), "421\n"),
        (stranger(421, address="127.0.0.1", sni=API), "200\n421\n"),
        (seen(domain=API, address="127.0.0.1"), "200\n"),
    ],
)
async def test_curl_sees_what_the_probe_saw(leaf, one, statuses):
    program("curl")
    async with refusing(leaf) as server:
        status, output = await said("bash", "-c", command(target(port=server.port), one))

    assert (status, output) == (0, statuses)


@pytest.mark.parametrize(("trusts", "words"), [(False, "certificate"), (True, "200")])
async def test_curl_verifies_where_the_certificate_is_what_is_wrong(ca, ca_file, trusts, words):
    """With -k it would say 200, as if nothing were wrong."""
    program("curl")
    async with refusing(ca.issue_cert(API)) as server:
        about = target(API, port=server.port, ca_file=str(ca_file) if trusts else None)
        (told,) = commands(about, [seen(domain=API, address="127.0.0.1")], verifies=True)
        status, output = await said("bash", "-c", told)

    assert (status == 0, words in output) == (trusts, True)


async def test_openssl_asks_without_sni(leaf):
    program("openssl")
    one = seen(403, address="127.0.0.1", sni=None)
    async with refusing(leaf) as server:
        _, output = await said("bash", "-c", f"{command(target(port=server.port), one)} 2>/dev/null")

    assert output.startswith("HTTP/1.1 403 ")
    assert server.snis == [None]


async def test_curl_asks_for_both_names_on_one_http2_connection(leaf):
    """As a browser does that reuses the first name's connection."""
    program("curl")

    def respond(connection, stream, host):
        answer2(connection, stream, 200 if host == API else 421)

    async with origin2(leaf, respond) as server:
        one = seen(421, address="127.0.0.1", sni=API, connection=REUSED, protocol=H2)
        status, output = await said("bash", "-c", command(target(port=server.port), one))

    assert (status, output) == (0, "200\n421\n")
    assert [host for _, host in server.hosts] == [API, SHOP]
    assert len({number for number, _ in server.hosts}) == 1


async def test_openssl_shows_a_refused_handshake(leaf):
    async with refusing(leaf) as server:
        port = server.port
    status, output = await said(
        "bash", "-c", command(target(port=port), failed(Phase.CONNECT, "refused", address="127.0.0.1"))
    )

    assert status == 1
    assert "refused" in output
    assert NOBODY not in output

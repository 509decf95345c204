"""The laboratory as a client meets it: real handshakes at its real addresses, at a port of the test's."""

import asyncio
import gc
import socket
import ssl
import time
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from exporter.demo import Laboratory, LaboratoryError
from exporter.demo.sites import SERVERS, Leaf, Server, healthy
from tests.demo.browser import Answer, Browser
from tests.programs import program

SHOP_AND_API = {"shop.example.test", "api.example.test"}
SECURE_AND_OPEN = {"secure.example.test", "open.example.test"}
LISTENING = [server for server in SERVERS if server.sites is not None]
TRUSTED = [server for server in LISTENING if server.names != ("old.example.test",)]
WITH_HTTP2 = ("127.0.42.1", "127.0.42.2", "127.0.42.8", "127.0.42.9", "127.0.42.10")


class Clock:
    """Real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock():
    return Clock()


def free_port() -> int:
    with socket.create_server(("127.0.42.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
async def lab(tmp_path, clock):
    async with Laboratory(tmp_path / "lab", free_port(), clock) as laboratory:
        yield laboratory


@dataclass(frozen=True)
class Seen:
    """One answer, and the certificate before it."""

    status: int
    headers: dict[str, str]
    body: str
    names: set[str]


def trust(ca_file: Path) -> ssl.SSLContext:
    """As strict as Python 3.13 is by default."""
    context = ssl.create_default_context(cafile=ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.check_hostname = False
    return context


def distrust() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def dial(lab, address: str, sni: str | None, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    return await asyncio.to_thread(shake_hands, (address, lab.port), sni, context or distrust())


def shake_hands(address: tuple[str, int], sni: str | None, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(address, timeout=10)
    try:
        return context.wrap_socket(plain, server_hostname=sni, suppress_ragged_eofs=False)
    except BaseException:
        plain.close()
        raise


def leaf_of(connection: ssl.SSLSocket) -> x509.Certificate:
    return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))


def names_of(leaf: x509.Certificate) -> set[str]:
    return set(
        leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    )


def exchange(connection: ssl.SSLSocket, method: str, host: str, body: str = "") -> Seen:
    connection.sendall(f"{method} / HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    with HTTPResponse(connection, method=method) as response:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Seen(response.status, headers, response.read().decode(), names_of(leaf_of(connection)))


async def ask(lab, address: str, sni: str | None, host: str) -> Seen:
    with await dial(lab, address, sni) as connection:
        return await asyncio.to_thread(exchange, connection, "GET", host)


@pytest.mark.parametrize(
    ("address", "sni", "host", "status", "names"),
    [
        ("127.0.42.1", "shop.example.test", "shop.example.test", 200, SHOP_AND_API),
        ("127.0.42.1", "api.example.test", "api.example.test", 200, SHOP_AND_API),
        ("127.0.42.1", "shop.example.test", "api.example.test", 200, SHOP_AND_API),
        ("127.0.42.1", None, "shop.example.test", 200, SHOP_AND_API),
        ("127.0.42.1", "foreign.example.test", "api.example.test", 200, SHOP_AND_API),
        ("127.0.42.1", "shop.example.test", "foreign.example.test", 421, SHOP_AND_API),
        ("127.0.42.1", None, "foreign.example.test", 421, SHOP_AND_API),
        ("127.0.42.2", "blog.example.test", "blog.example.test", 200, {"blog.example.test"}),
        ("127.0.42.2", "blog.example.test", "shop.example.test", 421, {"blog.example.test"}),
        ("127.0.42.3", "blog.example.test", "blog.example.test", 421, {"blog.example.test"}),
        ("127.0.42.3", None, "blog.example.test", 421, {"blog.example.test"}),
        ("127.0.42.4", "maintenance.example.test", "maintenance.example.test", 503, {"maintenance.example.test"}),
        ("127.0.42.6", "flaky.example.test", "flaky.example.test", 200, {"flaky.example.test"}),
        ("127.0.42.7", "old.example.test", "old.example.test", 200, {"old.example.test"}),
        ("127.0.42.8", "secure.example.test", "secure.example.test", 200, SECURE_AND_OPEN),
        ("127.0.42.8", "open.example.test", "open.example.test", 200, SECURE_AND_OPEN),
        ("127.0.42.8", "open.example.test", "secure.example.test", 421, SECURE_AND_OPEN),
        ("127.0.42.8", "secure.example.test", "open.example.test", 421, SECURE_AND_OPEN),
        ("127.0.42.8", None, "open.example.test", 421, SECURE_AND_OPEN),
        ("127.0.42.8", "open.example.test", "foreign.example.test", 421, SECURE_AND_OPEN),
        ("127.0.42.9", "cart.example.test", "cart.example.test", 200, {"*.example.test"}),
        ("127.0.42.9", "help.example.test", "help.example.test", 200, {"*.example.test"}),
        ("127.0.42.9", "cart.example.test", "help.example.test", 404, {"*.example.test"}),
        ("127.0.42.9", "help.example.test", "cart.example.test", 404, {"*.example.test"}),
        ("127.0.42.9", None, "cart.example.test", 404, {"*.example.test"}),
        ("127.0.42.9", "cart.example.test", "foreign.example.test", 404, {"*.example.test"}),
        ("127.0.42.10", "news.example.test", "news.example.test", 200, {"news.example.test"}),
        ("127.0.42.10", "news.example.test", "shop.example.test", 421, {"news.example.test"}),
    ],
)
async def test_each_address_shows_its_certificate_and_serves_only_its_own_hosts(lab, address, sni, host, status, names):
    seen = await ask(lab, address, sni, host)

    assert (seen.status, seen.names) == (status, names)


async def test_maintenance_says_when_to_come_back(lab):
    seen = await ask(lab, "127.0.42.4", "maintenance.example.test", "maintenance.example.test")

    assert seen.headers["retry-after"] == "1800"


async def test_nothing_listens_where_the_down_domain_is(lab):
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.42.5", lab.port)


async def test_flaky_turns_bad_after_a_minute_and_then_every_two_minutes(lab, clock):
    statuses = []
    for clock.ahead in (0, 50, 70, 170, 190, 290, 310):
        statuses.append((await ask(lab, "127.0.42.6", "flaky.example.test", "flaky.example.test")).status)

    assert statuses == [200, 200, 502, 502, 200, 200, 502]


@pytest.mark.parametrize("server", TRUSTED, ids=lambda server: server.address)
async def test_openssl_trusts_every_chain_under_the_laboratorys_authority(lab, server):
    for name in server.names:
        context = trust(lab.ca_file)
        context.check_hostname = True
        with await dial(lab, server.address, name, context) as connection:
            assert connection.version() == "TLSv1.3"


async def test_the_certificate_of_the_old_domain_expired_a_week_ago_and_has_no_other_fault(lab):
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        await dial(lab, "127.0.42.7", "old.example.test", trust(lab.ca_file))
    with await dial(lab, "127.0.42.7", "old.example.test") as connection:
        leaf = leaf_of(connection)

    assert refused.value.verify_code == 10  # X509_V_ERR_CERT_HAS_EXPIRED
    assert time.time() - leaf.not_valid_after_utc.timestamp() == pytest.approx(7 * 86_400, abs=60)


@pytest.mark.parametrize("server", LISTENING, ids=lambda server: server.address)
async def test_the_strict_verifier_of_the_web_accepts_every_certificate_at_a_time_when_it_was_valid(lab, server):
    authority = x509.load_pem_x509_certificate(lab.ca_file.read_bytes())
    with await dial(lab, server.address, server.names[0]) as connection:
        leaf = leaf_of(connection)
    policy = PolicyBuilder().store(Store([authority])).time(leaf.not_valid_before_utc)

    for name in server.names:
        assert policy.build_server_verifier(x509.DNSName(name)).verify(leaf, [])[-1] == authority
    with pytest.raises(VerificationError):
        policy.build_server_verifier(x509.DNSName("foreign.test")).verify(leaf, [])


async def test_a_certificate_is_chosen_by_sni_whatever_its_case_and_the_first_stands_in_for_a_foreign_one(tmp_path):
    leaves = (Leaf(("a.example.test",)), Leaf(("*.b.example.test",)))
    server = Server("127.0.42.1", ("a.example.test",), "two certificates", "demo", {"a.example.test": healthy}, leaves)
    shown = {}
    async with Laboratory(tmp_path, free_port(), servers=(server,)) as lab:
        for sni in ("a.example.test", "x.B.example.test", "foreign.example.test", None):
            shown[sni] = (await ask(lab, "127.0.42.1", sni, "a.example.test")).names

    assert shown == {
        "a.example.test": {"a.example.test"},
        "x.B.example.test": {"*.b.example.test"},
        "foreign.example.test": {"a.example.test"},
        None: {"a.example.test"},
    }


@pytest.mark.parametrize(
    ("sni", "told"),
    [("api.example.test", "by SNI api.example.test"), (None, "without SNI"), ("x.test", "by SNI x.test")],
)
async def test_a_healthy_page_tells_how_it_was_reached(lab, sni, told):
    seen = await ask(lab, "127.0.42.1", sni, f"Shop.example.test:{lab.port}")

    assert f"shop.example.test, reached at 127.0.42.1 {told}." in seen.body


async def test_what_the_client_sent_stands_escaped_in_the_page(lab):
    seen = await ask(lab, "127.0.42.1", "shop.example.test", "<b>")

    assert seen.status == 421
    assert "&lt;b&gt;" in seen.body
    assert "<b>" not in seen.body


async def test_each_server_has_a_signature_of_its_own_and_none_of_the_software_behind(lab):
    signatures = {}
    for server in LISTENING:
        seen = await ask(lab, server.address, server.names[0], server.names[0])
        signatures[server.address] = seen.headers["server"]

    assert signatures == {server.address: server.software for server in LISTENING}
    assert len(set(signatures.values())) == len(LISTENING)
    assert not any(word in signature.lower() for signature in signatures.values() for word in ("python", "aiohttp"))


async def test_an_answer_is_dated_by_the_given_clock(lab, clock):
    clock.ahead = 3600
    seen = await ask(lab, "127.0.42.2", "blog.example.test", "blog.example.test")

    assert parsedate_to_datetime(seen.headers["date"]).timestamp() == pytest.approx(clock(), abs=60)


async def test_one_connection_carries_any_number_of_requests_with_bodies_and_without(lab):
    requests = (("GET", "shop.example.test"), ("HEAD", "api.example.test"), ("POST", "foreign.example.test", "a=1"))
    with await dial(lab, "127.0.42.1", "shop.example.test") as connection:
        statuses = [(await asyncio.to_thread(exchange, connection, *request)).status for request in requests]

    assert statuses == [200, 200, 421]


async def test_a_request_that_asks_for_the_end_gets_it_with_a_proper_goodbye(lab):
    with await dial(lab, "127.0.42.1", "shop.example.test") as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: shop.example.test\r\nConnection: close\r\n\r\n")
        received = await asyncio.to_thread(receive_to_the_end, connection)

    assert b"\r\nConnection: close\r\n" in received


def receive_to_the_end(connection: ssl.SSLSocket) -> bytes:
    """Until close_notify; an end without it raises ssl.SSLEOFError."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


async def test_tls_1_2_is_spoken_and_nothing_older(lab):
    modern, ancient = distrust(), distrust()
    modern.maximum_version = ssl.TLSVersion.TLSv1_2
    ancient.set_ciphers("ALL:@SECLEVEL=0")
    ancient.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match=r"TLSv1_1 is deprecated"):
        ancient.maximum_version = ssl.TLSVersion.TLSv1_1

    with await dial(lab, "127.0.42.1", "shop.example.test", modern) as connection:
        assert connection.version() == "TLSv1.2"
    with pytest.raises(ssl.SSLError):
        await dial(lab, "127.0.42.1", "shop.example.test", ancient)


@pytest.mark.parametrize("offered", [["h2", "http/1.1"], ["http/1.1", "h2"], ["http/1.1"], ["spdy/3"], []])
@pytest.mark.parametrize("server", LISTENING, ids=lambda server: server.address)
async def test_the_protocol_is_agreed_by_alpn_and_http2_wins_where_it_is_spoken(lab, server, offered):
    spoken = ["h2", "http/1.1"] if server.address in WITH_HTTP2 else ["http/1.1"]
    common = [protocol for protocol in spoken if protocol in offered]

    with await dial(lab, server.address, server.names[0], offering(*offered)) as connection:
        assert connection.selected_alpn_protocol() == next(iter(common), None)


def offering(*protocols: str) -> ssl.SSLContext:
    context = distrust()
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


async def fetch(lab, address: str, sni: str | None, *hosts: str) -> list[Answer]:
    """All hosts on one connection of HTTP/2, each as soon as the one before was answered."""
    browser = Browser()
    with await dial(lab, address, sni, offering("h2", "http/1.1")) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        return [(await asyncio.to_thread(browser.fetch, connection, host))[0] for host in hosts]


@pytest.mark.parametrize(
    ("address", "first", "second", "statuses"),
    [
        ("127.0.42.1", "shop.example.test", "api.example.test", [200, 200, 200, 421]),
        ("127.0.42.1", "api.example.test", "shop.example.test", [200, 200, 200, 421]),
        ("127.0.42.8", "secure.example.test", "open.example.test", [200, 421, 200, 200]),
        ("127.0.42.8", "open.example.test", "secure.example.test", [200, 421, 200, 421]),
        ("127.0.42.9", "cart.example.test", "help.example.test", [200, 404, 200, 404]),
        ("127.0.42.9", "help.example.test", "cart.example.test", [200, 404, 200, 404]),
    ],
)
async def test_one_connection_of_http2_is_asked_for_its_own_name_a_siblings_its_own_and_an_unknown_one(
    lab, address, first, second, statuses
):
    seen = await fetch(lab, address, first, first, second, first, "foreign.example.test")

    assert [answer.status for answer in seen] == statuses


async def test_over_http2_many_requests_are_under_way_at_once(lab):
    with await dial(lab, "127.0.42.1", "shop.example.test", offering("h2")) as connection:
        hosts = ["shop.example.test", "api.example.test"] * 20
        seen = await asyncio.to_thread(Browser().fetch, connection, *hosts)

    assert [host.encode() in answer.body for host, answer in zip(hosts, seen, strict=True)] == [True] * 40


async def test_what_envoy_has_no_route_for_is_an_empty_404_that_does_not_tell_clients_to_ask_anew(lab):
    (seen,) = await fetch(lab, "127.0.42.9", "cart.example.test", "help.example.test")

    assert (seen.headers.keys(), seen.headers["server"]) == ({":status", "server", "date", "content-length"}, "envoy")
    assert (seen.status, seen.body) == (404, b"")


async def test_the_applications_behind_the_router_have_pages_of_their_own(lab):
    pages = {}
    for name in ("cart", "help"):
        (seen,) = await fetch(lab, "127.0.42.9", f"{name}.example.test", f"{name}.example.test")
        pages[name] = seen.body.decode()

    assert "<title>Your cart</title>" in pages["cart"]
    assert "<title>Help</title>" in pages["help"]


async def test_as_apache_does_a_connection_of_http_1_1_ends_after_its_421_without_a_word_before(lab):
    refused, served = "open.example.test", "secure.example.test"
    with await dial(lab, "127.0.42.8", served) as connection:
        for host in (served, refused, served):
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        received = await asyncio.to_thread(receive_to_the_end, connection)

    assert [received.count(status) for status in (b"HTTP/1.1 200 ", b"HTTP/1.1 421 ", b"HTTP/1.1 ")] == [1, 1, 2]
    assert b"connection" not in received.partition(b"421")[2].partition(b"\r\n\r\n")[0].lower()


async def test_elsewhere_a_connection_of_http_1_1_survives_a_421(lab):
    with await dial(lab, "127.0.42.3", "blog.example.test") as connection:
        statuses = [(await asyncio.to_thread(exchange, connection, "GET", "blog.example.test")).status for _ in "12"]

    assert statuses == [421, 421]


@pytest.mark.parametrize("protocol", ["2", "1.1"])
async def test_curl_agrees(lab, protocol):
    asked = {
        ("127.0.42.1", "shop.example.test", "api.example.test"): 200,
        ("127.0.42.8", "secure.example.test", "open.example.test"): 421,
        ("127.0.42.8", "secure.example.test", "secure.example.test"): 200,
        ("127.0.42.9", "cart.example.test", "help.example.test"): 404,
        ("127.0.42.9", "help.example.test", "help.example.test"): 200,
    }
    seen = {cell: await curl(lab, *cell, protocol) for cell in asked}

    assert seen == {cell: f"{protocol} {status}" for cell, status in asked.items()}


async def curl(lab, address: str, sni: str, host: str, protocol: str) -> str:
    """The version and the status of the answer, the certificate being verified."""
    argv = [program("curl"), "--silent", "--max-time", "10", "--noproxy", "*", "--cacert", lab.ca_file]
    argv += [f"--http{protocol}", "--resolve", f"{sni}:{lab.port}:{address}", "--header", f"Host: {host}:{lab.port}"]
    argv += ["--output", "/dev/null", "--write-out", "%{http_version} %{http_code}", f"https://{sni}:{lab.port}/"]
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return output.decode()


async def test_private_keys_are_for_the_owner_only_and_the_authoritys_is_never_written(tmp_path):
    (tmp_path / "127.0.42.2-blog.example.test.pem").write_text("left over, and open to all")
    async with Laboratory(tmp_path, free_port()) as lab:
        files = {file.name: file for file in tmp_path.iterdir()}

    keys = {name for name, file in files.items() if b"PRIVATE KEY" in file.read_bytes()}
    assert keys == set(files) - {lab.ca_file.name}
    assert {files[name].stat().st_mode & 0o777 for name in keys} == {0o600}


async def test_leaving_frees_the_port_so_that_the_next_laboratory_opens_at_once(tmp_path):
    port = free_port()
    for _ in range(2):
        async with Laboratory(tmp_path, port) as lab:
            assert (await ask(lab, "127.0.42.1", "shop.example.test", "shop.example.test")).status == 200

    for server in LISTENING:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(server.address, port)


async def test_leaving_ends_clients_in_every_state_and_leaks_nothing(tmp_path):
    clients = []
    async with Laboratory(tmp_path, free_port()) as lab:
        address = ("127.0.42.1", lab.port)
        clients.append(await asyncio.open_connection(*address))  # no handshake
        for sent in (b"", b"GET / HTTP/1.1\r\nHo", b"GET / HTTP/1.1\r\nHost: shop.example.test\r\n\r\n"):
            reader, writer = await asyncio.open_connection(*address, ssl=distrust(), server_hostname="")
            writer.write(sent)
            clients.append((reader, writer))
        await clients[-1][0].readuntil(b"</p>\n")  # kept alive, idle
        before = asyncio.all_tasks()

    assert before - asyncio.all_tasks()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    for reader, writer in clients:
        assert await rest(reader) == b""
        writer.transport.abort()
    gc.collect()  # what was not closed complains now, as an error


async def test_leaving_ends_a_client_of_http2_whose_answer_is_under_way(tmp_path):
    browser = Browser(window_bytes=0)
    stream = browser.ask("shop.example.test")
    async with Laboratory(tmp_path, free_port()) as lab:
        reader, writer = await asyncio.open_connection(
            "127.0.42.1", lab.port, ssl=offering("h2"), server_hostname="shop.example.test"
        )
        writer.write(browser.to_send())
        while not browser.answers[stream].headers:
            browser.take(await asyncio.wait_for(reader.read(65_536), 10))

    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert await rest(reader) == b""
    assert not browser.answers[stream].is_whole
    writer.transport.abort()
    gc.collect()


async def rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""


async def test_clients_that_break_off_do_no_harm(lab):
    for sent in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.42.1", lab.port)) as plain:
            plain.sendall(sent)
    with await dial(lab, "127.0.42.1", "shop.example.test") as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: sh")

    assert (await ask(lab, "127.0.42.1", "shop.example.test", "shop.example.test")).status == 200


async def test_a_busy_address_is_one_error_that_names_it_and_nothing_stays_open_or_replaced(lab):
    authority = lab.ca_file.read_bytes()
    server = replace(SERVERS[0], address="127.0.42.99")

    with pytest.raises(LaboratoryError, match=rf"^cannot listen on 127\.0\.42\.1:{lab.port}: another program"):
        async with Laboratory(lab.ca_file.parent, lab.port, servers=(server, *SERVERS)):
            pytest.fail("two laboratories on one port")

    assert lab.ca_file.read_bytes() == authority
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.42.99", lab.port)


async def test_an_address_that_this_system_lacks_is_an_error_that_tells_what_is_needed(tmp_path):
    server = replace(SERVERS[0], address="192.0.2.1")  # TEST-NET-1: nobody has it (RFC 5737)

    with pytest.raises(LaboratoryError, match=r"^cannot listen on 192\.0\.2\.1:8443: .*127\.0\.0\.0/8.*Linux"):
        async with Laboratory(tmp_path, servers=(server,)):
            pytest.fail("opened at an address of the documentation")


async def test_a_directory_that_cannot_be_written_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").touch()
    port = free_port()

    with pytest.raises(LaboratoryError, match=r"cannot write certificates to .*/file/lab: Not a directory"):
        async with Laboratory(tmp_path / "file" / "lab", port):
            pytest.fail("opened without certificates")
    socket.create_server(("127.0.42.1", port)).close()


def test_the_table_stays_on_loopback_has_each_address_once_and_tells_the_story_of_each():
    assert all(ip_address(server.address).is_loopback for server in SERVERS)
    assert len({server.address for server in SERVERS}) == len(SERVERS)
    assert all(server.story for server in SERVERS)

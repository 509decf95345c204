"""The laboratory over HTTP/3: by the exporter's own client, by aioquic's, and by Chromium, on real QUIC sockets."""

import asyncio
import gc
import logging
import socket
import ssl
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, ErrorCode, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated, StopSendingReceived

from exporter.checking import check
from exporter.config import load
from exporter.demo import Laboratory, LaboratoryError, example_config
from exporter.demo.http3 import BODY_BYTES
from exporter.demo.sites import SERVERS
from exporter.model import Ask, Combination, Connection, Dial, Method, Probe, Protocol, Request
from exporter.probing.certificates import Judge
from exporter.probing.run import run
from tests.background import in_background
from tests.real.chromium import Chromium
from tests.test_extras import WITHOUT_AIOQUIC, python

SHOP, API, NEWS = "shop.example.test", "api.example.test", "news.example.test"
SHOP_LIVES, NEWS_LIVES = "127.0.42.1", "127.0.42.10"


def free_port() -> int:
    """Free for TCP and UDP at the shop's address."""
    with socket.create_server((SHOP_LIVES, 0)) as probe, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        port = probe.getsockname()[1]
        datagrams.bind((SHOP_LIVES, port))
        return port


@pytest.fixture
async def lab(tmp_path):
    async with Laboratory(tmp_path / "lab", free_port()) as laboratory:
        yield laboratory


@pytest.fixture
def judge():
    return Judge()


# The exporter's own client.


def dial(
    lab, address: str, sni: str, *hosts: str, protocol: Protocol = Protocol.H3, method: Method = Method.GET
) -> Dial:
    asks = []
    for host in hosts:
        connection = Connection.REUSED if asks else Connection.FRESH
        probe = Probe(host, sni, host, address, protocol, connection)
        asks.append(Ask(probe, Request(method, f"{host}:{lab.port}", "/", ())))
    return Dial(address, lab.port, sni, protocol, 5.0, tuple(asks), ca_file=str(lab.ca_file))


async def test_the_shop_is_served_over_http_3_with_a_trusted_certificate_and_strangers_are_not(lab, judge):
    seen = await run(dial(lab, SHOP_LIVES, SHOP, SHOP, API, "foreign.example.test"), judge)

    assert [one.response.status for one in seen] == [200, 200, 421]
    assert [one.response.version for one in seen] == ["3"] * 3
    assert seen[0].tls.faults == ()
    assert b"shop.example.test, reached at 127.0.42.1 over HTTP/3." in seen[0].response.body
    assert dict(seen[0].response.headers)["server"] == "demo-shop"


@pytest.mark.parametrize(
    ("protocol", "status"), [(Protocol.HTTP11, 200), (Protocol.H2, 200), (Protocol.H3, 421)], ids=str
)
async def test_the_news_are_refused_with_421_over_http_3_only(lab, judge, protocol, status):
    (seen,) = await run(dial(lab, NEWS_LIVES, NEWS, NEWS, protocol=protocol), judge)

    assert (seen.response.status, seen.tls.faults) == (status, ())


@pytest.mark.parametrize(
    "server", [server for server in SERVERS if server.sites is not None], ids=lambda one: one.address
)
async def test_who_speaks_http_3_and_nobody_else_advertises_it_at_the_same_port(lab, judge, server):
    name = server.names[0]
    (seen,) = await run(dial(lab, server.address, name, name, protocol=Protocol.HTTP11), judge)

    advertised = [value for field, value in seen.response.headers if field == "alt-svc"]
    speaks = server.address in {SHOP_LIVES, NEWS_LIVES}
    assert advertised == [f'h3=":{lab.port}"; ma=60'] * speaks
    (tried,) = await run(dial(lab, server.address, name, name), judge)
    assert (tried.response is not None) is speaks


async def test_an_answer_to_head_has_the_length_and_no_body(lab, judge):
    (seen,) = await run(dial(lab, SHOP_LIVES, SHOP, SHOP, method=Method.HEAD), judge)

    assert (seen.response.status, seen.response.body) == (200, b"")
    assert int(dict(seen.response.headers)["content-length"]) > 100


async def test_the_example_finds_the_alternative_that_refuses_its_name_and_nothing_wrong_with_the_others(lab, tmp_path):
    config = yaml.safe_load(example_config().read_text("utf-8"))
    config["global"] |= {"port": lab.port, "ca_file": str(lab.ca_file)}
    config["groups"] = [group for group in config["groups"] if group["name"] in {"shop", "news"}]
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config))

    rows = await check(load(file, {}), 1, lambda _: None)

    rounds = {row[-1].target.domain: row[-1] for row in rows}
    asked = {
        name: [(v.expected, o.response.status) for o, v in zip(one.observations, one.verdicts, strict=True) if is_h3(o)]
        for name, one in rounds.items()
    }
    assert {name: seen for name, seen in asked.items() if seen} == {
        SHOP: [(True, 200)],
        API: [(True, 200)],
        NEWS: [(False, 421)],
    }
    assert [(one.cause, one.code) for one in rounds[NEWS].findings] == [("alt-svc-wrong-server", 421)]
    assert rounds[SHOP].findings == rounds[API].findings == ()
    assert rounds[NEWS].up


def is_h3(observation) -> bool:
    return observation.probe.combination is Combination.ALTERNATIVE


# aioquic's client, for what the exporter's never does.


class Client(QuicConnectionProtocol):
    """Attributes: `statuses` and `bodies` by stream; `stopped`, streams that the server wants no more of."""

    def __init__(self, lab, sni: str) -> None:
        super().__init__(QuicConnection(configuration=trusting(lab, sni)))
        self.h3 = None
        self.statuses, self.bodies, self.stopped, self.ended = {}, {}, [], asyncio.Event()
        self.heard = asyncio.Event()
        self.code = None

    def quic_event_received(self, event) -> None:
        self.heard.set()
        if isinstance(event, ProtocolNegotiated):
            self.h3 = H3Connection(self._quic)
        if isinstance(event, ConnectionTerminated):
            self.code = event.error_code
            self.ended.set()
        if isinstance(event, StopSendingReceived):
            self.stopped.append((event.stream_id, event.error_code))
        for happened in self.h3.handle_event(event) if self.h3 is not None else ():
            if isinstance(happened, HeadersReceived):
                self.statuses[happened.stream_id] = int(dict(happened.headers)[b":status"])
            if isinstance(happened, DataReceived):
                self.bodies[happened.stream_id] = self.bodies.get(happened.stream_id, b"") + happened.data

    def begin(self, host: str, *fields: tuple[bytes, bytes], method: bytes = b"GET", end: bool = True) -> int:
        """A request's head; nothing is sent before the next `transmit`."""
        stream = self._quic.get_next_available_stream_id()
        head = [(b":method", method), (b":scheme", b"https"), (b":authority", host.encode()), (b":path", b"/")]
        self.h3.send_headers(stream, [*head, *fields], end_stream=end)
        return stream

    async def until(self, is_so) -> None:
        self.transmit()
        async with asyncio.timeout(10):
            while not is_so():
                self.heard.clear()
                await self.heard.wait()


def trusting(lab, sni: str) -> QuicConfiguration:
    return QuicConfiguration(
        alpn_protocols=H3_ALPN, server_name=sni, cafile=str(lab.ca_file), verify_mode=ssl.CERT_REQUIRED
    )


@asynccontextmanager
async def connected(lab, address: str = SHOP_LIVES, sni: str = SHOP):
    client = await client_of(lab, address, sni)
    try:
        yield client
    finally:
        hang_up(client)


async def client_of(lab, address: str, sni: str) -> Client:
    place = (address, lab.port)
    loop = asyncio.get_running_loop()
    _, client = await loop.create_datagram_endpoint(lambda: Client(lab, sni), remote_addr=place)
    client.connect(place)
    async with asyncio.timeout(10):
        await client.wait_connected()
    return client


def hang_up(client: Client) -> None:
    client.close()
    client._transport.close()


async def test_many_requests_of_one_connection_are_answered_each_on_its_stream(lab):
    async with connected(lab) as client:
        streams = {client.begin(host): host for host in [SHOP, API] * 20}
        await client.until(lambda: client.bodies.keys() == streams.keys())

    assert set(client.statuses.values()) == {200}
    assert all(host.encode() in client.bodies[stream] for stream, host in streams.items())


async def test_a_request_with_a_body_and_trailers_is_answered_once_and_when_it_is_whole(lab):
    async with connected(lab) as client:
        slow = client.begin(SHOP, method=b"POST", end=False)
        client.h3.send_data(slow, b"a=1", end_stream=False)
        quick = client.begin(API)
        await client.until(lambda: quick in client.bodies)
        assert slow not in client.statuses
        client.h3.send_headers(slow, [(b"checksum", b"1")], end_stream=True)
        await client.until(lambda: slow in client.bodies)

    assert client.statuses == {slow: 200, quick: 200}
    assert client.bodies[slow].count(b"Here is") == 1


async def test_a_body_beyond_measure_is_refused_with_413_and_the_rest_is_not_wanted(lab):
    async with connected(lab) as client:
        stream = client.begin(SHOP, method=b"POST", end=False)
        client.h3.send_data(stream, b"x" * (BODY_BYTES + 1), end_stream=False)
        await client.until(lambda: client.stopped and stream in client.bodies)
        again = client.begin(SHOP)
        await client.until(lambda: again in client.bodies)

    assert client.statuses == {stream: 413, again: 200}
    assert client.stopped == [(stream, ErrorCode.H3_NO_ERROR)]


async def test_who_takes_a_request_back_at_once_gets_no_answer_and_is_still_served(lab, caplog):
    async with connected(lab) as client:
        stopped, reset = client.begin(SHOP), client.begin(SHOP)
        client._quic.stop_stream(stopped, ErrorCode.H3_REQUEST_CANCELLED)
        client._quic.reset_stream(reset, ErrorCode.H3_REQUEST_CANCELLED)
        again = client.begin(API)
        await client.until(lambda: again in client.bodies)

    assert client.statuses[again] == 200
    assert stopped not in client.statuses
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_what_breaks_http_3_ends_the_connection_and_no_other(lab):
    async with connected(lab) as broken, connected(lab) as sound:
        broken._quic.send_stream_data(broken._quic.get_next_available_stream_id(), b"\x00\x01x")  # DATA before HEADERS
        broken.transmit()
        await broken.until(broken.ended.is_set)
        stream = sound.begin(SHOP)
        await sound.until(lambda: stream in sound.bodies)

    assert broken.code == ErrorCode.H3_FRAME_UNEXPECTED
    assert sound.statuses == {stream: 200}


async def test_datagrams_of_no_meaning_do_no_harm(lab, judge, caplog):
    with socket.socket(type=socket.SOCK_DGRAM) as plain:
        for sent in (b"", b"\x00", b"\xff" * 40, b"\xc0\x00\x00\x00\x01\x08" + bytes(1200), b"GET / HTTP/1.1\r\n\r\n"):
            plain.sendto(sent, (SHOP_LIVES, lab.port))

    (seen,) = await run(dial(lab, SHOP_LIVES, SHOP, SHOP), judge)
    assert seen.response.status == 200
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_aioquic_tells_the_laboratorys_log_nothing(lab, judge, caplog):
    with caplog.at_level(logging.DEBUG):
        await run(dial(lab, SHOP_LIVES, SHOP, SHOP), judge)

    assert not [record for record in caplog.records if record.name in {"quic", "http3"}]


# Opening and leaving.


async def test_leaving_says_goodbye_to_every_client_frees_the_port_and_leaks_nothing(tmp_path):
    port = free_port()
    for _ in "12":
        async with Laboratory(tmp_path, port) as lab:
            idle, busy = await client_of(lab, SHOP_LIVES, SHOP), await client_of(lab, NEWS_LIVES, NEWS)
            busy.begin(NEWS, method=b"POST", end=False)
            busy.transmit()

        assert asyncio.all_tasks() == {asyncio.current_task()}
        for client in (idle, busy):
            await client.until(client.ended.is_set)
            assert client.code == 0  # NO_ERROR
            client._transport.close()
    for address in (SHOP_LIVES, NEWS_LIVES):
        with socket.socket(type=socket.SOCK_DGRAM) as free:
            free.bind((address, port))
    await asyncio.sleep(0)
    gc.collect()  # what was not closed complains now, as an error


async def test_a_busy_udp_port_is_one_error_that_names_it_and_nothing_stays_open(tmp_path):
    port = free_port()
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind((SHOP_LIVES, port))
        with pytest.raises(LaboratoryError, match=rf"^cannot listen on 127\.0\.42\.1:{port} over UDP: another program"):
            async with Laboratory(tmp_path, port):
                pytest.fail("two programs on one port")

    socket.create_server((SHOP_LIVES, port)).close()
    assert list(tmp_path.iterdir()) == []


WITHOUT_HTTP3 = """
import asyncio, logging, socket
from pathlib import Path
from exporter.demo import Laboratory

async def ask(lab, address):
    import ssl
    context = ssl.create_default_context(cafile=lab.ca_file)
    context.check_hostname = False
    reader, writer = await asyncio.open_connection(address, lab.port, ssl=context, server_hostname="news.example.test")
    writer.write(b"GET / HTTP/1.1\\r\\nHost: news.example.test\\r\\nConnection: close\\r\\n\\r\\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer

async def main():
    async with Laboratory(Path(sys.argv[1]), int(sys.argv[2])) as lab:
        answer = await ask(lab, "127.0.42.10")
        print(answer.split(b"\\r\\n")[0].decode(), b"alt-svc" in answer.lower())
        with socket.socket(type=socket.SOCK_DGRAM) as free:
            free.bind(("127.0.42.10", lab.port))

logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
asyncio.run(main())
"""


def test_without_the_extra_the_laboratory_neither_speaks_nor_advertises_http_3_and_says_so_once(tmp_path):
    told = python(WITHOUT_AIOQUIC + WITHOUT_HTTP3, tmp_path, free_port())

    assert told.splitlines() == [
        "WARNING the laboratory goes without HTTP/3, which needs pip install statuscode-exporter[h3]",
        "HTTP/1.1 200 OK False",
    ]


# A client that is not ours.


def test_chromium_agrees(tmp_path: Path):
    port = free_port()
    with in_background(Laboratory(tmp_path / "lab", port)) as lab:
        (tmp_path / "home").mkdir()
        chromium = Chromium(tmp_path / "home", lab.ca_file)

        def seen(name: str, address: str, **how: bool) -> str:
            return chromium.dom(f"https://{name}:{port}/", {name: address}, **how)

        assert "shop.example.test, reached at 127.0.42.1 over HTTP/3." in seen(SHOP, SHOP_LIVES, over_http3=True)
        assert "news.example.test is not served here." in seen(NEWS, NEWS_LIVES, over_http3=True)
        assert "news.example.test, reached at 127.0.42.10 by SNI news.example.test." in seen(NEWS, NEWS_LIVES)

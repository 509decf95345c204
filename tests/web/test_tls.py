"""The exporter's own certificate, on real connections."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager

import pytest
import trustme
from aiohttp import web

from exporter.config import ClientAuth, TlsServer, TlsVersion
from exporter.web import Certificate


def put(folder, leaf, name="server"):
    leaf.private_key_pem.write_to_path(str(folder / f"{name}.key"))
    leaf.cert_chain_pems[0].write_to_path(str(folder / f"{name}.pem"))


def settings(folder, **given):
    return TlsServer(cert_file=str(folder / "server.pem"), key_file=str(folder / "server.key"), **given)


@pytest.fixture
def folder(tmp_path, ca):
    put(tmp_path, ca.issue_cert("127.0.0.1"))
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path


async def hello(_request):
    return web.Response(text="hello")


@asynccontextmanager
async def listening(certificate):
    app = web.Application()
    app.add_routes([web.get("/", hello)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate.context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def shown(port, ca, leaf=None, **limits):
    """The serial number of the certificate that is shown to a client that trusts `ca`; it shows `leaf`."""
    context = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
    for name, value in limits.items():
        setattr(context, name, value)
    if leaf is not None:
        leaf.configure_cert(context)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: exporter\r\nConnection: close\r\n\r\n")
        # With TLS 1.3 a client learns only now that its certificate was refused.
        assert (await reader.read()).endswith(b"hello"), "refused"
        return writer.get_extra_info("peercert")["serialNumber"]
    finally:
        writer.transport.abort()


async def test_a_renewed_certificate_is_shown_to_who_comes_next(folder, ca):
    certificate = Certificate(settings(folder))
    async with listening(certificate) as port:
        before = await shown(port, ca)
        certificate.follow()
        assert await shown(port, ca) == before
        put(folder, ca.issue_cert("127.0.0.1"))
        certificate.follow()

        assert await shown(port, ca) != before


async def test_half_a_renewal_and_a_broken_file_keep_the_last_certificate(folder, ca, caplog):
    certificate = Certificate(settings(folder))
    async with listening(certificate) as port:
        before = await shown(port, ca)
        ca.issue_cert("127.0.0.1").cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
        certificate.follow()
        certificate.follow()
        assert await shown(port, ca) == before
        assert caplog.text.count("cannot be used") == 1

        (folder / "server.pem").unlink()
        certificate.follow()
        assert await shown(port, ca) == before

        put(folder, ca.issue_cert("127.0.0.1"))
        certificate.follow()
        assert await shown(port, ca) != before


@pytest.mark.parametrize(("asks", "needs"), [(ClientAuth.REQUIRED, True), (ClientAuth.IF_GIVEN, False)])
async def test_clients_show_certificates_where_they_are_asked_to(folder, ca, asks, needs):
    stranger = trustme.CA()
    certificate = Certificate(settings(folder, client_ca_file=str(folder / "ca.pem"), client_auth_type=asks))
    async with listening(certificate) as port:
        assert await shown(port, ca, ca.issue_cert("client.test"))
        with pytest.raises((AssertionError, OSError)):
            await shown(port, ca, stranger.issue_cert("client.test"))
        if needs:
            with pytest.raises((AssertionError, OSError)):
                await shown(port, ca)
        else:
            assert await shown(port, ca)


async def test_no_older_version_is_spoken_than_is_allowed(folder, ca):
    old = {"maximum_version": ssl.TLSVersion.TLSv1_2}
    async with listening(Certificate(settings(folder))) as port:
        assert await shown(port, ca, **old)
    async with listening(Certificate(settings(folder, min_version=TlsVersion.TLS13))) as port:
        assert await shown(port, ca)
        with pytest.raises(OSError):
            await shown(port, ca, **old)

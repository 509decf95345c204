"""What a proxy says of the application behind it: by its page, and by the time it took."""

from __future__ import annotations

import pytest

from exporter.diagnosis.causes.upstreams import _UPSTREAM
from exporter.model import Phase, Protocol
from tests.diagnosis.cases import apache, causes, failed, nginx, response, seen, told

DOWN, SLOW, BAD, BUSY = "upstream-down", "upstream-too-slow", "upstream-bad-answer", "overloaded"
TEXT = {"content_type": "text/plain"}
ENVOY = "upstream connect error or disconnect/reset before headers. "
HAPROXY = "<html><body><h1>{}</h1>\n"
TRAEFIK = {"server": "", "x_content_type_options": "nosniff", **TEXT}
KONG = '{"message":"An invalid response was received from the upstream server"}'
AWS = "<center><h1>{}</h1></center>\r\n<hr><center>awselb/2.0</center>"
CLOUDFLARE = "<title>shop.test | {}: </title>"

ROWS = {
    ("envoy", 503, "no healthy upstream"): response(503, "no healthy upstream", "envoy", **TEXT),
    ("envoy", 503, "reset reason: overflow"): response(503, f"{ENVOY}reset reason: overflow", "envoy", **TEXT),
    ("envoy", 503, "delayed connect error"): response(503, f"{ENVOY}delayed connect error: 111", "envoy", **TEXT),
    ("envoy", 503, "connection failure"): response(503, f"{ENVOY}reset reason: connection failure", "envoy", **TEXT),
    ("envoy", 503, "connection timeout"): response(503, f"{ENVOY}reset reason: connection timeout", "envoy", **TEXT),
    ("envoy", 503, "connect"): response(503, f"{ENVOY}reset reason: connection termination", "envoy", **TEXT),
    ("envoy", 503, ""): response(503, b"", "envoy"),
    ("envoy", 502, ""): response(502, f"{ENVOY}reset reason: protocol error", "envoy", **TEXT),
    ("haproxy", 503, "No server is available"): response(503, HAPROXY.format("503 Service Unavailable")
                                                         + "No server is available to handle this request.", ""),
    ("haproxy", 502, ""): response(502, HAPROXY.format("502 Bad Gateway"), ""),
    ("apache", 503, ""): apache(503),
    ("apache", 502, ""): apache(502),
    ("nginx", 502, ""): nginx(502),
    ("openresty", 502, ""): response(502, "<hr><center>openresty</center>", "openresty"),
    ("caddy", 502, ""): response(502, b"", "Caddy"),
    ("caddy", 503, ""): response(503, b"", "Caddy"),
    ("varnish", 503, ""): response(503, "<h3>Guru Meditation:</h3>", "Varnish", retry_after="5"),
    ("traefik", 502, ""): response(502, "Bad Gateway", **TRAEFIK),
    ("traefik", 503, "no available server"): response(503, "no available server\n", **TRAEFIK),
    ("aws-alb", 502, ""): response(502, AWS.format("502 Bad Gateway"), "awselb/2.0"),
    ("aws-alb", 503, ""): response(503, AWS.format("503 Service Temporarily Unavailable"), "awselb/2.0"),
    ("kong", 502, "invalid response"): response(502, KONG),
    ("kong", 503, "failure to get a peer"): response(503, '{"message":"failure to get a peer from the ring-balancer"}'),
    ("kong", 503, "name resolution failed"): response(503, '{"message":"name resolution failed"}'),
    ("squid", 503, "ERR_CONNECT_FAIL"): response(503, "<!-- ERR_CONNECT_FAIL -->"),
    ("traffic-server", 502, ""): response(502, "<TITLE>Could Not Connect To Host</TITLE>\n</HEAD>", "ATS/9.2"),
    ("cloudflare", 520, ""): response(520, CLOUDFLARE.format(520), "cloudflare"),
    ("cloudflare", 521, ""): response(521, CLOUDFLARE.format(521), "cloudflare"),
    ("cloudflare", 522, ""): response(522, CLOUDFLARE.format(522), "cloudflare"),
    ("cloudflare", 523, ""): response(523, CLOUDFLARE.format(523), "cloudflare"),
    ("cloudflare", 525, ""): response(525, CLOUDFLARE.format(525), "cloudflare"),
    ("cloudflare", 526, ""): response(526, CLOUDFLARE.format(526), "cloudflare"),
    ("cloudflare", 530, ""): response(530, "error code: 1033", "cloudflare"),
    ("*", 502, ""): response(502, "our gateway is sorry"),
}  # fmt: skip
"""For each row of the table, an answer that is its."""


def test_every_row_has_an_answer_here():
    assert ROWS.keys() == {(row.maker, row.code, row.says) for row in _UPSTREAM}


@pytest.mark.parametrize("row", _UPSTREAM, ids=lambda row: f"{row.maker}-{row.code}-{row.says}")
def test_each_row_names_its_cause(row):
    answer = ROWS[row.maker, row.code, row.says]

    (once,), (lasting,) = told(seen(answer)), told(*[seen(answer)] * 3)

    assert (lasting.cause, lasting.code, lasting.confidence) == (row.cause, row.code, row.sure)
    assert once.confidence <= 0.6, "a page's words alone"


@pytest.mark.parametrize("code", [504, 524])
def test_a_gateway_s_timeout_is_slowness(code):
    assert causes(seen(response(code, "late"))) == [(SLOW, "critical", code)]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [(nginx(502), SLOW), (response(503, b"", "Caddy"), SLOW), (ROWS["haproxy", 503, "No server is available"], DOWN)],
)
def test_an_error_that_took_long_was_waited_for_but_for_haproxy_s_queue(answer, cause):
    assert causes(seen(answer, seconds={Phase.PROCESSING: 3.0}))[0][0] == cause


def test_a_503_with_retry_after_is_announced_and_no_upstream_s():
    assert causes(seen(response(503, "soon", retry_after="60")))[0][0] == "maintenance"


def test_bytes_handed_on_as_they_are_over_http_1_1_are_the_upstream_s():
    (finding,) = told(
        failed(Phase.PROCESSING, "not-http", "begins with SSH-2.0"), seen(nginx(502), protocol=Protocol.H2)
    )

    assert (finding.cause, finding.severity) == (BAD, "critical")
    assert "begins with SSH-2.0" in finding.evidence

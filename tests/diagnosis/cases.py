"""Evidence in a line or two: what was asked and what came, with everything else as it usually is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from exporter.diagnosis import Evidence, diagnose
from exporter.expectation import Comparison, judge
from exporter.model import (
    Client,
    Connection,
    Experiment,
    Exposure,
    Failure,
    Finding,
    Observation,
    Page,
    Phase,
    Protocol,
    Response,
    Round,
    Target,
    Trial,
    Variation,
)
from exporter.pages import page_of
from tests import factories

SHOP, API, NOBODY = "shop.test", "api.test", "nobody.invalid"
ONE, TWO = "192.0.2.1", "192.0.2.2"
BOTH_NAMES = factories.tls(chain=(factories.certificate(SHOP, API),))
FOREIGN = factories.tls(
    chain=(factories.certificate("other.test", sha256="11" * 32),),
    faults=("wrong-name",),
    fault_detail="for other.test",
)
OWN_PAGE = b"<!doctype html>\n<title>shop.test</title>\n<h1>Welcome to shop.test</h1>\n"
NGINX = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n<hr><center>nginx</center>"
)
APACHE = (
    '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>{0}</title>\n</head><body></body></html>'
)


def target(domain: str = SHOP, **settings: object) -> Target:
    return factories.target(domain, **{"siblings": (SHOP, API), **settings})


def response(status: int = 200, body: bytes | str = OWN_PAGE, server: str = "nginx", **headers: str) -> Response:
    """Names of header fields are written with `_` for `-`."""
    raw = body.encode() if isinstance(body, str) else body
    fields = {"server": server, "content_type": "text/html", **headers}
    pairs = tuple((name.replace("_", "-"), value) for name, value in fields.items() if value)
    return Response(status, headers=pairs, body=raw, body_bytes=len(raw), version="1.1")


def nginx(status: int, server: str = "nginx", **headers: str) -> Response:
    """nginx's own page."""
    return response(status, NGINX.format(f"{status} Reason"), server, **headers)


def apache(status: int, server: str = "Apache", **headers: str) -> Response:
    """Apache's own page."""
    fields = {"content_type": "text/html; charset=iso-8859-1", **headers}
    return response(status, APACHE.format(f"{status} Reason"), server, **fields)


def seen(answer: Response | Failure | int = 200, **settings: object) -> Observation:
    """What the shop was answered on a connection of its own, unless settings of the probe or the answer differ."""
    of_probe = {"domain", "sni", "host", "address", "protocol", "connection", "port"} & settings.keys()
    asked = {"domain": SHOP, "address": ONE, **{key: settings.pop(key) for key in of_probe}}
    asked = {"sni": asked["domain"], "host": asked["domain"], **asked}
    given: dict[str, object] = {"tls": BOTH_NAMES}
    if isinstance(answer, Failure):
        given = {"failure": answer, "tls": None, "response": None}
    elif isinstance(answer, Response):
        given["response"] = answer
    else:
        given["response"] = response() if answer == 200 else nginx(answer)
    one = factories.observation(factories.probe(**asked), **{**given, **settings})
    return replace(one, page=page_of(one.response)) if one.response is not None else one


def stranger(answer: Response | Failure | int = 404, **settings: object) -> Observation:
    """A name that nobody owns, as Host on the shop's connection."""
    return seen(answer, **{"host": NOBODY, "connection": Connection.REUSED, **settings})


def failed(phase: Phase, kind: str, detail: str = "", **settings: object) -> Observation:
    return seen(Failure(phase, kind, detail), **settings)


def round_(
    *observations: Observation,
    of: Target | None = None,
    exposed: Iterable[str] = (),
    fresh: Page | None = None,
    **settings: object,
) -> Round:
    """A round whose answers are judged as the exporter does; a browser would ask for `exposed` on its connections.

    `fresh` is the page that those have on connections of their own; None: not known.
    """
    about = of or target()
    exposures = tuple(Exposure(name, about.domain, Client.CHROMIUM, ONE) for name in exposed)
    compared = Comparison(fresh, frozenset({Client.CHROMIUM}) if exposures else frozenset())
    verdicts = tuple(judge(about, one, compared) for one in observations)
    given = {"addresses": (ONE,), "verdicts": verdicts, "exposures": exposures, "of": about}
    return factories.round_(*observations, **{**given, **settings})


def neighbour(*observations: Observation, **settings: object) -> Mapping[str, Round]:
    """The round of the sibling `api.test`, which is served at the shop's address unless something else is given."""
    served = seen(response(body=b"<title>api.test</title>"), domain=API)
    given = {"of": target(API), **settings}
    return {API: round_(*(observations or (served,)), **given)}


def trial(which: Experiment, *answers: tuple[Variation, Observation] | Observation, **settings: object) -> Trial:
    told = tuple(one if isinstance(one, tuple) else (Variation.AS_CONFIGURED, one) for one in answers)
    return Trial(which, SHOP, ONE, Protocol.HTTP11, answers=told, **settings)


def evidence(
    *observations: Observation,
    siblings: Mapping[str, Round] | None = None,
    trials: Iterable[Trial] = (),
    down: str = "",
    **settings: object,
) -> Evidence:
    rounds = (round_(*observations, **settings),)
    return Evidence(rounds, siblings or {}, tuple(trials), down)


def told(*args: object, **settings: object) -> tuple[Finding, ...]:
    return diagnose(evidence(*args, **settings))


def causes(*args: object, **settings: object) -> list[tuple[str, str, int | None]]:
    """(cause, severity, code) of each finding, the leading one first."""
    return [(one.cause, one.severity.value, one.code) for one in told(*args, **settings)]

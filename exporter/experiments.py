"""The experiments that separate one cause from another: each is a few dials, planned as data. Pure.

They are asked for where a round shows what it should not, one at a time and in order: interleaving means something only
then. The numbers are those of the catalogue of experiments (C1 to C16). Two of them every round makes anyway (C10:
every other address; C14: each advertised alternative), and C5 is `sibling-sni` with a neighbour that has another
certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from exporter.matrix import MULTIPLEXING, request_for
from exporter.model import Ask, Connection, Dial, Experiment, Method, Probe, Protocol, Target, Transport

MOST_PROBES = 20
"""Of one experiment: a prober must not become the load, or the reason for a 429."""

REPEATS = 3
INTERLEAVED = 12  # how often each of two names is asked, in an order that has each pair of neighbours often enough
PLAIN_HTTP_PORT = 80
UNKNOWN_NAME = "statuscode-exporter-unknown-name.invalid"  # reserved by RFC 6761, section 6.4
OTHER_PATH = "/statuscode-exporter-no-such-path"


@dataclass(frozen=True, slots=True)
class Subject:
    """What an experiment is made on.

    Attributes:
        neighbour: another name at the address, for the experiments that need two; None: those plan nothing.
    """

    target: Target
    address: str
    protocol: Protocol
    neighbour: Target | None = None


def plan(experiment: Experiment, subject: Subject) -> tuple[Dial, ...]:
    """The dials of `experiment`, to be run one after the other; at most `MOST_PROBES` probes in all."""
    dials = tuple(_PLANS[experiment](subject))
    assert sum(len(dial.asks) for dial in dials) <= MOST_PROBES, experiment  # noqa: S101  # held by a test
    return dials


def _repeat(subject: Subject) -> Iterator[Dial]:
    for _ in range(REPEATS):
        yield _own(subject)


def _no_sni(subject: Subject) -> Iterator[Dial]:
    yield _asking(subject, None, subject.target.domain)


def _sibling_sni(subject: Subject) -> Iterator[Dial]:
    if subject.neighbour is not None:
        yield _asking(subject, subject.neighbour.domain, subject.target.domain)


def _reverse(subject: Subject) -> Iterator[Dial]:
    if subject.neighbour is not None:
        yield from _sibling_sni(replace(subject, target=subject.neighbour, neighbour=subject.target))


def _unknown_host(subject: Subject) -> Iterator[Dial]:
    yield _asking(subject, subject.target.domain, UNKNOWN_NAME)


def _unknown_name(subject: Subject) -> Iterator[Dial]:
    yield _asking(subject, UNKNOWN_NAME, UNKNOWN_NAME)


def _host_shape(subject: Subject) -> Iterator[Dial]:
    """RFC 9110, sections 4.2.3 and 7.2: case does not matter, and the port is a part of the authority."""
    domain, port = subject.target.domain, subject.target.port
    for authority in (f"{domain}.", domain.upper(), f"{domain}:{port}", domain, f"{domain}:{_other_port(port)}"):
        dial = _own(subject)
        (ask,) = dial.asks
        host = authority.partition(":")[0]
        shaped = Ask(replace(ask.probe, host=host), replace(ask.request, authority=authority).without_secrets())
        yield replace(dial, asks=(shaped,))
    yield replace(_own(subject), sni=f"{domain}.")  # RFC 6066, section 3, has it without the dot


def _other_port(port: int) -> int:
    return 8443 if port != 8443 else 443


def _interleaved(subject: Subject) -> Iterator[Dial]:
    """x x y y x y x x y y x y: each name follows itself and the other, each time on a connection of its own."""
    if subject.neighbour is None:
        return
    turns = {"x": subject, "y": replace(subject, target=subject.neighbour)}
    for turn in "xxyyxyxxyyxy":
        yield _own(turns[turn])


def _other_path(subject: Subject) -> Iterator[Dial]:
    dial = _own(subject)
    (ask,) = dial.asks
    for request in (replace(ask.request, path=OTHER_PATH), replace(ask.request, method=Method.HEAD)):
        yield replace(dial, asks=(replace(ask, request=request),))


def _resumed(subject: Subject) -> Iterator[Dial]:
    yield replace(_own(subject), resumes=subject.target.domain)
    if subject.neighbour is not None:
        yield replace(_own(subject), resumes=subject.neighbour.domain)


def _same_connection(subject: Subject) -> Iterator[Dial]:
    """The name again, then the neighbour, then the name: on the connection that refused it."""
    dial = _own(subject)
    names = [subject.target, subject.neighbour or subject.target, subject.target]
    again = tuple(
        Ask(replace(_probe(subject, dial.sni, one), connection=Connection.REUSED), request_for(one, one.domain))
        for one in names
    )
    yield replace(dial, asks=(*dial.asks, *again))


def _plain_http(subject: Subject) -> Iterator[Dial]:
    plain = replace(subject.target, port=PLAIN_HTTP_PORT)
    dial = _own(replace(subject, target=plain, protocol=Protocol.HTTP11))
    asks = tuple(
        replace(ask, request=replace(ask.request.without_secrets(), authority=plain.domain)) for ask in dial.asks
    )
    yield replace(dial, asks=asks, transport=Transport.PLAIN, sni=None)


def _tls12(subject: Subject) -> Iterator[Dial]:
    yield replace(_own(subject), transport=Transport.TLS12)


def _http11(subject: Subject) -> Iterator[Dial]:
    yield _own(replace(subject, protocol=Protocol.HTTP11))
    if subject.protocol not in MULTIPLEXING:
        yield _own(replace(subject, protocol=Protocol.H2))


_PLANS: dict[Experiment, Callable[[Subject], Iterator[Dial]]] = {
    Experiment.REPEAT: _repeat,
    Experiment.NO_SNI: _no_sni,
    Experiment.SIBLING_SNI: _sibling_sni,
    Experiment.REVERSE: _reverse,
    Experiment.UNKNOWN_HOST: _unknown_host,
    Experiment.UNKNOWN_NAME: _unknown_name,
    Experiment.HOST_SHAPE: _host_shape,
    Experiment.INTERLEAVED: _interleaved,
    Experiment.OTHER_PATH: _other_path,
    Experiment.RESUMED: _resumed,
    Experiment.SAME_CONNECTION: _same_connection,
    Experiment.PLAIN_HTTP: _plain_http,
    Experiment.TLS12: _tls12,
    Experiment.HTTP11: _http11,
}


def _own(subject: Subject) -> Dial:
    """The target's own name on a connection of its own."""
    return _asking(subject, subject.target.domain, subject.target.domain)


def _asking(subject: Subject, sni: str | None, host: str) -> Dial:
    target = subject.target
    probe = replace(_probe(subject, sni, target), host=host)
    return Dial(
        address=subject.address,
        port=target.port,
        sni=sni,
        protocol=subject.protocol,
        timeout_seconds=target.timeout_seconds,
        asks=(Ask(probe, request_for(target, host)),),
        ca_file=target.ca_file,
        client_certificate=target.client_certificate,
        client_key=target.client_key,
        verify=target.verify,
    )


def _probe(subject: Subject, sni: str | None, about: Target) -> Probe:
    return Probe(about.domain, sni, about.domain, subject.address, subject.protocol)

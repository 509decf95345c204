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
from exporter.model import Ask, Connection, Dial, Experiment, Method, Probe, Protocol, Target, Transport, Variation

MOST_PROBES = 20
"""Of one experiment: a prober must not become the load, or the reason for a 429."""

REPEATS = 5  # one bad backend of three shows in nine of ten such series
PLAIN_HTTP_PORT = 80
UNKNOWN_NAME = "statuscode-exporter-unknown-name.invalid"  # reserved by RFC 6761, section 6.4
OTHER_PATH = "/statuscode-exporter-no-such-path"
UNKNOWN_QUERY = "statuscode-exporter=1"


@dataclass(frozen=True, slots=True)
class Subject:
    """What an experiment is made on.

    Attributes:
        neighbour: another name at the address, for the experiments that need two; None: those plan nothing.
        path: where a redirect within the site leads; None: nothing is followed.
    """

    target: Target
    address: str
    protocol: Protocol
    neighbour: Target | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One connection of an experiment, and how each of its asks varies what is asked."""

    dial: Dial
    variations: tuple[Variation, ...] = (Variation.AS_CONFIGURED,)


def plan(experiment: Experiment, subject: Subject) -> tuple[Step, ...]:
    """The steps of `experiment`, to be run one after the other; at most `MOST_PROBES` probes in all."""
    steps = tuple(_PLANS[experiment](subject))
    assert sum(len(step.dial.asks) for step in steps) <= MOST_PROBES, experiment  # noqa: S101  # held by a test
    return steps


def _repeat(subject: Subject) -> Iterator[Step]:
    for _ in range(REPEATS):
        yield Step(_own(subject))


def _no_sni(subject: Subject) -> Iterator[Step]:
    yield Step(_asking(subject, None, subject.target.domain))


def _sibling_sni(subject: Subject) -> Iterator[Step]:
    if subject.neighbour is not None:
        yield Step(_asking(subject, subject.neighbour.domain, subject.target.domain))


def _reverse(subject: Subject) -> Iterator[Step]:
    if subject.neighbour is not None:
        yield from _sibling_sni(replace(subject, target=subject.neighbour, neighbour=subject.target))


def _unknown_host(subject: Subject) -> Iterator[Step]:
    yield Step(_asking(subject, subject.target.domain, UNKNOWN_NAME))


def _unknown_name(subject: Subject) -> Iterator[Step]:
    yield Step(_asking(subject, UNKNOWN_NAME, UNKNOWN_NAME))


def _host_shape(subject: Subject) -> Iterator[Step]:
    """RFC 9110, sections 4.2.3 and 7.2: case does not matter, and the port is a part of the authority."""
    domain, port = subject.target.domain, subject.target.port
    shapes = {
        Variation.TRAILING_DOT: f"{domain}.",
        Variation.UPPER_CASE: domain.upper(),
        Variation.WITH_PORT: f"{domain}:{port}",
        Variation.WITHOUT_PORT: domain,
        Variation.OTHER_PORT: f"{domain}:{_other_port(port)}",
    }
    for variation, authority in shapes.items():
        dial = _own(subject)
        (ask,) = dial.asks
        host = authority.partition(":")[0]
        shaped = Ask(replace(ask.probe, host=host), replace(ask.request, authority=authority).without_secrets())
        yield Step(replace(dial, asks=(shaped,)), (variation,))
    # RFC 6066, section 3, has it without the dot.
    yield Step(replace(_own(subject), sni=f"{domain}."), (Variation.SNI_TRAILING_DOT,))


def _other_port(port: int) -> int:
    return 8443 if port != 8443 else 443


def _interleaved(subject: Subject) -> Iterator[Step]:
    """x x x y y y x y x x y y: each name follows itself and the other, each time on a connection of its own.

    Three in a row: where a refusal ends the proxy's connection, the second is served whoever it was opened for before.
    """
    if subject.neighbour is None:
        return
    turns = {"x": subject, "y": replace(subject, target=subject.neighbour)}
    for turn in "xxxyyyxyxxyy":
        yield Step(_own(turns[turn]))


def _other_path(subject: Subject) -> Iterator[Step]:
    path = subject.target.path
    paths = {
        Variation.NO_SUCH_PATH: OTHER_PATH,
        Variation.ROOT_PATH: "/",
        Variation.NEW_QUERY: f"{path}{'&' if '?' in path else '?'}{UNKNOWN_QUERY}",
    }
    for variation, other in paths.items():
        if other != path:
            yield _sending(subject, variation, path=other)
    yield _sending(subject, Variation.HEAD, method=Method.HEAD)


def _followed(subject: Subject) -> Iterator[Step]:
    if subject.path is not None:
        yield _sending(subject, Variation.REDIRECTED, path=subject.path)


def _fields(subject: Subject) -> Iterator[Step]:
    if subject.target.headers:
        bare = replace(subject, target=replace(subject.target, headers=()))
        yield Step(_own(bare), (Variation.NO_FIELDS,))


def _sending(subject: Subject, variation: Variation, path: str | None = None, method: Method | None = None) -> Step:
    dial = _own(subject)
    (ask,) = dial.asks
    request = replace(ask.request, path=path or ask.request.path, method=method or ask.request.method)
    return Step(replace(dial, asks=(replace(ask, request=request),)), (variation,))


def _resumed(subject: Subject) -> Iterator[Step]:
    yield Step(replace(_own(subject), resumes=subject.target.domain), (Variation.OWN_SESSION,))
    if subject.neighbour is not None:
        neighbours = replace(_own(subject), resumes=subject.neighbour.domain)
        yield Step(neighbours, (Variation.NEIGHBOURS_SESSION,))


def _same_connection(subject: Subject) -> Iterator[Step]:
    """The name again, then the neighbour, then the name: on the connection that refused it."""
    dial = _own(subject)
    names = {
        Variation.AGAIN: subject.target,
        Variation.NEIGHBOUR: subject.neighbour or subject.target,
    }
    order = (Variation.AGAIN, Variation.NEIGHBOUR, Variation.AGAIN)
    again = tuple(
        Ask(replace(_probe(subject, dial.sni, one), connection=Connection.REUSED), request_for(one, one.domain))
        for one in (names[variation] for variation in order)
    )
    yield Step(replace(dial, asks=(*dial.asks, *again)), (Variation.AS_CONFIGURED, *order))


def _plain_http(subject: Subject) -> Iterator[Step]:
    plain = replace(subject.target, port=PLAIN_HTTP_PORT)
    dial = _own(replace(subject, target=plain, protocol=Protocol.HTTP11))
    asks = tuple(
        replace(ask, request=replace(ask.request.without_secrets(), authority=plain.domain)) for ask in dial.asks
    )
    yield Step(replace(dial, asks=asks, transport=Transport.PLAIN, sni=None))


def _tls12(subject: Subject) -> Iterator[Step]:
    yield Step(replace(_own(subject), transport=Transport.TLS12))
    if subject.neighbour is not None:
        theirs = _own(replace(subject, target=subject.neighbour))
        yield Step(replace(theirs, transport=Transport.TLS12), (Variation.NEIGHBOUR,))


def _http11(subject: Subject) -> Iterator[Step]:
    yield Step(_own(replace(subject, protocol=Protocol.HTTP11)))
    if subject.protocol not in MULTIPLEXING:
        yield Step(_own(replace(subject, protocol=Protocol.H2)))


_PLANS: dict[Experiment, Callable[[Subject], Iterator[Step]]] = {
    Experiment.REPEAT: _repeat,
    Experiment.NO_SNI: _no_sni,
    Experiment.SIBLING_SNI: _sibling_sni,
    Experiment.REVERSE: _reverse,
    Experiment.UNKNOWN_HOST: _unknown_host,
    Experiment.UNKNOWN_NAME: _unknown_name,
    Experiment.HOST_SHAPE: _host_shape,
    Experiment.INTERLEAVED: _interleaved,
    Experiment.OTHER_PATH: _other_path,
    Experiment.FIELDS: _fields,
    Experiment.FOLLOWED: _followed,
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

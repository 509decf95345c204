"""Which experiment to make next: the few that separate the causes that a round leaves open. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exporter.diagnosis.causes.redirects import leads_to_plain_http, redirected_path
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.own import Split
from exporter.diagnosis.samples import Sample, same_page, status_of
from exporter.model import Combination, Experiment, Phase, Protocol

MOST_PROBES = 20
"""Of all experiments on one domain together."""

PROBES = {
    Experiment.REPEAT: 5,
    Experiment.NO_SNI: 1,
    Experiment.SIBLING_SNI: 1,
    Experiment.UNKNOWN_NAME: 1,
    Experiment.HOST_SHAPE: 6,
    Experiment.INTERLEAVED: 12,
    Experiment.OTHER_PATH: 4,
    Experiment.FIELDS: 1,
    Experiment.FOLLOWED: 1,
    Experiment.RESUMED: 2,
    Experiment.PLAIN_HTTP: 1,
    Experiment.TLS12: 2,
}
"""How many an experiment takes at most; a test holds it against the plans."""

_SAME_AGAIN = frozenset({"timeout", "slow", "unreachable", "no-route"})
_SLOW_SECONDS = 1.0  # what takes longer is not repeated: a diagnosis should not take minutes


@dataclass(frozen=True, slots=True)
class Wish:
    """An experiment that would tell more.

    Attributes:
        neighbour: the other name, for experiments that need two; empty: none.
        path: for `Experiment.FOLLOWED`.
    """

    experiment: Experiment
    address: str
    protocol: Protocol
    neighbour: str = ""
    path: str = ""


def next_wish(evidence: Evidence, *, thorough: bool = False) -> Wish | None:
    """The next experiment to make on the evidence's domain; None: enough is known, or enough was asked.

    With `thorough`, a name that answers as it should is asked for in other spellings and on resumed sessions too.
    """
    if _is_limited(evidence):
        return None
    left = MOST_PROBES - sum(len(trial.answers) for trial in evidence.trials)
    made = {(trial.experiment, trial.address, trial.neighbour, trial.path) for trial in evidence.trials}
    for wish in _wishes(evidence, thorough=thorough):
        is_new = (wish.experiment, wish.address, wish.neighbour, wish.path) not in made
        if is_new and PROBES[wish.experiment] <= left:
            return wish
    return None


def _is_limited(evidence: Evidence) -> bool:
    """Whether the target says that it is asked too much already."""
    seen = [o for round_ in evidence.rounds for o in round_.observations]
    seen += [o for trial in evidence.trials for _, o in trial.answers]
    return any(status_of(one) == 429 for one in seen)


def _wishes(evidence: Evidence, *, thorough: bool) -> Iterator[Wish]:
    if evidence.worst is not None:
        yield from _about_wrong(evidence, evidence.worst)
    elif evidence.right:
        yield from _about_shared(evidence)
        yield from _about_redirects(evidence)
        yield from _about_strangers(evidence)
        if thorough:
            yield from _thorough(evidence)


def _about_wrong(evidence: Evidence, worst: Sample) -> Iterator[Wish]:
    probe = worst.seen.probe
    if probe.address is None:
        return
    protocol = probe.protocol
    if evidence.split in (Split.SOMETIMES, Split.PROTOCOLS):
        yield Wish(Experiment.REPEAT, probe.address, protocol)
    if sum(worst.seen.seconds.values()) > _SLOW_SECONDS:
        return
    neighbour = _neighbour(evidence, probe.address)
    for experiment in _for_status(evidence, worst) if worst.failure is None else _for_failure(worst):
        if experiment is Experiment.INTERLEAVED and not neighbour:
            experiment = Experiment.REPEAT  # noqa: PLW2901  # the same question, for one name
        yield Wish(experiment, probe.address, protocol, neighbour if experiment in _WITH_NEIGHBOUR else "")


_WITH_NEIGHBOUR = frozenset({Experiment.INTERLEAVED})


def _for_status(evidence: Evidence, worst: Sample) -> tuple[Experiment, ...]:
    status = worst.status or 0
    if status == 421:
        return _for_refusal(evidence)
    if status in (400, 403, 404, 410, 431):
        return (
            Experiment.FIELDS,
            Experiment.OTHER_PATH,
            Experiment.UNKNOWN_NAME,
            Experiment.HOST_SHAPE,
            Experiment.REPEAT,
        )
    if status >= 500:
        return (Experiment.OTHER_PATH, Experiment.REPEAT)
    return ()


def _for_refusal(evidence: Evidence) -> tuple[Experiment, ...]:
    """The most telling first: with a neighbour there is no room for all."""
    path, name = Experiment.OTHER_PATH, Experiment.UNKNOWN_NAME
    order, shape = Experiment.INTERLEAVED, Experiment.HOST_SHAPE
    if evidence.disagrees:
        return (order, name, path)
    return (path, name, shape, order) if _may_be_the_port(evidence) else (path, name, order, shape)


def _may_be_the_port(evidence: Evidence) -> bool:
    """Whether all names get it always, with a port in Host: nothing depends on the order of requests then."""
    return evidence.target.port != 443 and evidence.split is Split.EVERYWHERE and not evidence.served


def _for_failure(worst: Sample) -> tuple[Experiment, ...]:
    failure = worst.failure
    if failure is None or failure.phase is Phase.RESOLVE or failure.kind in _SAME_AGAIN:
        return ()
    if failure.phase is Phase.TLS:
        return (Experiment.UNKNOWN_NAME, Experiment.NO_SNI)
    return (Experiment.REPEAT,)


def _neighbour(evidence: Evidence, address: str) -> str:
    """A companion at the address, one that is served there if there is one."""
    there = [name for name, round_ in evidence.companions.items() if address in round_.addresses]
    served = [name for name in there if evidence.is_served(name)]
    return next(iter([*served, *there]), "")


def _about_shared(evidence: Evidence) -> Iterator[Wish]:
    """On the same handshake without reuse, over HTTP/1.1; what strangers get; and what TLS settings the names have."""
    for shared in evidence.shared[:1]:
        address = shared.seen.probe.address or ""
        if not shared.is_refused:  # one backend of several may be what was met, and a page may differ from itself
            yield Wish(Experiment.REPEAT, address, shared.seen.probe.protocol)
        yield Wish(Experiment.UNKNOWN_NAME, address, shared.seen.probe.protocol)
        yield Wish(Experiment.SIBLING_SNI, address, Protocol.HTTP11, shared.opener)
        yield Wish(Experiment.TLS12, address, Protocol.HTTP11, shared.opener)


def _about_redirects(evidence: Evidence) -> Iterator[Wish]:
    own = evidence.right[0].seen.probe
    path = redirected_path(evidence)
    if path is not None:
        yield Wish(Experiment.FOLLOWED, own.address or "", own.protocol, path=path)
    if leads_to_plain_http(evidence):
        yield Wish(Experiment.PLAIN_HTTP, own.address or "", Protocol.HTTP11)


def _about_strangers(evidence: Evidence) -> Iterator[Wish]:
    """Where the name gets what every name gets, the default site is worth a look."""
    own = evidence.right[0].seen
    if evidence.companions and any(same_page(own, other) for other in evidence.unknown_hosts):
        yield Wish(Experiment.UNKNOWN_NAME, own.probe.address or "", own.probe.protocol)


def _thorough(evidence: Evidence) -> Iterator[Wish]:
    own = evidence.right[0].seen.probe
    if own.combination is Combination.MATCHED and own.address is not None:
        neighbour = _neighbour(evidence, own.address)
        # Some backends of several, or the wrong order, may well be missed by a round.
        yield Wish(Experiment.INTERLEAVED if neighbour else Experiment.REPEAT, own.address, own.protocol, neighbour)
        yield Wish(Experiment.HOST_SHAPE, own.address, Protocol.HTTP11 if _speaks_http11(evidence) else own.protocol)
        yield Wish(Experiment.RESUMED, own.address, own.protocol, _neighbour(evidence, own.address))


def _speaks_http11(evidence: Evidence) -> bool:
    return any(sample.protocol is Protocol.HTTP11 for sample in evidence.right)

"""Proxies: what they do with names on their way to the origin, told from outside by who wrote the answer."""

from __future__ import annotations

from dataclasses import dataclass

from exporter.diagnosis import servers
from exporter.diagnosis.cause import Draft, cause, confidence
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.samples import answer_of, is_right, page, relayed, same_page, status_of
from exporter.diagnosis.wording import asked, lines, names_and, said_by, where
from exporter.model import Excluded, Experiment, Observation, Severity, Target, Trial

_ENOUGH = 30  # refusals that are looked at for who has said them; of a large group there are hundreds


@dataclass(frozen=True, slots=True)
class _Order:
    """What interleaved requests for two names showed.

    Attributes:
        after_other, after_same: (wrong, all) answers that followed an answer to the other name, or to the same.
    """

    after_other: tuple[int, int]
    after_same: tuple[int, int]


def _interleaved(evidence: Evidence) -> Trial | None:
    """The newest such trial with a neighbour that is still known: a reload may have removed it since."""
    trials = [trial for trial in evidence.tried(Experiment.INTERLEAVED) if trial.neighbour in evidence.siblings]
    return trials[-1] if trials else None


def _order_of(evidence: Evidence, interleaved: Trial) -> _Order:
    """Of the names in turn, and of the domain alone: two backends in turn answer as a pool does, but not one name."""
    counts = {True: [0, 0], False: [0, 0]}
    for trial in (interleaved, *evidence.tried(Experiment.REPEAT)):
        _count(evidence, trial, counts)
    return _Order((counts[True][0], counts[True][1]), (counts[False][0], counts[False][1]))


def _count(evidence: Evidence, trial: Trial, counts: dict[bool, list[int]]) -> None:
    """A wrong answer ends the proxy's connection to the origin, as Apache closes it, so that the next one is right
    whoever asks: it counts as if there had been nobody before.
    """
    before: str | None = None
    for _, seen in trial.answers:
        name = seen.probe.domain
        wrong = not is_right(_target(evidence, seen), seen)
        if before is not None:
            counts[before != name][0] += wrong
            counts[before != name][1] += 1
        before = None if wrong else name


@cause("proxy-reuses-upstream-connection", 204, "A proxy reuses an upstream connection across names",
       also_where_right=True,
       masks=("proxy-sends-no-sni-upstream", "proxy-sends-wrong-sni-upstream", "one-backend-misconfigured",
              "application-answers-421", "rewrite-rule-421", "vhost-missing", "vhost-tls-params-differ",
              "sni-policy-forbids-connection-reuse", "vhost-certs-overlap", "sni-router-with-shared-cert",
              "monitor-sends-no-sni", "proxy-forwards-client-sni"))  # fmt: skip
def proxy_reuses_upstream_connection(evidence: Evidence) -> Draft | None:
    """The proxy's pool is keyed by address, not by name: a request goes out on a connection opened for another name."""
    return _by_order(evidence) or _one_name_wins(evidence)


def _one_name_wins(evidence: Evidence) -> Draft | None:
    """One connection for all names, over HTTP/2 (Go's proxies): who came first after a pause is served, others not."""
    worst, stranger = evidence.worst, evidence.unknown_host
    if worst is None or stranger is None or stranger.response is None or not _is_origins_421(evidence):
        return None
    hops = [servers.edge(stranger.response), *([evidence.edge] if evidence.edge is not None else [])]
    in_go = any(hop is not None and hop.id in ("caddy", "traefik") for hop in hops)
    if not in_go or len(evidence.served) != 1 or evidence.paths_differ or evidence.disagrees:
        return None
    return Draft(
        confidence=0.75,
        summary=f"a proxy asks the origin for all names on one connection, which it opened for {evidence.served[0]}: "
        f"{evidence.domain} gets the origin's 421, and only {evidence.served[0]} is served",
        shown=(worst.seen,),
        code=421,
        evidence=(*lines([s.seen for s in evidence.wrong]), f"{evidence.served[0]} is served at the same address"),
        excluded=(Excluded("rewrite-rule-421", "every path gets it"),),
        would_confirm="the same after a pause: another name that comes first is served then, and this one is not",
    )


def _by_order(evidence: Evidence) -> Draft | None:
    trial = _interleaved(evidence)
    if trial is None:
        return None
    order = _order_of(evidence, trial)
    (wrong_other, other), (wrong_same, same) = order.after_other, order.after_same
    if wrong_other < 2 or not same or wrong_other / other - wrong_same / same <= 0.5:
        return None
    if not _each_is_served_at_times(evidence, trial):
        return None
    wrong = [seen for _, seen in trial.answers if status_of(seen) == 421] or [seen for _, seen in trial.answers]
    maker = _relayed_by(evidence, wrong)
    return Draft(
        confidence=confidence(text=maker, experiment=True),
        summary=f"a proxy reuses a connection to the origin that it opened for another name: {evidence.domain} and "
        f"{trial.neighbour} get {answer_of(wrong[0])} when the other was asked for before ({wrong_other} of {other}), "
        f"and never twice in a row ({wrong_same} of {same})",
        shown=tuple(wrong[:3]),
        code=status_of(wrong[0]),
        severity=Severity.CRITICAL,
        evidence=(
            f"in turn, each on a connection of its own: {_series(trial)}",
            *lines(wrong[:2]),
        ),
        excluded=(
            Excluded("proxy-sends-no-sni-upstream", "the same name twice in a row is served"),
            Excluded("one-backend-misconfigured", "which answer is wrong depends on who was asked for before"),
        ),
        noticed_by=("everybody, the more the more names are asked for",),
        others=(trial.neighbour,),
    )


def _each_is_served_at_times(evidence: Evidence, trial: Trial) -> bool:
    """A name that is refused every time needs no other's connection for that."""
    right = {seen.probe.domain for _, seen in trial.answers if is_right(_target(evidence, seen), seen)}
    return right == {evidence.domain, trial.neighbour}


def _target(evidence: Evidence, seen: Observation) -> Target:
    name = seen.probe.domain
    return evidence.target if name == evidence.domain else evidence.siblings[name].target


def _series(trial: Trial) -> str:
    return ", ".join(f"{seen.probe.domain} {answer_of(seen)}" for _, seen in trial.answers)


def _relayed_by(evidence: Evidence, wrong: list[Observation]) -> bool:
    return any(relayed(seen) for seen in wrong) or bool(evidence.is_relayed)


def _is_origins_421(evidence: Evidence) -> bool:
    """Whether the name's own 421 is Apache's, said behind another edge: Apache has no reason for it towards us."""
    maker = evidence.generator
    return evidence.code == 421 and maker is not None and maker.id == "apache" and evidence.is_relayed is not False


@cause("proxy-sends-no-sni-upstream", 201, "A proxy sends no SNI to the origin",
       masks=("application-answers-421", "vhost-missing"))  # fmt: skip
def proxy_sends_no_sni_upstream(evidence: Evidence) -> Draft | None:
    """Apache (2.4.64) puts a connection without SNI in its first virtual host, and refuses every other Host on it."""
    worst, stranger = evidence.worst, evidence.unknown_host
    if worst is None or not _is_origins_421(evidence) or evidence.paths_differ:
        return None
    if (
        stranger is None
        or status_of(stranger) == 421
        or evidence.disagrees
        or not _is_default_sites(evidence, stranger)
    ):
        return None
    return Draft(
        confidence=confidence(text=True, experiment=True) if evidence.is_relayed or evidence.failing else 0.75,
        summary=f"the proxy in front opens its TLS connection to the origin without SNI: {evidence.domain} gets "
        "the origin's "
        f"421{where(evidence)}, while a Host that nobody owns is answered {answer_of(stranger)}",
        shown=(worst.seen, stranger),
        code=421,
        evidence=(
            *lines([s.seen for s in evidence.wrong]),
            *lines([stranger]),
            f"the 421 is by {said_by(evidence)}, and the client's connection survives it",
            *([f"{names_and(evidence.failing, 'fails', 'fail')} alike"] if evidence.failing else []),
        ),
        excluded=(
            Excluded(
                "proxy-sends-wrong-sni-upstream", "the origin's default virtual host answers a Host that nobody owns"
            ),
            *_no_pool(evidence),
        ),
        would_confirm="the origin's log: AH02032 with «default host as no SNI was provided»",
    )


def _is_default_sites(evidence: Evidence, stranger: Observation) -> bool:
    """Whether the stranger was answered by the origin too, and companions that are served have just that page.

    Without SNI only the origin's default site can be served; a companion with another page comes another way.
    """
    own = evidence.response
    by_edge = own is not None and stranger.response is not None and servers.edge(own) != servers.edge(stranger.response)
    pages = [o for name in evidence.served for o, _ in evidence.companions[name].matched if page(o) is not None]
    return not by_edge and all(same_page(seen, stranger) for seen in pages)


def _no_pool(evidence: Evidence) -> tuple[Excluded, ...]:
    if not evidence.tried(Experiment.INTERLEAVED):
        return ()
    return (Excluded("proxy-reuses-upstream-connection", "the same name twice in a row is refused twice"),)


@cause("proxy-sends-wrong-sni-upstream", 202, "A proxy sends a constant or wrong SNI to the origin",
       masks=("application-answers-421", "vhost-missing"))  # fmt: skip
def proxy_sends_wrong_sni_upstream(evidence: Evidence) -> Draft | None:
    """The proxy names one host of the origin for all: only that one is served."""
    worst, stranger = evidence.worst, evidence.unknown_host
    if worst is None or not _is_origins_421(evidence) or evidence.paths_differ or evidence.disagrees:
        return None
    if stranger is None or status_of(stranger) != 421:
        return None
    served = evidence.served
    return Draft(
        confidence=confidence(text=True, experiment=True) if served else 0.7,
        summary=f"the proxy in front sends the origin a server name that does not fit: {evidence.domain} gets the "
        "origin's "
        f"421{where(evidence)}, and so does a Host that nobody owns"
        + (f"; only {names_and(served, 'is', 'are')} served" if served else ""),
        shown=(worst.seen, stranger),
        code=421,
        evidence=(*lines([s.seen for s in evidence.wrong]), *lines([stranger]), f"the 421 is by {said_by(evidence)}"),
        excluded=(
            Excluded("proxy-sends-no-sni-upstream", "a Host that nobody owns is refused too"),
            *_no_pool(evidence),
        ),
        would_confirm="the origin's log (AH02032) names the server name that the proxy sent",
    )


@cause("proxy-forwards-client-sni", 203, "A proxy forwards the client's SNI to the origin",
       also_where_right=True, severity=Severity.WARNING,
       masks=("vhost-tls-params-differ", "sni-policy-forbids-connection-reuse", "vhost-certs-overlap",
              "monitor-sends-no-sni"))  # fmt: skip
def proxy_forwards_client_sni(evidence: Evidence) -> Draft | None:
    """What the client named in SNI is sent on, while Host may be another's, as on reused connections (`ssl_fc_sni`)."""
    if evidence.wrong or not evidence.right:
        return None
    foreign = [*(shared.seen for shared in evidence.shared), *evidence.other_snis, *evidence.without_sni]
    refused = [seen for seen in foreign if status_of(seen) == 421]
    behind = [seen for seen in refused[:_ENOUGH] if relayed(seen)]
    if not behind or not any(_by_apache(seen) for seen in behind):
        return None
    shared = [one for one in evidence.shared if one.is_refused]
    return Draft(
        confidence=confidence(text=True, experiment=len(refused) > 1),
        summary=f"a proxy forwards the client's SNI to the origin: {evidence.domain} is served where SNI and Host "
        "agree, "
        f"and gets the origin's 421 where they do not ({asked(behind[0].probe)})",
        shown=(*(one.seen for one in shared), *behind, evidence.right[0].seen),
        code=421,
        severity=Severity.WARNING if shared else Severity.INFO,
        evidence=(
            *lines(refused),
            *lines([evidence.right[0].seen]),
            "the 421 is the origin's: the edge is another program, or the connection survives it",
        ),
        excluded=(Excluded("vhost-tls-params-differ", "the refusal comes from behind the edge"),),
        noticed_by=(
            "browsers on a reused connection; they ask again",
            "clients without SNI",
            "clients that do not retry",
        ),
    )


def _by_apache(seen: Observation) -> bool:
    maker = servers.generator(seen.response) if seen.response is not None else None
    return maker is not None and maker.id == "apache"


@cause("proxy-loses-host", 205, "A proxy replaces Host", masks=("content-missing",))
def proxy_loses_host(evidence: Evidence) -> Draft | None:
    """The origin sees another Host than the client sent, and answers with its default site."""
    worst, stranger = evidence.worst, evidence.stranger
    if worst is None or evidence.code not in (400, 403, 404) or evidence.disagrees or stranger is None:
        return None
    if not same_page(worst.seen, stranger) or evidence.paths_differ or evidence.served:
        return None
    if worst.seen.tls is not None and not worst.seen.tls.covers(evidence.domain):
        return None
    named = _host_that_the_origin_saw(evidence)
    own_certificate = _has_certificate_of_its_own(evidence)
    all_alike = len(evidence.failing) > 0
    sure = 0.5
    if evidence.is_relayed or named or own_certificate or all_alike:
        sure = confidence(text=bool(named or evidence.is_relayed), experiment=bool(own_certificate or all_alike))
    return Draft(
        confidence=sure,
        summary=f"the request reaches an origin that does not see {evidence.domain} in Host: it answers {worst.answer}"
        f"{where(evidence)} on every path, as to a name that nobody owns, under a certificate that covers the name",
        shown=(worst.seen, stranger),
        code=evidence.code,
        evidence=(
            *lines([s.seen for s in evidence.wrong]),
            *lines([stranger]),
            *([f"the page names the host that the origin saw: {named}"] if named else []),
            *([f"{names_and(evidence.failing, 'fails', 'fail')} alike"] if all_alike else []),
            *(["the edge has a certificate for the name that it does not show to others"] if own_certificate else []),
        ),
        against=()
        if sure > 0.5
        else ("a server with the certificate, but without virtual host or content, looks the same",),
        excluded=(Excluded("content-missing", "other paths, and names that nobody owns, get the same page"),),
        would_confirm="the Host field in the origin's access log",
    )


def _host_that_the_origin_saw(evidence: Evidence) -> str:
    """Apache signs its pages with the server's name or the Host it saw: «Server at NAME Port N»."""
    _, found, rest = evidence.text.partition(" Server at ")
    name = rest.partition(" Port ")[0] if found else ""
    return name[:100] if name and name.lower() != evidence.domain else ""


def _has_certificate_of_its_own(evidence: Evidence) -> bool:
    worst = evidence.worst
    mine = worst.seen.tls.leaf if worst is not None and worst.seen.tls is not None else None
    others = [seen.tls.leaf for seen in (*evidence.without_sni, evidence.unknown_name) if seen is not None and seen.tls]
    return mine is not None and any(leaf is not None and leaf.sha256 != mine.sha256 for leaf in others)


@cause("plain-http-to-https-port", 206, "Plain HTTP is sent to a TLS port on the way",
       masks=("proxy-loses-host", "vhost-missing"))  # fmt: skip
def plain_http_to_https_port(evidence: Evidence) -> Draft | None:
    """We spoke TLS, and the page complains of plain HTTP: a hop behind the edge has said so to the edge."""
    said = next((text for text in _PLAIN if text in evidence.text), None)
    if evidence.worst is None or said is None:
        return None
    return Draft(
        confidence=confidence(text=True, experiment=True),
        summary=f"a proxy sends plain HTTP to the origin's TLS port: {evidence.domain} answers {evidence.worst.answer}"
        f"{where(evidence)}, «{said}», although the client's connection is TLS",
        shown=(evidence.worst.seen,),
        code=evidence.code,
        evidence=lines([s.seen for s in evidence.wrong]),
    )


_PLAIN = (
    "The plain HTTP request was sent to HTTPS port",
    "speaking plain HTTP to an SSL-enabled server port",
    "Client sent an HTTP request to an HTTPS server",
    "This combination of host and port requires TLS",
)

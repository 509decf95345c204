"""Behind the edge: what a proxy does on its way to the origin, told from outside by who wrote the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exporter.diagnosis import servers
from exporter.diagnosis.cause import Draft, cause, confidence
from exporter.diagnosis.evidence import Evidence, Split, answer_of, is_right, relayed, same_page, status_of
from exporter.diagnosis.wording import asked, lines, names, said_by, told, where
from exporter.model import Excluded, Experiment, Observation, Phase, Protocol, Severity, Target, Trial, Variation

# Proxies give up at round numbers; what answers faster was refused, or closed on.
_AT_ONCE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Order:
    """What interleaved requests for two names showed.

    Attributes:
        after_other, after_same: (wrong, all) answers that followed an answer to the other name, or to the same.
    """

    after_other: tuple[int, int]
    after_same: tuple[int, int]


def _order(evidence: Evidence) -> _Order | None:
    trials = evidence.tried(Experiment.INTERLEAVED)
    return _order_of(evidence, trials[-1]) if trials else None


def _order_of(evidence: Evidence, trial: Trial) -> _Order:
    """A wrong answer ends the proxy's connection to the origin (Apache closes it), so that the next one is right whoever asks:
    it counts as if there had been nobody before.
    """
    counts = {True: [0, 0], False: [0, 0]}
    before: str | None = None
    for _, seen in trial.answers:
        name = seen.probe.domain
        wrong = not is_right(_target(evidence, seen), seen)
        if before is not None:
            counts[before != name][0] += wrong
            counts[before != name][1] += 1
        before = None if wrong else name
    (other, same) = (tuple(counts[True]), tuple(counts[False]))
    return _Order((other[0], other[1]), (same[0], same[1]))


@cause("proxy-reuses-upstream-connection", 204, "A proxy reuses an upstream connection across names",
       masks=("proxy-sends-no-sni-upstream", "proxy-sends-wrong-sni-upstream", "one-backend-misconfigured",
              "application-answers-421", "rewrite-rule-421", "vhost-missing"))  # fmt: skip
def proxy_reuses_upstream_connection(evidence: Evidence) -> Draft | None:
    """The proxy's pool is keyed by address, not by name: a request for one name goes out on a connection opened for another."""
    order = _order(evidence)
    if order is None:
        return None
    (wrong_other, other), (wrong_same, same) = order.after_other, order.after_same
    if wrong_other < 2 or not same or wrong_other / other - wrong_same / same <= 0.5:
        return None
    trial = evidence.tried(Experiment.INTERLEAVED)[-1]
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
    """Apache 2.4.64 and later puts a connection without SNI in its first virtual host, and refuses every other Host on it."""
    worst, stranger = evidence.worst, evidence.unknown_host
    if worst is None or not _is_origins_421(evidence) or _path_heals(evidence):
        return None
    if stranger is None or status_of(stranger) == 421 or evidence.disagrees:
        return None
    return Draft(
        confidence=confidence(text=True, experiment=True) if evidence.is_relayed or evidence.failing else 0.75,
        summary=f"the proxy in front opens its TLS connection to the origin without SNI: {evidence.domain} gets the origin's "
        f"421{where(evidence)}, while a Host that nobody owns is answered {answer_of(stranger)}",
        shown=(worst.seen, stranger),
        code=421,
        evidence=(
            *lines([s.seen for s in evidence.wrong]),
            *lines([stranger]),
            f"the 421 is {said_by(evidence)}, and the client's connection survives it",
            *([f"{names(evidence.failing)} fail alike"] if evidence.failing else []),
        ),
        excluded=(
            Excluded(
                "proxy-sends-wrong-sni-upstream", "the origin's default virtual host answers a Host that nobody owns"
            ),
            *_no_pool(evidence),
        ),
        would_confirm="the origin's log: AH02032 with «default host as no SNI was provided»",
    )


def _no_pool(evidence: Evidence) -> tuple[Excluded, ...]:
    if not evidence.tried(Experiment.INTERLEAVED):
        return ()
    return (Excluded("proxy-reuses-upstream-connection", "the same name twice in a row is refused twice"),)


@cause("proxy-sends-wrong-sni-upstream", 202, "A proxy sends a constant or wrong SNI to the origin",
       masks=("application-answers-421", "vhost-missing"))  # fmt: skip
def proxy_sends_wrong_sni_upstream(evidence: Evidence) -> Draft | None:
    """The proxy names one host of the origin for all: only that one is served."""
    worst, stranger = evidence.worst, evidence.unknown_host
    if worst is None or not _is_origins_421(evidence) or _path_heals(evidence) or evidence.disagrees:
        return None
    if stranger is None or status_of(stranger) != 421:
        return None
    served = evidence.served
    return Draft(
        confidence=confidence(text=True, experiment=True) if served else 0.7,
        summary=f"the proxy in front sends the origin a server name that does not fit: {evidence.domain} gets the origin's "
        f"421{where(evidence)}, and so does a Host that nobody owns"
        + (f"; only {names(served)} is served" if served else ""),
        shown=(worst.seen, stranger),
        code=421,
        evidence=(*lines([s.seen for s in evidence.wrong]), *lines([stranger]), f"the 421 is {said_by(evidence)}"),
        excluded=(
            Excluded("proxy-sends-no-sni-upstream", "a Host that nobody owns is refused too"),
            *_no_pool(evidence),
        ),
        would_confirm="the origin's log (AH02032) names the server name that the proxy sent",
    )


def _path_heals(evidence: Evidence) -> bool:
    varied = (evidence.varied(Experiment.OTHER_PATH, one) for one in (Variation.NO_SUCH_PATH, Variation.ROOT_PATH))
    return any(seen is not None and status_of(seen) not in (None, evidence.code) for seen in varied)


@cause("proxy-forwards-client-sni", 203, "A proxy forwards the client's SNI to the origin", severity=Severity.WARNING,
       masks=("vhost-tls-params-differ", "sni-policy-forbids-connection-reuse", "vhost-certs-overlap",
              "monitor-sends-no-sni"))  # fmt: skip
def proxy_forwards_client_sni(evidence: Evidence) -> Draft | None:
    """What the client named in SNI is sent on, while Host may be another name's: on reused connections it is (HAProxy `ssl_fc_sni`)."""
    if evidence.wrong or not evidence.right:
        return None
    foreign = [*(shared.seen for shared in evidence.shared), *evidence.other_snis, *evidence.without_sni]
    refused = [seen for seen in foreign if status_of(seen) == 421]
    behind = [seen for seen in refused if relayed(seen)]
    if not behind or not any(_by_apache(seen) for seen in behind):
        return None
    shared = [one for one in evidence.shared if one.is_refused]
    return Draft(
        confidence=confidence(text=True, experiment=len(refused) > 1),
        summary=f"a proxy forwards the client's SNI to the origin: {evidence.domain} is served where SNI and Host agree, "
        f"and gets the origin's 421 where they do not ({asked(behind[0].probe)})",
        shown=(*(one.seen for one in shared), *behind, evidence.right[0].seen),
        code=421,
        severity=Severity.WARNING if shared else Severity.INFO,
        evidence=(*lines(refused), *lines([evidence.right[0].seen]), "the 421 is the origin's: the edge is another program, or the connection survives it"),
        excluded=(Excluded("vhost-tls-params-differ", "the refusal comes from behind the edge"),),
        noticed_by=("browsers on a reused connection; they ask again", "clients without SNI and those that do not retry"),
    )  # fmt: skip


def _by_apache(seen: Observation) -> bool:
    maker = servers.generator(seen.response) if seen.response is not None else None
    return maker is not None and maker.id == "apache"


@cause("proxy-loses-host", 205, "A proxy replaces Host", masks=("content-missing",))
def proxy_loses_host(evidence: Evidence) -> Draft | None:
    """The origin sees another Host than the client sent, and answers with its default site."""
    worst, stranger = evidence.worst, evidence.unknown_host
    if worst is None or evidence.code not in (400, 403, 404) or evidence.disagrees or stranger is None:
        return None
    if not same_page(worst.seen, stranger) or _path_heals(evidence) or evidence.served:
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
            *([f"{names(evidence.failing)} fail alike"] if all_alike else []),
            *(["the edge has a certificate for the name that it does not show to others"] if own_certificate else []),
        ),
        against=() if sure > 0.5 else ("a server that has the certificate, but neither virtual host nor content, looks the same",),
        excluded=(Excluded("content-missing", "other paths, and names that nobody owns, get the same page"),),
        would_confirm="the Host field in the origin's access log",
    )  # fmt: skip


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


@cause("plain-http-to-https-port", 206, "Plain HTTP is sent to a TLS port on the way")
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


@dataclass(frozen=True, slots=True)
class _Upstream:
    """What a proxy's own page says about its upstream: one row a page."""

    maker: str
    code: int
    says: str
    cause: str
    sure: float = 0.8


_DOWN, _SLOW, _BAD, _BUSY = "upstream-down", "upstream-too-slow", "upstream-bad-answer", "overloaded"

_UPSTREAM = (
    _Upstream("envoy", 503, "no healthy upstream", _DOWN),
    _Upstream("envoy", 503, "reset reason: overflow", _BUSY),
    _Upstream("envoy", 503, "delayed connect error", _DOWN),
    _Upstream("envoy", 503, "connection failure", _DOWN),
    _Upstream("envoy", 503, "connection timeout", _DOWN),
    _Upstream("envoy", 503, "connect", _BAD, 0.7),
    _Upstream("envoy", 503, "", _BAD, 0.6),
    _Upstream("envoy", 502, "", _BAD),
    _Upstream("haproxy", 503, "No server is available", _DOWN),
    _Upstream("haproxy", 502, "", _BAD),
    _Upstream("apache", 503, "", _DOWN, 0.7),
    _Upstream("apache", 502, "", _BAD, 0.7),
    _Upstream("nginx", 502, "", _DOWN, 0.6),
    _Upstream("openresty", 502, "", _DOWN, 0.6),
    _Upstream("caddy", 502, "", _DOWN, 0.6),
    _Upstream("caddy", 503, "", _DOWN, 0.6),
    _Upstream("varnish", 503, "", _DOWN, 0.6),
    _Upstream("traefik", 502, "", _DOWN, 0.6),
    _Upstream("traefik", 503, "no available server", _DOWN),
    _Upstream("aws-alb", 502, "", _BAD),
    _Upstream("aws-alb", 503, "", _DOWN),
    _Upstream("kong", 502, "invalid response", _BAD),
    _Upstream("kong", 503, "failure to get a peer", _DOWN),
    _Upstream("kong", 503, "name resolution failed", _DOWN),
    _Upstream("squid", 503, "ERR_CONNECT_FAIL", _DOWN),
    _Upstream("traffic-server", 502, "", _DOWN, 0.6),
    _Upstream("cloudflare", 520, "", _BAD),
    _Upstream("cloudflare", 521, "", _DOWN),
    _Upstream("cloudflare", 522, "", _DOWN),
    _Upstream("cloudflare", 523, "", _DOWN),
    _Upstream("cloudflare", 525, "", _BAD),
    _Upstream("cloudflare", 526, "", _BAD),
    _Upstream("cloudflare", 530, "", _DOWN),
    _Upstream("*", 502, "", _DOWN, 0.5),
)
"""First row that fits holds (measured, and the servers' documentation); `*`: whoever said it. 504 and 524 are slowness."""


def _about_upstream(evidence: Evidence) -> _Upstream | None:
    worst = evidence.worst
    if worst is None or evidence.code is None or (_retry_after(evidence) and evidence.code == 503):
        return None
    maker = evidence.generator.id if evidence.generator is not None else ""
    if evidence.code in (504, 524):
        return _Upstream(maker, evidence.code, "", _SLOW)
    row = next(
        (r for r in _UPSTREAM if r.maker in (maker, "*") and r.code == evidence.code and r.says in evidence.text), None
    )
    if row is not None and row.cause != _BUSY and _seconds(worst.seen) >= _waiting_seconds(row):
        return _Upstream(row.maker, row.code, row.says, _SLOW, 0.7)
    return row


def _waiting_seconds(row: _Upstream) -> float:
    """From which time on an error means waiting: HAProxy queues and retries a dead server for some seconds itself."""
    return float("inf") if row.maker == "haproxy" and row.code == 503 else _AT_ONCE_SECONDS


def _seconds(seen: Observation) -> float:
    return seen.seconds.get(Phase.PROCESSING, 0.0)


def _retry_after(evidence: Evidence) -> str | None:
    return evidence.response.header("retry-after") if evidence.response is not None else None


def _upstream(
    evidence: Evidence, id_: str, why: Callable[[Evidence], str], excluded: tuple[Excluded, ...]
) -> Draft | None:
    row = _about_upstream(evidence)
    worst = evidence.worst
    if row is None or row.cause != id_ or worst is None:
        return None
    spent = _seconds(worst.seen)
    return Draft(
        confidence=row.sure,
        summary=f"{evidence.domain} answers {worst.answer}{where(evidence)} after {spent:.2g} s: {why(evidence)}",
        shown=(worst.seen,),
        code=evidence.code,
        evidence=(
            *lines([s.seen for s in evidence.wrong]),
            f"the page is {said_by(evidence)}'s, after {spent:.2g} s",
        ),
        excluded=excluded,
        would_confirm="the proxy's error log, which says what its upstream did",
    )


@cause("upstream-down", 207, "The upstream is down")
def upstream_down(evidence: Evidence) -> Draft | None:
    """Nothing listens where the proxy expects the application, or no member of the pool is healthy."""
    return _upstream(
        evidence, _DOWN, lambda _: "the proxy could not connect to its upstream, or has no healthy one",
        (Excluded("upstream-too-slow", "the error comes at once"),),
    )  # fmt: skip


@cause("upstream-too-slow", 208, "The upstream is too slow")
def upstream_too_slow(evidence: Evidence) -> Draft | None:
    """The upstream did not answer within the time that the proxy gives it."""
    return _upstream(
        evidence, _SLOW, lambda _: "the upstream did not answer within the proxy's time",
        (Excluded("upstream-down", "a refused connection is answered at once"),),
    )  # fmt: skip


@cause("upstream-bad-answer", 209, "The upstream's answer is no HTTP")
def upstream_bad_answer(evidence: Evidence) -> Draft | None:
    """The upstream closed early or answered what is no HTTP; nginx hands such bytes on to clients of HTTP/1.1 as they are."""
    raw = [
        s
        for s in evidence.wrong
        if s.failure is not None and s.failure.kind == "not-http" and s.protocol is Protocol.HTTP11
    ]
    framed = [s for s in evidence.own if s.protocol is not Protocol.HTTP11 and s.status is not None]
    if raw and framed:
        return Draft(
            confidence=confidence(experiment=True),
            summary=f"the proxy in front of {evidence.domain} hands on an answer of its upstream that is no HTTP: "
            f"over HTTP/1.1 clients get the bytes as they are, over {framed[0].protocol} status {framed[0].answer}",
            shown=(raw[0].seen, framed[0].seen),
            evidence=(
                *lines([raw[0].seen, framed[0].seen]),
                raw[0].failure.detail if raw[0].failure is not None else "",
            ),
            excluded=(Excluded("not-http", f"the edge speaks {framed[0].protocol}"),),
        )
    return _upstream(evidence, _BAD, lambda _: "the upstream closed the connection early, or its answer is no HTTP", ())


_NOT_BACKENDS = (429, 503)
"""Statuses that come and go by themselves: limits and load."""


@cause("one-backend-misconfigured", 210, "Some backends behind one address fail", severity=Severity.WARNING,
       masks=("vhost-missing", "application-answers-421", "rewrite-rule-421", "application-error", "content-missing",
              "upstream-down", "upstream-bad-answer", "proxy-sends-no-sni-upstream", "proxy-sends-wrong-sni-upstream",
              "access-denied", "application-rejects-host", "no-route-for-host", "auth-required", "closed-without-answer",
              "cert-name-mismatch", "cert-expired", "cert-untrusted", "connection-reset-on-hello", "tls-name-rejected",
              "tls-handshake-failed", "cached-error", "method-not-allowed"))  # fmt: skip
def one_backend_misconfigured(evidence: Evidence) -> Draft | None:
    """One address stands for several servers, and a share of them answers wrongly."""
    if evidence.split is not Split.SOMETIMES or evidence.code in _NOT_BACKENDS or _changed_once(evidence):
        return None
    worst = evidence.worst
    if worst is None or (worst.failure is not None and worst.failure.kind in ("timeout", "slow")):
        return None
    wrong, total = evidence.share
    stacks = _stacks(evidence)
    return Draft(
        confidence=confidence(text=stacks, experiment=True) if total >= 6 else 0.6,
        summary=f"behind {names(evidence.wrong_addresses)} some backends fail: {evidence.domain} is answered {worst.answer} "
        f"in {wrong} of {total} requests, and rightly in the others",
        shown=(worst.seen, *(s.seen for s in evidence.right[:1])),
        code=evidence.code,
        evidence=(
            f"in turn: {', '.join(sample.answer for sample in evidence.own if sample.address in evidence.wrong_addresses)}",
            *lines([worst.seen, *(s.seen for s in evidence.right[:1])]),
            *(["right and wrong answers come from different servers (Server field or certificate)"] if stacks else []),
        ),
        excluded=(
            Excluded("address-serves-other-hosts", "one and the same address answers both ways"),
            *([Excluded("proxy-reuses-upstream-connection", "who was asked for before makes no difference")]
              if evidence.tried(Experiment.INTERLEAVED) else []),
        ),
        would_confirm="each backend asked by itself",
        noticed_by=(f"about {round(100 * wrong / total)} % of requests, whoever sends them",),
    )  # fmt: skip


def _changed_once(evidence: Evidence) -> bool:
    """Whether it was wrong for a while and then right, or the other way round: a change in time, not a share."""
    runs = [sample.is_right for sample in evidence.own if sample.address in evidence.wrong_addresses]
    changes = sum(one != other for one, other in zip(runs, runs[1:], strict=False))
    return changes <= 1 and len(runs) >= 6


def _stacks(evidence: Evidence) -> bool:
    def stack(seen: Observation) -> tuple[str, str]:
        leaf = seen.tls.leaf if seen.tls is not None else None
        return (seen.response.header("server") or "" if seen.response else "", leaf.sha256 if leaf is not None else "")

    wrong, right = ({stack(s.seen) for s in samples} for samples in (evidence.wrong, evidence.right))
    return not wrong & right


@cause("cached-error", 211, "A cache serves an old error",
       masks=("application-answers-421", "vhost-missing", "rewrite-rule-421", "content-missing", "upstream-down",
              "application-error", "proxy-sends-no-sni-upstream", "upstream-bad-answer", "access-denied", "overloaded",
              "proxy-loses-host", "maintenance", "upstream-too-slow", "no-route-for-host"))  # fmt: skip
def cached_error(evidence: Evidence) -> Draft | None:
    """The error is kept by a cache, and the origin may be well again."""
    worst, response = evidence.worst, evidence.response
    if worst is None or response is None or response.status < 400:
        return None
    hit = _hit(worst.seen)
    fresh = evidence.varied(Experiment.OTHER_PATH, Variation.NEW_QUERY)
    heals = fresh is not None and is_right(evidence.target, fresh)
    if not hit or (fresh is not None and not heals):
        return None
    return Draft(
        confidence=confidence(text=True, experiment=heals),
        summary=f"a cache serves {evidence.domain} an old {worst.answer}{where(evidence)} ({hit})"
        + (
            f"; with a query that no cache knows the answer is {answer_of(fresh)}"
            if heals and fresh is not None
            else ""
        ),
        shown=(worst.seen, *([fresh] if heals and fresh is not None else [])),
        code=evidence.code,
        evidence=(
            *lines([worst.seen]),
            hit,
            *([told(fresh) + " with a new query"] if heals and fresh is not None else []),
        ),
        would_confirm="" if heals else "the same request past the cache",
    )


def _hit(seen: Observation) -> str:
    """How the answer shows that it is a cache's; empty: it does not."""
    response = seen.response
    if response is None:
        return ""
    age = response.header("age") or "0"
    if age.isascii() and age.isdigit() and int(age[:12]) > 0:
        return f"Age: {age[:12]}"
    for name in ("x-cache", "x-cache-status", "cf-cache-status", "x-proxy-cache"):
        value = response.header(name) or ""
        if value.upper().startswith("HIT"):
            return f"{name}: {value[:40]}"
    varnish = (response.header("x-varnish") or "").split()
    return f"X-Varnish: {' '.join(varnish)[:40]}" if len(varnish) == 2 and all(map(str.isdigit, varnish)) else ""

"""Names and virtual hosts: the server is reached, and does not know the name, or knows it in one spelling only."""

from __future__ import annotations

from collections.abc import Sequence

from exporter.diagnosis import servers
from exporter.diagnosis.cause import Draft, cause, confidence
from exporter.diagnosis.evidence import Evidence, Split, answer_of, is_right, page, same_page, status_of
from exporter.diagnosis.servers import Role
from exporter.diagnosis.wording import lines, names, said_by, told, where
from exporter.model import Combination, Excluded, Experiment, Observation, Phase, Severity, Variation

_ROUTERS = ("envoy", "kong", "kubernetes-default-backend", "traefik")
_GO_NOT_FOUND = "404 page not found"


@cause("vhost-missing", 107, "The server has no virtual host for the name",
       masks=("cert-name-mismatch", "content-missing", "rewrite-rule-421", "access-denied"))  # fmt: skip
def vhost_missing(evidence: Evidence) -> Draft | None:
    """What the name is answered is what the server says to any name that it does not know."""
    return _refused_like_a_stranger(evidence) or _served_a_strangers_page(evidence)


def _refused_like_a_stranger(evidence: Evidence) -> Draft | None:
    worst, stranger = evidence.worst, evidence.unknown_host
    if worst is None or stranger is None or evidence.code not in (400, 403, 404, 421) or evidence.disagrees:
        return None
    if (
        not same_page(worst.seen, stranger)
        or is_for_one_path(evidence)
        or evidence.is_relayed
        or _is_a_router(evidence)
    ):
        return None
    served = evidence.served
    says_421 = evidence.code == 421 and evidence.generator is not None and evidence.generator.role is Role.SERVER
    if not served and not says_421:
        return None
    if evidence.code == 421 and not says_421:
        return None
    return Draft(
        confidence=confidence(text=says_421 or evidence.generator is not None, experiment=bool(served) or says_421),
        summary=f"the server has no virtual host for {evidence.domain}{where(evidence)}: it answers {worst.answer}, "
        "the same page as for a name that nobody owns" + (f", while {names(served)} is served there" if served else ""),
        shown=(worst.seen, stranger),
        code=evidence.code,
        evidence=(*lines([s.seen for s in evidence.wrong]), *lines([stranger]), f"the page is {said_by(evidence)}'s"),
        excluded=(
            Excluded("rewrite-rule-421", "other names and paths get the same"),
            *([Excluded("proxy-loses-host", f"{names(served)} is told apart at the same address")] if served else []),
        ),
    )


def _served_a_strangers_page(evidence: Evidence) -> Draft | None:
    """A 200 with somebody else's page: the default site's, which is a sibling's or comes with the package."""
    if not evidence.right:
        return None
    own = next((s.seen for s in evidence.right if page(s.seen) is not None), None)
    stranger = next((o for o in (*evidence.unknown_hosts, evidence.unknown_name) if o is not None and o.response), None)
    if own is None or own.response is None or not (own.response.body or own.page):
        return None
    if servers.DEFAULT_SITES.search(servers.text_of(own.response)):
        return _default_site(evidence, own)
    if stranger is None or not same_page(own, stranger) or status_of(own) in (301, 302, 303, 307, 308):
        return None
    owner = _owner(evidence, own)
    foreign = own.tls is not None and not own.tls.covers(evidence.domain)
    if owner is None:
        return None
    return Draft(
        confidence=confidence(text=True, experiment=True) if foreign else confidence(experiment=True),
        summary=f"{evidence.domain} is answered with {owner}'s page, as is a name that nobody owns: "
        f"the server at {own.probe.address} has no virtual host for it",
        shown=(own, stranger),
        code=status_of(own),
        evidence=(
            *lines([own, stranger]),
            f"the page is that of {owner} and names {owner}, not {evidence.domain}",
            *([f"the certificate does not cover {evidence.domain}"] if foreign else []),
        ),
        excluded=(Excluded("cert-name-mismatch", "the page is not the name's own either"),) if foreign else (),
        noticed_by=("everybody: the wrong site, and no error",),
    )


def _owner(evidence: Evidence, own: Observation) -> str | None:
    """The companion whose page this is: the same page, which speaks of the companion and not of the domain."""
    text = _own_text(evidence)
    if not text or evidence.domain in text:
        return None
    for name, companion in evidence.companions.items():
        theirs = next((o for o, _ in companion.matched if page(o) is not None and is_right(companion.target, o)), None)
        if theirs is not None and same_page(own, theirs) and name in text:
            return name
    return None


def _own_text(evidence: Evidence) -> str:
    texts = (servers.text_of(s.seen.response) for s in evidence.right if s.seen.response is not None)
    return next((text.lower() for text in texts if text), "") or _title(evidence)


def _title(evidence: Evidence) -> str:
    pages = (page(s.seen) for s in evidence.right)
    return next((found.title.lower() for found in pages if found is not None), "")


def _default_site(evidence: Evidence, own: Observation) -> Draft:
    found = page(own)
    return Draft(
        confidence=confidence(text=True),
        summary=f"{evidence.domain} is answered with the page that comes with the server's package"
        + (f" ({found.title})" if found is not None and found.title else ""),
        shown=(own,),
        code=status_of(own),
        evidence=lines([own]),
        would_confirm="the name's own page, by `expect.body_regex` in the configuration",
        noticed_by=("everybody: the wrong site, and no error",),
    )


def is_for_one_path(evidence: Evidence) -> bool:
    """Whether another path of the name gets another status than the one that is asked for."""
    return any(status not in (None, evidence.code) for status in _other_paths(evidence))


def _other_paths(evidence: Evidence) -> list[int | None]:
    varied = (evidence.varied(Experiment.OTHER_PATH, one) for one in (Variation.NO_SUCH_PATH, Variation.ROOT_PATH))
    return [status_of(seen) for seen in varied if seen is not None]


def _is_a_router(evidence: Evidence) -> bool:
    maker = evidence.generator
    return (maker is not None and maker.id in _ROUTERS) or evidence.text.startswith(_GO_NOT_FOUND)


@cause("no-route-for-host", 108, "The edge has no route for this Host",
       masks=("content-missing", "vhost-missing", "upstream-down", "host-header-shape", "proxy-loses-host"))  # fmt: skip
def no_route_for_host(evidence: Evidence) -> Draft | None:
    """The edge has the certificate, but none of its routes fits the Host, or not with the port in it."""
    worst = evidence.worst
    if worst is None or worst.status is None or evidence.disagrees:
        return None
    bare = evidence.varied(Experiment.HOST_SHAPE, Variation.WITHOUT_PORT)
    if bare is not None and _is_right(evidence, bare) and evidence.target.port != 443:
        return Draft(
            confidence=confidence(text=True, experiment=True),
            summary=f"the edge has a route for {evidence.domain}, but not with the port in Host: it answers {worst.answer}"
            f"{where(evidence)} to Host: {evidence.domain}:{evidence.target.port}, which clients send, and {answer_of(bare)} without",
            shown=(worst.seen, bare),
            code=evidence.code,
            evidence=(*lines([worst.seen]), f"Host without the port: {answer_of(bare)}"),
        )
    stranger = evidence.unknown_host
    alike = stranger is not None and same_page(worst.seen, stranger)
    haproxy = evidence.code == 503 and evidence.generator is not None and evidence.generator.id == "haproxy"
    by_router = evidence.code in (404, 503) and _is_a_router(evidence) and "upstream" not in evidence.text
    if not alike or not (by_router or (haproxy and evidence.served)):
        return None
    return Draft(
        confidence=confidence(text=True, experiment=True),
        summary=f"the edge ({said_by(evidence)}) has no route for {evidence.domain}{where(evidence)}: it answers {worst.answer}, "
        "as to a name that nobody owns",
        shown=(worst.seen, *([stranger] if stranger is not None else [])),
        code=evidence.code,
        evidence=(*lines([s.seen for s in evidence.wrong]), *lines([stranger] if stranger is not None else [])),
        excluded=(Excluded("content-missing", "names that nobody owns get the same answer"),),
    )


def _is_right(evidence: Evidence, seen: Observation) -> bool:
    return is_right(evidence.target, seen)


@cause("server-rejects-sni", 111, "The server rejects the name in SNI")
def server_rejects_sni(evidence: Evidence) -> Draft | None:
    """Jetty compares SNI and Host with its certificate, and answers 400 where they do not fit."""
    if evidence.code != 400 or evidence.worst is None:
        return None
    said = next(
        (text for text in ("Invalid SNI", "Host does not match SNI", "SNI required") if text in evidence.text), ""
    )
    if not said:
        return None
    worst = evidence.worst.seen
    covered = worst.tls is not None and worst.tls.covers(evidence.domain)
    return Draft(
        confidence=confidence(text=True, experiment=not covered),
        summary=f"the server rejects {evidence.domain} in SNI{where(evidence)}: {said}"
        + ("" if covered else "; its certificate does not cover the name"),
        shown=(worst,),
        code=400,
        evidence=lines([s.seen for s in evidence.wrong]),
        would_confirm="" if not covered else "a certificate in the server's keystore that names the host",
    )


@cause("tls-name-rejected", 112, "The TLS handshake is refused for this name",
       masks=("tls-handshake-failed", "connection-reset-on-hello", "address-unreachable"))  # fmt: skip
def tls_name_rejected(evidence: Evidence) -> Draft | None:
    """The server ends the handshake for this name, and shakes hands for others."""
    worst = evidence.worst
    failure = evidence.failure
    if worst is None or failure is None or failure.phase is not Phase.TLS:
        return None
    if failure.kind not in ("alert", "closed", "reset") or failure.detail in _NOT_ABOUT_NAMES:
        return None
    at = set(evidence.wrong_addresses)
    others = [seen for seen in _other_handshakes(evidence) if seen.tls is not None and seen.probe.address in at]
    unrecognized = failure.detail == "unrecognized_name"
    if not others and not unrecognized:
        return None
    return Draft(
        confidence=confidence(text=unrecognized, experiment=bool(others)),
        summary=f"the server refuses the TLS handshake for {evidence.domain}{where(evidence)} ({failure.detail or failure.kind})"
        + (f", and shakes hands {_with(others[0])}" if others else ""),
        shown=(worst.seen, *others[:1]),
        evidence=(
            *lines([s.seen for s in evidence.wrong]),
            *(f"{told(seen)}: the handshake is done" for seen in others[:3]),
        ),
        excluded=(Excluded("tls-handshake-failed", "the same client's handshake is accepted for another name"),)
        if others
        else (),
    )


_NOT_ABOUT_NAMES = ("protocol_version", "certificate_required", "insufficient_security", "no_application_protocol")


def _other_handshakes(evidence: Evidence) -> Sequence[Observation]:
    companions = [seen for round_ in evidence.companions.values() for seen, _ in round_.matched]
    unknown = [evidence.unknown_name] if evidence.unknown_name is not None else []
    return (*companions, *evidence.without_sni, *evidence.other_snis, *unknown)


def _with(seen: Observation) -> str:
    return f"for {seen.probe.sni}" if seen.probe.sni is not None else "where no name is sent"


@cause("sni-router-lacks-name", 106, "The SNI router has no rule for the name",
       masks=("vhost-missing", "content-missing", "address-serves-other-hosts", "cert-name-mismatch", "no-route-for-host"))  # fmt: skip
def sni_router_lacks_name(evidence: Evidence) -> Draft | None:
    """With a sibling's name in SNI the request reaches the right server; with its own it goes to the router's default."""
    if evidence.worst is None or evidence.split is Split.SOMETIMES or evidence.worst.status is None:
        return None
    reached = [seen for seen in _on_other_names(evidence) if _is_right(evidence, seen)]
    here = [seen for seen in reached if seen.probe.address in evidence.wrong_addresses]
    if not here:
        return None
    return Draft(
        confidence=confidence(experiment=True),
        summary=f"{evidence.domain} is served where the client names {here[0].probe.sni} in SNI, and answered "
        f"{evidence.worst.answer} where it names {evidence.domain}: the router that goes by SNI has no rule for it",
        shown=(evidence.worst.seen, here[0]),
        code=evidence.code,
        evidence=(*lines([s.seen for s in evidence.wrong]), *lines(here)),
        excluded=(Excluded("vhost-missing", "a server behind that address serves the name"),),
    )


def _on_other_names(evidence: Evidence) -> Sequence[Observation]:
    coalesced = [
        seen
        for round_ in evidence.companions.values()
        for seen in round_.observations
        if seen.probe.domain == evidence.domain and seen.probe.combination is Combination.COALESCED
    ]
    return (*evidence.other_snis, *coalesced)


@cause("host-header-shape", 113, "Only a variant of the name fails", severity=Severity.INFO)
def host_header_shape(evidence: Evidence) -> Draft | None:
    """Host with a trailing dot, the port or in upper case is the same name (RFC 9110, 4.2.3), and refused all the same."""
    if not evidence.right or evidence.wrong:
        return None
    failing = {
        variation: seen
        for variation in (Variation.UPPER_CASE, Variation.WITH_PORT, Variation.WITHOUT_PORT, Variation.TRAILING_DOT)
        if (seen := evidence.varied(Experiment.HOST_SHAPE, variation)) is not None and not _is_right(evidence, seen)
    }
    if evidence.target.port != 443:
        failing.pop(Variation.WITHOUT_PORT, None)  # then it names another port, and may be refused
    if not failing:
        return None
    first = next(iter(failing.values()))
    return Draft(
        confidence=confidence(experiment=True),
        summary=f"{evidence.domain} is served, but not where it is spelled otherwise: "
        + names(f"{variation}: {answer_of(seen)}" for variation, seen in failing.items()),
        shown=(first,),
        code=status_of(first),
        evidence=tuple(f"{variation}: {answer_of(seen)}" for variation, seen in failing.items()),
        noticed_by=("clients that spell the name so: crawlers, scripts, links with a trailing dot",),
    )


@cause("strict-sni-rejects-clients-without-sni", 110, "Clients without SNI are refused", severity=Severity.INFO)
def strict_sni_rejects_clients_without_sni(evidence: Evidence) -> Draft | None:
    """A policy refuses whoever names no host in the handshake: old clients and monitors that ask by address."""
    refused = [seen for seen in evidence.without_sni if _is_refused(seen) and status_of(seen) != 421]
    return _only_without_sni(evidence, refused, "the server refuses clients that send no SNI")


@cause("monitor-sends-no-sni", 117, "Only clients without SNI get the error", severity=Severity.INFO)
def monitor_sends_no_sni(evidence: Evidence) -> Draft | None:
    """The edge is fine: a client that asks by address without SNI reaches the default virtual host's connection."""
    refused = [seen for seen in evidence.without_sni if status_of(seen) == 421]
    return _only_without_sni(evidence, refused, "only clients that send no SNI, as some monitors, are refused")


def _only_without_sni(evidence: Evidence, refused: Sequence[Observation], why: str) -> Draft | None:
    if not refused or evidence.wrong or not evidence.right:
        return None
    return Draft(
        confidence=confidence(text=True, experiment=True),
        summary=f"{why}: {told(refused[0])}; with SNI {evidence.domain} is served",
        shown=(refused[0], evidence.right[0].seen),
        code=status_of(refused[0]),
        evidence=(*lines(refused), *lines([evidence.right[0].seen])),
        noticed_by=("monitors, scripts and proxies that connect by address", "browsers do not"),
    )


def _is_refused(seen: Observation) -> bool:
    status = status_of(seen)
    if status is not None:
        return status in (400, 403, 404)
    return (
        seen.failure is not None
        and seen.failure.phase is Phase.TLS
        and seen.failure.kind in ("alert", "closed", "reset")
    )


@cause("cdn-name-not-attached", 116, "The CDN does not carry the name",
       masks=("vhost-missing", "access-denied", "content-missing", "application-answers-421"))  # fmt: skip
def cdn_name_not_attached(evidence: Evidence) -> Draft | None:
    """The name points to a CDN whose distribution or certificate does not have it."""
    said = next((text for text in _NOT_ATTACHED if text in evidence.text), None)
    if evidence.worst is None or evidence.code is None or said is None:
        return None
    uncovered = evidence.worst.seen.tls is not None and not evidence.worst.seen.tls.covers(evidence.domain)
    return Draft(
        confidence=confidence(text=True, experiment=uncovered),
        summary=f"the CDN ({said_by(evidence)}) does not carry {evidence.domain}{where(evidence)}: {said}",
        shown=(evidence.worst.seen,),
        code=evidence.code,
        evidence=(
            *lines([s.seen for s in evidence.wrong]),
            *(["its certificate does not cover the name"] if uncovered else []),
        ),
        would_confirm="the list of names of the distribution",
    )


_NOT_ATTACHED = (
    "The distribution does not match the certificate",
    "does not match any Subject Alternative Names",
    "Fastly error: unknown domain",
    "DEPLOYMENT_NOT_FOUND",
    "No such app",
    "There isn't a GitHub Pages site here",
    "NoSuchBucket",
    "error code: 1001",
    "error code: 1016",
    "If you configured a CNAME",
)

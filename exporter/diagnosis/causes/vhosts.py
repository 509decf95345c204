"""Names and virtual hosts: the server is reached, and does not know the name."""

from __future__ import annotations

from collections.abc import Sequence

from exporter.diagnosis import servers
from exporter.diagnosis.cause import Draft, cause, confidence
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.own import Split
from exporter.diagnosis.samples import answer_of, is_right, page, same_kind, same_page, status_of
from exporter.diagnosis.servers import Role
from exporter.diagnosis.wording import lines, names_and, page_told, said_by, where
from exporter.model import Combination, Excluded, Experiment, Observation, Severity, Variation

_ROUTERS = ("envoy", "kong", "kubernetes-default-backend", "traefik")
_GO_NOT_FOUND = "404 page not found"


@cause("vhost-missing", 107, "The server has no virtual host for the name", also_where_right=True,
       masks=("cert-name-mismatch", "content-missing", "access-denied"))  # fmt: skip
def vhost_missing(evidence: Evidence) -> Draft | None:
    """What the name is answered is what the server says to any name that it does not know."""
    return _refused_like_a_stranger(evidence) or _served_a_strangers_page(evidence)


def _refused_like_a_stranger(evidence: Evidence) -> Draft | None:
    worst, stranger = evidence.worst, evidence.stranger
    if worst is None or stranger is None or evidence.code not in (400, 403, 404, 421) or evidence.disagrees:
        return None
    if not same_kind(worst.seen, stranger) or evidence.paths_differ or evidence.is_relayed or _is_a_router(evidence):
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
        "the same page as for a name that nobody owns"
        + (f", while {names_and(served, 'is', 'are')} served there" if served else ""),
        shown=(worst.seen, stranger),
        code=evidence.code,
        evidence=(*lines([s.seen for s in evidence.wrong]), *lines([stranger]), page_told(evidence)),
        excluded=(
            Excluded("rewrite-rule-421", "other names and paths get the same"),
            *(
                [Excluded("proxy-loses-host", f"{names_and(served, 'is', 'are')} told apart at the same address")]
                if served
                else []
            ),
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
    return None if stranger is None else _strangers_page(evidence, own, stranger)


def _strangers_page(evidence: Evidence, own: Observation, stranger: Observation) -> Draft | None:
    if not same_page(own, stranger) or status_of(own) in (301, 302, 303, 307, 308):
        return None
    owner = _owner(evidence, own)
    if owner is None:
        return _empty_site(evidence, own, stranger) if _says_nothing(evidence, own) else None
    foreign = own.tls is not None and not own.tls.covers(evidence.domain)
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
        severity=None if foreign else Severity.WARNING,
        against=() if foreign else (f"an alias that is meant to show {owner} looks the same",),
        excluded=(Excluded("cert-name-mismatch", "the page is not the name's own either"),) if foreign else (),
        would_confirm="" if foreign else "the name's own page, by `expect.body_regex` in the configuration",
        noticed_by=("everybody: the wrong site, and no error",),
    )


def _says_nothing(evidence: Evidence, own: Observation) -> bool:
    """Whether the answer is empty, while companions there have pages: a server that knows no such site (Caddy)."""
    pages = [page(o) for name in evidence.served for o, _ in evidence.companions[name].matched]
    return (
        own.response is not None
        and own.response.status == 200
        and not own.response.body_bytes
        and any(found is not None and found.title for found in pages)
    )


def _empty_site(evidence: Evidence, own: Observation, stranger: Observation) -> Draft:
    return Draft(
        confidence=confidence(experiment=True),
        summary=f"{evidence.domain} is answered 200 with nothing in it, as is a name that nobody owns: the server at "
        f"{own.probe.address} has no site of that name, while {names_and(evidence.served, 'has', 'have')} a page there",
        shown=(own, stranger),
        code=200,
        evidence=lines([own, stranger]),
        noticed_by=("everybody: an empty page, and no error",),
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


def _is_a_router(evidence: Evidence) -> bool:
    maker = evidence.generator
    return (maker is not None and maker.id in _ROUTERS) or evidence.text.startswith(_GO_NOT_FOUND)


@cause("no-route-for-host", 108, "The edge has no route for this Host",
       masks=("content-missing", "vhost-missing", "upstream-down", "host-header-shape",
              "proxy-loses-host"))  # fmt: skip
def no_route_for_host(evidence: Evidence) -> Draft | None:
    """The edge has the certificate, but none of its routes fits the Host, or not with the port in it."""
    worst = evidence.worst
    if worst is None or worst.status is None or evidence.disagrees:
        return None
    bare = evidence.varied(Experiment.HOST_SHAPE, Variation.WITHOUT_PORT)
    if bare is not None and evidence.is_right(bare) and evidence.target.port != 443:
        return Draft(
            confidence=confidence(text=True, experiment=True),
            summary=f"the edge has a route for {evidence.domain}, but not with the port in Host: it answers "
            f"{worst.answer}"
            f"{where(evidence)} to Host: {evidence.domain}:{evidence.target.port}, which clients send, and "
            f"{answer_of(bare)} without",
            shown=(worst.seen, bare),
            code=evidence.code,
            evidence=(*lines([worst.seen]), f"Host without the port: {answer_of(bare)}"),
        )
    stranger = evidence.stranger
    alike = stranger is not None and same_page(worst.seen, stranger)
    haproxy = evidence.code == 503 and evidence.generator is not None and evidence.generator.id == "haproxy"
    by_router = evidence.code in (404, 503) and _is_a_router(evidence) and "upstream" not in evidence.text
    if not alike or not (by_router or (haproxy and evidence.served)):
        return None
    return Draft(
        confidence=confidence(text=True, experiment=True),
        summary=f"the edge ({said_by(evidence)}) has no route for {evidence.domain}{where(evidence)}: it answers "
        f"{worst.answer}, "
        "as to a name that nobody owns",
        shown=(worst.seen, *([stranger] if stranger is not None else [])),
        code=evidence.code,
        evidence=(*lines([s.seen for s in evidence.wrong]), *lines([stranger] if stranger is not None else [])),
        excluded=(Excluded("content-missing", "names that nobody owns get the same answer"),),
    )


@cause("sni-router-lacks-name", 106, "The SNI router has no rule for the name",
       masks=("vhost-missing", "content-missing", "address-serves-other-hosts", "cert-name-mismatch",
              "no-route-for-host"))  # fmt: skip
def sni_router_lacks_name(evidence: Evidence) -> Draft | None:
    """With a sibling's name in SNI the request reaches the right server; with its own, the router's default."""
    if evidence.worst is None or evidence.split is Split.SOMETIMES or evidence.worst.status is None:
        return None
    reached = [
        seen for seen in _on_other_names(evidence) if evidence.is_right(seen) and _may_be_its_own(evidence, seen)
    ]
    wrong = {(sample.address, sample.protocol) for sample in evidence.wrong}
    here = [seen for seen in reached if (seen.probe.address, seen.probe.protocol) in wrong]
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


def _may_be_its_own(evidence: Evidence, seen: Observation) -> bool:
    """Whether it is no other page than the name has where it is served, as far as both are known."""
    own = [sample.seen for sample in evidence.right if page(sample.seen) is not None]
    return page(seen) is None or not own or any(same_kind(seen, one) for one in own)


def _on_other_names(evidence: Evidence) -> Sequence[Observation]:
    coalesced = [
        seen
        for round_ in evidence.companions.values()
        for seen in round_.observations
        if seen.probe.domain == evidence.domain and seen.probe.combination is Combination.COALESCED
    ]
    return (*evidence.other_snis, *coalesced)


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

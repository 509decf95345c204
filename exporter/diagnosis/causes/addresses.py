"""Addresses and names in DNS: which server is reached at all."""

from __future__ import annotations

from exporter.diagnosis.cause import BOTH, Draft, cause, confidence
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.own import Split
from exporter.diagnosis.samples import answer_of, same_kind, status_of
from exporter.diagnosis.wording import lines, names, names_and, told
from exporter.exposure import origin_of
from exporter.model import MISDIRECTED, Client, Excluded, Observation, Phase, Severity


@cause("dns-failure", 301, "The name does not resolve")
def dns_failure(evidence: Evidence) -> Draft | None:
    """The name has no address: it does not exist, or its name servers fail."""
    failure = evidence.failure
    if evidence.worst is None or failure is None or failure.phase is not Phase.RESOLVE:
        return None
    return Draft(
        confidence=BOTH,
        summary=f"{evidence.domain} does not resolve: {_DNS.get(failure.kind, failure.kind)}"
        + (f" ({failure.detail})" if failure.detail else ""),
        shown=(evidence.worst.seen,),
        evidence=(f"the resolver says {failure.kind}",),
    )


_DNS = {
    "nxdomain": "the name does not exist",
    "no-data": "the name exists, but has no address",
    "servfail": "the name servers fail",
    "dns-refused": "the name servers refuse",
    "timeout": "no name server answers in time",
}

_NO_CONNECTION = ("refused", "timeout", "unreachable", "reset", "closed", "not-tls", "plain-http")


@cause("address-unreachable", 303, "One of several addresses does not answer", severity=Severity.WARNING,
       masks=("connection-refused", "connection-timeout", "connection-reset", "connection-reset-on-hello",
              "tls-handshake-timeout", "port-speaks-plain-http"))  # fmt: skip
def address_unreachable(evidence: Evidence) -> Draft | None:
    """Some of the name's addresses answer, others cannot be connected to."""
    dead = [s for s in evidence.wrong if s.failure is not None and s.failure.phase in (Phase.CONNECT, Phase.TLS)]
    gone = {s.address for s in dead if s.failure is not None and s.failure.kind in _NO_CONNECTION}
    alive = {s.address for s in evidence.own if s.failure is None or s.failure.phase not in (Phase.CONNECT, Phase.TLS)}
    gone -= alive
    if not gone or not alive:
        return None
    shown = [s.seen for s in dead if s.address in gone]
    return Draft(
        confidence=BOTH,
        summary=f"{evidence.domain} has {len(evidence.round.addresses)} addresses, and nobody answers at "
        f"{names(sorted(gone))} ({answer_of(shown[0])}); {names_and(sorted(alive), 'answers', 'answer')}",
        shown=tuple(shown),
        evidence=lines([*shown, *(s.seen for s in evidence.right)]),
        noticed_by=("clients that take that address: slow or failing visits", "browsers fall back to another address"),
    )


@cause("address-serves-other-hosts", 302, "An address belongs to a server that does not serve the name",
       severity=Severity.WARNING,
       masks=("vhost-missing", "cert-name-mismatch", "no-route-for-host", "content-missing", "application-answers-421",
              "rewrite-rule-421", "proxy-loses-host", "one-backend-misconfigured", "application-rejects-host",
              "proxy-sends-no-sni-upstream", "proxy-sends-wrong-sni-upstream", "tls-name-rejected",
              "redirect-to-broken-host", "cdn-name-not-attached", "access-denied",
              "tls-handshake-failed"))  # fmt: skip
def address_serves_other_hosts(evidence: Evidence) -> Draft | None:
    """A record in DNS points to a server that was never told of the name."""
    if evidence.split is not Split.ADDRESSES:
        return _everywhere(evidence)
    strange = [sample for sample in evidence.wrong if _is_strange(evidence, sample.seen)]
    if not strange:
        return None
    at = dict.fromkeys(sample.address for sample in strange)
    foreign = any(not _covers(sample.seen, evidence.domain) for sample in strange)
    return Draft(
        confidence=confidence(text=foreign, experiment=True),
        summary=f"{names_and(at, 'belongs', 'belong')} to a server that does not serve {evidence.domain}: it answers "
        f"{strange[0].answer}, while {names_and(evidence.right_addresses, 'serves', 'serve')} the name",
        shown=(strange[0].seen, *(s.seen for s in evidence.right[:1])),
        code=strange[0].status,
        severity=Severity.WARNING,
        evidence=(
            *lines([s.seen for s in strange]),
            *lines([s.seen for s in evidence.right], 2),
            *_certificates(strange[0].seen, evidence.domain),
            *(
                [f"a Host that nobody owns is answered alike there: {told(evidence.unknown_host)}"]
                if evidence.unknown_host is not None
                else []
            ),
        ),
        excluded=(
            Excluded(
                "vhost-missing",
                f"{names_and(evidence.right_addresses, 'serves', 'serve')} the name: the fault is not everywhere",
            ),
            Excluded("one-backend-misconfigured", "each address answers the same each time"),
        ),
        noticed_by=(f"clients that take that address: about {len(at)} of {len(evidence.round.addresses)} visits",),
    )


def _everywhere(evidence: Evidence) -> Draft | None:
    """All addresses belong to somebody else: the certificate is for others, and nobody of the group is served there."""
    worst = evidence.worst
    if evidence.split is not Split.EVERYWHERE or worst is None or worst.status is None:
        return None
    if _covers(worst.seen, evidence.domain) or evidence.served or worst.status not in (404, 421, 403, 400):
        return None
    return Draft(
        confidence=confidence(text=True),
        summary=f"{names_and(evidence.wrong_addresses, 'belongs', 'belong')} to a server that does not serve "
        f"{evidence.domain}: {worst.answer}, with a certificate for other names",
        shown=(worst.seen,),
        code=worst.status,
        severity=Severity.CRITICAL,
        evidence=(*lines([s.seen for s in evidence.wrong]), *_certificates(worst.seen, evidence.domain)),
        excluded=(Excluded("vhost-missing", "no other configured name is served there"),),
        would_confirm="another address of the name that serves it, or a name that is served at this address",
    )


def _is_strange(evidence: Evidence, seen: Observation) -> bool:
    """Whether this answer is what the server there would say to any name."""
    if not _covers(seen, evidence.domain) and status_of(seen) is not None:
        return True
    if status_of(seen) not in (200, 301, 302, 307, 308, 400, 403, 404, 410, 421, 503):
        return False
    stranger = [evidence.unknown_name] if evidence.unknown_name is not None else []
    there = [other for other in (*evidence.unknown_hosts, *stranger) if other.probe.address == seen.probe.address]
    return any(same_kind(seen, other) for other in there)


def _covers(seen: Observation, domain: str) -> bool:
    return seen.tls is None or seen.tls.covers(domain)


def _certificates(seen: Observation, domain: str) -> tuple[str, ...]:
    leaf = seen.tls.leaf if seen.tls is not None else None
    if leaf is None or _covers(seen, domain):
        return ()
    return (f"the certificate shown there is for {names(leaf.names)}",)


@cause("address-sets-overlap", 304, "Siblings share only some addresses",
       also_where_right=True, severity=Severity.WARNING,
       masks=("sni-router-with-shared-cert", "sni-policy-forbids-connection-reuse", "vhost-tls-params-differ",
              "vhost-certs-overlap"))  # fmt: skip
def address_sets_overlap(evidence: Evidence) -> Draft | None:
    """A browser that goes by the names' addresses takes a connection to an address that the name does not have."""
    mine = set(evidence.round.addresses)
    shown = [
        shared
        for shared in evidence.shared
        if shared.seen.probe.address not in mine and mine & set(evidence.siblings[shared.opener].addresses)
    ]
    if not shown:
        return None
    first = shown[0]
    theirs = evidence.siblings[first.opener].addresses
    return Draft(
        confidence=confidence(text=True, experiment=True),
        summary=f"{first.opener} and {evidence.domain} share only some addresses: on a connection to "
        f"{first.seen.probe.address}, which {evidence.domain} does not have, it is answered {answer_of(first.seen)}",
        shown=tuple(one.seen for one in shown),
        code=status_of(first.seen),
        evidence=(
            f"{evidence.domain} lives at {names(sorted(mine))}, {first.opener} at {names(theirs)}",
            *lines([one.seen for one in shown]),
        ),
        noticed_by=("Firefox where it is set to go by any address that both names have",)
        if Client.FIREFOX_AGGRESSIVE in first.clients
        else (),
    )


@cause(
    "alt-svc-wrong-server",
    305,
    "An advertised alternative serves other names",
    also_where_right=True,
    severity=Severity.WARNING,
)
def alt_svc_wrong_server(evidence: Evidence) -> Draft | None:
    """Clients that follow Alt-Svc reach a server that does not serve the name (RFC 7838)."""
    served = [seen for seen in evidence.alternatives if seen.response is not None]
    wrong = [seen for seen in served if not evidence.is_right(seen)]
    if not wrong:
        return None
    return Draft(
        confidence=BOTH,
        summary=f"{evidence.domain} advertises HTTP/3 at {wrong[0].probe.place}, which answers {answer_of(wrong[0])}; "
        f"over TCP it answers {names(dict.fromkeys(s.answer for s in evidence.own))}",
        shown=tuple(wrong),
        code=status_of(wrong[0]),
        evidence=lines([*wrong, *(s.seen for s in evidence.own)]),
        noticed_by=("browsers with HTTP/3, from the second visit on", "clients of HTTP/1.1 and HTTP/2 do not"),
    )


@cause(
    "alt-svc-dead", 306, "An advertised alternative does not answer", also_where_right=True, severity=Severity.WARNING
)
def alt_svc_dead(evidence: Evidence) -> Draft | None:
    """Alt-Svc points to where nobody answers: browsers try, wait, and fall back."""
    dead = [seen for seen in evidence.alternatives if seen.response is None and seen.failure is not None]
    if not dead or any(seen.response is not None for seen in evidence.alternatives):
        return None
    return Draft(
        confidence=0.9 if dead[0].failure is not None and dead[0].failure.kind == "refused" else 0.7,
        summary=f"{evidence.domain} advertises HTTP/3 at {dead[0].probe.place}, where nobody answers "
        f"({answer_of(dead[0])})",
        shown=tuple(dead),
        evidence=lines(dead),
        against=("a firewall between here and there that drops UDP would look the same",),
        would_confirm="the same probe from another network",
        noticed_by=("browsers with HTTP/3: a first try in vain, then a fallback",),
    )


@cause("origin-frame-too-wide", 307, "An ORIGIN frame claims a name that is served elsewhere",
       also_where_right=True, severity=Severity.WARNING,
       masks=("address-sets-overlap", "sni-router-with-shared-cert", "sni-policy-forbids-connection-reuse",
              "vhost-tls-params-differ", "vhost-certs-overlap"))  # fmt: skip
def origin_frame_too_wide(evidence: Evidence) -> Draft | None:
    """A server tells clients to ask it for a name that lives elsewhere, and does not serve it (RFC 8336)."""
    mine = set(evidence.round.addresses)
    origin = origin_of(evidence.target)
    shown = [
        shared
        for shared in evidence.shared
        if shared.seen.probe.address not in mine and origin in (shared.seen.origins or ())
    ]
    if not shown:
        return None
    first = shown[0]
    at = first.seen.probe.address
    return Draft(
        confidence=BOTH,
        summary=f"the server of {first.opener} at {at} claims {evidence.domain} in its ORIGIN frame, and answers "
        f"{answer_of(first.seen)} to it; the name lives at {names(sorted(mine))}",
        shown=tuple(one.seen for one in shown),
        code=status_of(first.seen),
        evidence=(
            f"the ORIGIN frame at {at} has {origin}, and the certificate there covers the name",
            *lines([one.seen for one in shown]),
            *lines([sample.seen for sample in evidence.right], 2),
        ),
        noticed_by=(
            f"Firefox, which goes by ORIGIN frames, after a visit to {first.opener}; "
            + (
                "it asks again on a new connection: slower, but served"
                if status_of(first.seen) == MISDIRECTED
                else "a new private window heals it"
            ),
            "browsers that pass over ORIGIN frames, as Chromium, do not",
        ),
    )

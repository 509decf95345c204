"""Reused connections: the name is served on connections of its own, and refused or misrouted on a sibling's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from exporter.diagnosis import servers
from exporter.diagnosis.cause import GUESS, Draft, cause, confidence
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.own import Split
from exporter.diagnosis.samples import Shared, answer_of, relayed, same_page, status_of
from exporter.diagnosis.servers import Server
from exporter.diagnosis.wording import lines, names, told
from exporter.model import (
    MISDIRECTED,
    Client,
    Combination,
    Excluded,
    Experiment,
    Observation,
    Protocol,
    Severity,
    TlsSession,
    Variation,
)

_POLICY_MAKERS = ("caddy", "haproxy", "traefik", "envoy")
"""Servers whose own 421 is a rule about SNI and Host, and not a matter of virtual hosts' settings."""


@dataclass(frozen=True, slots=True)
class _Case:
    """What is known of the refusals, from the first of them.

    Attributes:
        mine, theirs: the handshakes with the domain's name and with the opener's, at the address.
    """

    all: tuple[Shared, ...]
    mine: TlsSession | None
    theirs: TlsSession | None
    maker: Server | None
    is_relayed: bool | None

    @property
    def first(self) -> Shared:
        return self.all[0]

    @property
    def is_refused(self) -> bool:
        return all(shared.is_refused for shared in self.all)

    @property
    def same_certificate(self) -> bool | None:
        mine, theirs = _leaf(self.mine), _leaf(self.theirs)
        return None if mine is None or theirs is None else mine == theirs

    @property
    def client_certificate_differs(self) -> bool:
        return (
            self.mine is not None
            and self.theirs is not None
            and self.mine.client_certificate_requested != self.theirs.client_certificate_requested
        )


def _case(evidence: Evidence) -> _Case | None:
    """None: nothing is wrong on shared connections, or the name is wrong on its own, which is the greater fault."""
    mine = set(evidence.round.addresses)
    shared = tuple(one for one in evidence.shared if one.seen.probe.address in mine)
    if not shared or not any(sample.address == shared[0].seen.probe.address for sample in evidence.right):
        return None
    first = shared[0].seen
    maker = servers.generator(first.response) if first.response is not None else None
    at, over = first.probe.address, first.probe.protocol
    return _Case(
        shared,
        evidence.tls(evidence.domain, at, over) or evidence.tls(evidence.domain, at),
        evidence.tls(shared[0].opener, at, over) or evidence.tls(shared[0].opener, at),
        maker,
        _is_relayed(evidence, first),
    )


def _is_relayed(evidence: Evidence, first: Observation) -> bool | None:
    """Over HTTP/1.1 too, where a connection that survives its 421 tells that somebody behind has said it."""
    told_by = [relayed(seen) for seen in (first, *evidence.other_snis) if status_of(seen) == status_of(first)]
    return next((told for told in told_by if told is not None), None)


def _leaf(tls: TlsSession | None) -> str | None:
    return tls.leaf.sha256 if tls is not None and tls.leaf is not None else None


def _draft(evidence: Evidence, case: _Case, why: str, sure: float, excluded: Sequence[Excluded] = ()) -> Draft:
    first = case.first
    openers = names(dict.fromkeys(shared.opener for shared in case.all))
    answer = "refused with 421" if case.is_refused else f"answered {answer_of(first.seen)}"
    back = evidence.reversed(first.opener)
    own = [s.seen for s in evidence.right if s.protocol is first.seen.probe.protocol][:1]
    return Draft(
        confidence=sure,
        summary=f"{evidence.domain} is {answer} on a connection that was opened for {openers}, and served on one "
        f"of its own: {why}",
        shown=(*(shared.seen for shared in case.all), *own),
        code=status_of(first.seen),
        severity=Severity.WARNING,
        evidence=(
            *lines([shared.seen for shared in case.all]),
            *lines(own),
            *lines([back] if back is not None else []),
            *lines(evidence.other_snis, 2),
            *_about_certificates(evidence, case),
            f"the certificate of {first.opener} covers the name: {_browsers(first.clients)} would reuse its connection",
            *([first.verdict.reason] if not case.is_refused else []),
        ),
        excluded=tuple(excluded),
        noticed_by=_noticed(case),
    )


def _about_certificates(evidence: Evidence, case: _Case) -> tuple[str, ...]:
    told = []
    if case.same_certificate is not None:
        told.append(
            "one certificate for both names" if case.same_certificate else "two certificates that cover each other"
        )
    if case.client_certificate_differs:
        asking = evidence.domain if case.mine and case.mine.client_certificate_requested else case.first.opener
        told.append(f"only the handshake with {asking} asks for a client certificate")
    return tuple(told)


def _browsers(clients: frozenset[Client]) -> str:
    return names(client.capitalize() for client in sorted(clients))


def _noticed(case: _Case) -> tuple[str, ...]:
    browsers = _browsers(case.first.clients)
    if case.is_refused:
        return (
            f"{browsers} ask again on a new connection: slower, but served",
            "Safari before 15.1, WebViews and clients that do not retry a 421 show it",
        )
    return (f"{browsers}: after a visit to {case.first.opener}, and a new private window heals it",)


@cause("vhost-client-cert-differs", 102, "One of the names demands a client certificate",
       also_where_right=True, severity=Severity.WARNING,
       masks=("vhost-tls-params-differ", "sni-policy-forbids-connection-reuse", "vhost-certs-overlap"))  # fmt: skip
def vhost_client_cert_differs(evidence: Evidence) -> Draft | None:
    """One name's virtual host asks for a client certificate, its neighbour's does not (nginx, Apache mod_ssl)."""
    case = _case(evidence)
    if case is None or not case.client_certificate_differs:
        return None
    who = evidence.domain if case.mine is not None and case.mine.client_certificate_requested else case.first.opener
    why = (
        f"the server asks for a client certificate for {who} only, and does not let the other's connection be "
        "used for it"
    )
    return _draft(
        evidence,
        case,
        why,
        confidence(text=case.is_refused, experiment=True),
        [Excluded("vhost-tls-params-differ", "the handshakes differ in the demand for a client certificate")],
    )


@cause("http-version-disabled-for-host", 109, "The HTTP version is off for this name, but on for the listener",
       also_where_right=True, severity=Severity.WARNING,
       masks=("vhost-tls-params-differ", "sni-policy-forbids-connection-reuse",
              "sni-router-lacks-name"))  # fmt: skip
def http_version_disabled_for_host(evidence: Evidence) -> Draft | None:
    """nginx (1.25.1 and later) refuses HTTP/2 for a name with `http2 off` on a listener that has it for others."""
    return _refused_over_one_version(evidence) or _refused_where_it_is_off(evidence)


def _refused_over_one_version(evidence: Evidence) -> Draft | None:
    """The name's own connection gets 421 over one version, and is served over HTTP/1.1."""
    if evidence.code != MISDIRECTED or evidence.split is not Split.PROTOCOLS:
        return None
    version = evidence.wrong[0].protocol
    if any(sample.protocol is not version for sample in evidence.wrong) or version is Protocol.HTTP11:
        return None
    siblings = [o for name in evidence.served for o, _ in evidence.companions[name].matched]
    others = [seen for seen in siblings if seen.probe.protocol is version and seen.response is not None]
    return Draft(
        confidence=confidence(text=bool(others), experiment=True),
        summary=f"{evidence.domain} is refused with 421 over {version} on a connection of its own, and served over "
        f"{names(dict.fromkeys(sample.protocol for sample in evidence.right))}: {version} is off for this name"
        + (f", but on for {others[0].probe.domain}" if others else ""),
        shown=(evidence.wrong[0].seen, evidence.right[0].seen),
        code=MISDIRECTED,
        severity=Severity.WARNING,
        evidence=(
            *lines([s.seen for s in evidence.wrong]),
            *lines([s.seen for s in evidence.right]),
            *lines(others, 1),
        ),
        noticed_by=(f"every client that speaks {version}", "clients of HTTP/1.1 do not"),
    )


def _refused_where_it_is_off(evidence: Evidence) -> Draft | None:
    case = _case(evidence)
    if case is None:
        return None
    version = case.first.seen.probe.protocol
    refused_itself = any(
        seen.failure is not None and seen.failure.kind == "alpn" and seen.probe.protocol is version
        for seen in evidence.round.observations
        if seen.probe.combination is Combination.MATCHED
    )
    over_http11 = [seen for seen in evidence.other_snis if seen.probe.protocol is Protocol.HTTP11]
    if not refused_itself or not case.is_refused or any(status_of(seen) == 421 for seen in over_http11):
        return None
    why = (
        f"{version} is off for {evidence.domain} (on its own connection the server does not select it), but on "
        f"for {case.first.opener}"
    )
    return _draft(evidence, case, why, confidence(text=True, experiment=bool(over_http11)))


@cause(
    "vhost-certs-overlap",
    104,
    "Separate certificates cover each other's names",
    also_where_right=True,
    severity=Severity.WARNING,
)
def vhost_certs_overlap(evidence: Evidence) -> Draft | None:
    """Each name has a certificate of its own which covers the other too, and the server refuses across them."""
    case = _case(evidence)
    if case is None or case.same_certificate is not False or case.is_relayed:
        return None
    if not case.is_refused and not _is_reset_or_400(case):
        return None
    why = (
        "each name has a certificate of its own, which covers the other's name too, and the server does not "
        "serve one on the other's"
    )
    return _draft(
        evidence,
        case,
        why,
        confidence(text=case.maker is not None, experiment=True),
        [Excluded("vhost-tls-params-differ", "the certificates are not the same")],
    )


def _is_reset_or_400(case: _Case) -> bool:
    failure, status = case.first.seen.failure, status_of(case.first.seen)
    said = "Server Name Indication" in servers.text_of(case.first.seen.response) if case.first.seen.response else False
    ats = case.maker is not None and case.maker.id == "traffic-server"
    return (
        status == 400
        or (status == 403 and (said or ats))
        or (failure is not None and failure.kind in ("stream-reset", "goaway", "protocol-error", "closed"))
    )


@cause(
    "sni-policy-forbids-connection-reuse",
    103,
    "The edge demands SNI = Host",
    also_where_right=True,
    severity=Severity.WARNING,
)
def sni_policy_forbids_connection_reuse(evidence: Evidence) -> Draft | None:
    """A rule at the edge refuses a Host that is not SNI's name, while the certificate invites browsers to reuse."""
    case = _case(evidence)
    if case is None or case.is_relayed or case.client_certificate_differs:
        return None
    by_maker = case.maker is not None and case.maker.id in _POLICY_MAKERS
    if not case.is_refused:
        if not _is_reset_or_400(case) or case.same_certificate is False:
            return None
    elif not by_maker and (_is_apache(case) or _is_catch_all(evidence)):
        return None
    strangers = [seen for seen in evidence.unknown_hosts if status_of(seen) == status_of(case.first.seen)]
    why = "a rule at the edge demands that Host be the name in SNI, while one certificate covers both"
    return _draft(
        evidence,
        case,
        why,
        confidence(text=by_maker or bool(strangers), experiment=True),
        [Excluded("vhost-tls-params-differ", f"a Host that nobody owns is refused too: {told(strangers[0])}")]
        if strangers
        else [],
    )


def _is_apache(case: _Case) -> bool:
    return case.maker is not None and case.maker.id == "apache"


def _is_catch_all(evidence: Evidence) -> bool:
    """Whether a name that nobody owns gets 421 even where SNI and Host agree: then it is no rule on those."""
    seen = evidence.unknown_name
    return seen is not None and status_of(seen) == 421


@cause("sni-router-with-shared-cert", 105, "A router goes by SNI, and names share a certificate",
       also_where_right=True,
       severity=Severity.WARNING,
       masks=("vhost-tls-params-differ", "sni-policy-forbids-connection-reuse"))  # fmt: skip
def sni_router_with_shared_cert(evidence: Evidence) -> Draft | None:
    """The backend is chosen by SNI once per connection: what is asked for on it later reaches the wrong application."""
    case = _case(evidence)
    if case is None or case.client_certificate_differs or case.is_relayed:
        return None
    catch_all = case.is_refused and not _is_apache(case) and not _by_policy(case) and _is_catch_all(evidence)
    if not catch_all and (case.is_refused or _is_reset_or_400(case)):
        return None
    like_stranger = _like_a_stranger(evidence, case)
    no_route = _has_no_route_without_sni(evidence)
    why = "a router picks the server by SNI, and the one behind that connection does not know the name"
    sure = confidence(text=like_stranger or no_route, experiment=True)
    served = Excluded("vhost-missing", f"on a connection of its own {evidence.domain} is served")
    return _draft(evidence, case, why, sure, [served])


def _by_policy(case: _Case) -> bool:
    return case.maker is not None and case.maker.id in _POLICY_MAKERS


def _like_a_stranger(evidence: Evidence, case: _Case) -> bool:
    """Whether the opener's server says to the domain what it says to any name that it does not know."""
    opener = evidence.siblings[case.first.opener]
    strangers = [o for o in opener.observations if o.probe.combination is Combination.UNKNOWN_HOST]
    return any(same_page(case.first.seen, seen) for seen in strangers)


def _has_no_route_without_sni(evidence: Evidence) -> bool:
    """Layer-4 routers drop connections that name no backend, without a TLS alert."""
    return any(seen.failure is not None and seen.failure.kind in ("reset", "closed") for seen in evidence.without_sni)


@cause(
    "vhost-tls-params-differ",
    101,
    "Virtual hosts' TLS settings differ",
    also_where_right=True,
    severity=Severity.WARNING,
)
def vhost_tls_params_differ(evidence: Evidence) -> Draft | None:
    """Apache serves two names on one connection only where their TLS settings are the same (mod_ssl, 2.4.64)."""
    case = _case(evidence)
    if case is None or not case.is_refused or case.is_relayed or case.same_certificate is False:
        return None
    if not (_is_apache(case) or case.maker is None) or case.client_certificate_differs:
        return None
    mine, theirs = _tls12(evidence, case)
    differ = mine is not None and theirs is not None and (mine.cipher, mine.version) != (theirs.cipher, theirs.version)
    why = "they share a certificate, but the TLS settings of their virtual hosts differ"
    sure = confidence(text=True, experiment=True) if _is_apache(case) else GUESS
    draft = _draft(evidence, case, why, sure)
    if not differ or mine is None or theirs is None:
        return draft
    seen = (
        f"by TLS 1.2 the server agrees on {mine.cipher} for {evidence.domain} and on {theirs.cipher} for "
        f"{case.first.opener}"
    )
    return replace(draft, evidence=(*draft.evidence, seen))


def _tls12(evidence: Evidence, case: _Case) -> tuple[TlsSession | None, TlsSession | None]:
    for trial in evidence.tried(Experiment.TLS12):
        sessions = {variation: seen.tls for variation, seen in trial.answers}
        if trial.neighbour == case.first.opener:
            return sessions.get(Variation.AS_CONFIGURED), sessions.get(Variation.NEIGHBOUR)
    return None, None

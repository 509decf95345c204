"""Redirects that lead nowhere. They are followed within configured names only."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

from exporter.diagnosis.cause import Draft, cause, confidence
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.samples import answer_of, is_right, status_of
from exporter.diagnosis.wording import lines, names, told
from exporter.model import Experiment, Observation, Round, Severity, Target, Variation

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_HOPS = 10  # browsers give up after 20

_Place = tuple[str, str, int, str]
"""Scheme, host, port, path with query."""


@cause("redirect-loop", 416, "A redirect leads back to itself", also_where_right=True)
def redirect_loop(evidence: Evidence) -> Draft | None:
    """The answer sends the client where it already was, at once or after some steps."""
    start = _first(evidence)
    if start is None:
        return None
    chain = _chain(evidence, start)
    places = [place for _, place in chain]
    if len(set(places)) == len(places):
        return None
    loop = " -> ".join(dict.fromkeys(_url(place) for place in places))
    return Draft(
        confidence=0.95,
        summary=f"{evidence.domain} redirects in a loop: {loop} -> {_url(places[-1])}",
        shown=tuple(seen for seen, _ in chain if seen is not None),
        code=status_of(start),
        evidence=tuple(f"{told(seen)}, Location: {_location(seen)[:120]}" for seen, _ in chain if seen is not None),
        noticed_by=("everybody: browsers say that there are too many redirects",),
    )


@cause("redirect-to-broken-host", 417, "A redirect leads to a name that fails", also_where_right=True)
def redirect_to_broken_host(evidence: Evidence) -> Draft | None:
    """Where the redirect leads, nobody answers rightly, or nobody outside can be."""
    start = _first(evidence)
    if start is None:
        return None
    place = _place(evidence.target, start)
    if place is None:
        return None
    host = place[1]
    hidden = _is_internal(host) and host != evidence.domain
    broken = _broken(evidence, host)
    if not hidden and not broken:
        return None
    why = f"which fails itself: {names(broken)}" if broken else "which is no name that clients can reach"
    return Draft(
        confidence=confidence(text=True, experiment=True) if broken else 0.8,
        summary=f"{evidence.domain} redirects ({answer_of(start)}) to {_url(place)}, {why}",
        shown=(start,),
        code=status_of(start),
        severity=Severity.CRITICAL,
        evidence=(*lines([start]), f"Location: {_location(start)[:200]}", *broken),
        noticed_by=("everybody who follows the redirect",),
    )


def _first(evidence: Evidence) -> Observation | None:
    """The redirect that the name itself is answered with."""
    found = [s.seen for s in evidence.own if s.status in _REDIRECTS and _location(s.seen)]
    return found[0] if found else None


def _location(seen: Observation | None) -> str:
    return (seen.response.header("location") or "" if seen.response is not None else "") if seen is not None else ""


def _chain(evidence: Evidence, start: Observation) -> list[tuple[Observation | None, _Place]]:
    """The places that a client comes by, as far as they were seen; the last may stand in it twice."""
    target = evidence.target
    chain: list[tuple[Observation | None, _Place]] = [(start, ("https", target.domain, target.port, target.path))]
    seen: Observation | None = start
    for _ in range(_MOST_HOPS):
        place = _place(target, seen) if seen is not None else None
        if place is None:
            break
        known = {one for _, one in chain}
        target, seen = _at(evidence, place)
        chain.append((None if place in known else seen, place))
        if place in known or seen is None:
            break
    return chain


def _at(evidence: Evidence, place: _Place) -> tuple[Target, Observation | None]:
    """What was seen at a place, of all that was probed."""
    scheme, host, port, path = place
    if scheme == "http" and host == evidence.domain and port == 80:
        return evidence.target, evidence.varied(Experiment.PLAIN_HTTP, Variation.AS_CONFIGURED)
    if scheme != "https":
        return evidence.target, None
    for round_ in (evidence.round, *evidence.siblings.values()):
        target = round_.target
        if (target.domain, target.port, target.path) == (host, port, path):
            return target, _matched(round_)
    if (host, port) == (evidence.domain, evidence.target.port):
        return evidence.target, _followed(evidence, path)
    return evidence.target, None


def _matched(round_: Round) -> Observation | None:
    return next((seen for seen, _ in round_.matched if seen.response is not None), None)


def _followed(evidence: Evidence, path: str) -> Observation | None:
    asked = [(trial.path, seen) for trial in evidence.tried(Experiment.FOLLOWED) for _, seen in trial.answers]
    return next((seen for where, seen in asked if where == path), None)


def _place(target: Target, seen: Observation) -> _Place | None:
    """Where an answer's Location leads; None: it is no redirect, or leads nowhere that makes sense."""
    if status_of(seen) not in _REDIRECTS:
        return None
    port = "" if target.port == 443 else f":{target.port}"
    path = target.path
    try:
        url = urlsplit(urljoin(f"https://{target.domain}{port}{path}", _location(seen)))
        number = url.port or (443 if url.scheme == "https" else 80)
    except ValueError:
        return None
    if not url.hostname:
        return None
    where = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return url.scheme, url.hostname.lower().rstrip("."), number, where


def redirected_path(evidence: Evidence) -> str | None:
    """The next path of the name itself that a redirect leads to and nobody has looked at."""
    start = _first(evidence)
    if start is None or not is_right(evidence.target, start):
        return None
    seen, place = _chain(evidence, start)[-1]
    scheme, host, port, path = place
    if seen is not None or scheme != "https" or (host, port) != (evidence.domain, evidence.target.port):
        return None
    return path if path != evidence.target.path and _followed(evidence, path) is None else None


def leads_to_plain_http(evidence: Evidence) -> bool:
    """Whether the redirect leads to the same name without TLS."""
    start = _first(evidence)
    place = _place(evidence.target, start) if start is not None else None
    return place is not None and place[0] == "http" and place[1] == evidence.domain and place[2] == 80


def _url(place: _Place) -> str:
    scheme, host, port, path = place
    default = port == (443 if scheme == "https" else 80)
    return f"{scheme}://{host}{'' if default else f':{port}'}{path[:100]}"


def _is_internal(host: str) -> bool:
    """Names and addresses that exist behind the edge only."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localdomain", ".svc"))


def _broken(evidence: Evidence, host: str) -> tuple[str, ...]:
    round_ = evidence.siblings.get(host)
    if round_ is None or not round_.matched:
        return ()
    wrong = [seen for seen, verdict in round_.matched if verdict.conclusive and not verdict.expected]
    return lines(wrong, 2) if wrong and len(wrong) == sum(v.conclusive for _, v in round_.matched) else ()

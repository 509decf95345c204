"""Policies: somebody means it: credentials, rules, limits, maintenance."""

from __future__ import annotations

import re
from typing import Final

from exporter.diagnosis.cause import GUESS, TEXT_ONLY, Cause, Draft, cause, confidence
from exporter.diagnosis.drafts import about_answer
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.samples import is_right, status_of
from exporter.diagnosis.servers import Role
from exporter.diagnosis.wording import lines
from exporter.model import Experiment, Severity, Variation


@cause("maintenance", 405, "Announced maintenance", masks=("overloaded", "upstream-down"))
def maintenance(evidence: Evidence) -> Draft | None:
    """503 with Retry-After or a page that says so: somebody means it."""
    if evidence.code != 503 or evidence.response is None or evidence.disagrees:
        return None
    retry = evidence.retry_after
    worded = _MAINTENANCE.search(_APACHES_WORDS.sub("", evidence.text)) is not None
    plain = _says_503_itself(evidence) and not _served_otherwise(evidence)
    if not (retry or worded or plain):
        return None
    why = (
        "it announces that it is unavailable"
        if retry or worded
        else "the server itself says so, without asking an upstream"
    )
    more = [f"Retry-After: {retry[:60]}"] if retry else []
    if worded:
        more.append("the page speaks of maintenance")
    sure = confidence(text=True, experiment=bool(retry and worded)) if retry or worded else 0.45
    return about_answer(evidence, why, 0.8 if retry and not worded else sure, *more)


_MAINTENANCE = re.compile(r"\bmaint(?:enance|ained)\b|\bwartung|be right back|back soon", re.IGNORECASE)


_APACHES_WORDS = re.compile(r"due to\s+maintenance\s+downtime")
"""Apache's own 503 page has them whatever the reason is."""


def _says_503_itself(evidence: Evidence) -> bool:
    """nginx has no 503 for upstreams: limit_req, limit_conn and `return` say it."""
    return evidence.code == 503 and evidence.generator is not None and evidence.generator.id in ("nginx", "openresty")


def _served_otherwise(evidence: Evidence) -> bool:
    """Whether the same server has served other probes of these rounds: it is a limit, and not shut."""
    others = (*evidence.unknown_hosts, *evidence.without_sni, *evidence.other_snis)
    return bool(evidence.right) or any(evidence.is_right(seen) for seen in others)


@cause("overloaded", 406, "The server sheds load")
def overloaded(evidence: Evidence) -> Draft | None:
    """503 from who has too much to do: limits of connections, of workers, of a queue."""
    if evidence.code != 503 or evidence.response is None:
        return None
    said = next(
        (
            text
            for text in ("reset reason: overflow", "Service Unavailable", "Too many", "limit")
            if text in evidence.text
        ),
        None,
    )
    by_app = evidence.generator is None or evidence.generator.role is Role.APPLICATION
    if evidence.disagrees and (by_app or _says_503_itself(evidence) or said == "reset reason: overflow"):
        return about_answer(evidence, "it refuses a part of the requests: a limit, or too much load", 0.7)
    if said == "reset reason: overflow":
        return about_answer(
            evidence,
            "a limit of connections or requests to the upstream is reached",
            0.8 if evidence.lasts else TEXT_ONLY,
        )
    if by_app:
        return about_answer(
            evidence, "the server says that it is unavailable: too much load, or a limit", 0.5 if said else GUESS
        )
    return None


@cause("auth-required", 407, "Credentials are needed", severity=Severity.WARNING)
def auth_required(evidence: Evidence) -> Draft | None:
    """401: the site asks who one is; 407: a proxy does."""
    if evidence.code not in (401, 407) or evidence.response is None:
        return None
    challenge = evidence.response.header("www-authenticate") or evidence.response.header("proxy-authenticate")
    more = [f"the challenge is {challenge[:80]}"] if challenge else []
    return about_answer(
        evidence, "it asks for credentials", confidence(text=True, experiment=challenge is not None), *more
    )


@cause("access-denied", 408, "A rule or permission refuses")
def access_denied(evidence: Evidence) -> Draft | None:
    """403: a WAF, an address list, file permissions, a missing index."""
    if evidence.code != 403 or (evidence.response is not None and evidence.response.header("x-amz-request-id")):
        return None
    paths = evidence.paths_differ
    why = "a rule, a firewall for applications or a permission refuses"
    return about_answer(
        evidence,
        why + (" this path" if paths else ""),
        confidence(text=evidence.generator is not None, experiment=paths),
    )


@cause("legal-or-geo-block", 409, "Blocked by law or place", severity=Severity.WARNING)
def legal_or_geo_block(evidence: Evidence) -> Draft | None:
    """451 (RFC 7725), where Link may name who demanded it."""
    geo = evidence.code == 403 and re.search(r"not available in your (?:country|region)", evidence.text, re.IGNORECASE)
    if evidence.code != 451 and not geo:
        return None
    link = (evidence.response.header("link") if evidence.response is not None else None) or ""
    more = [f"Link: {link[:120]}"] if "blocked-by" in link else []
    return about_answer(
        evidence, "it is blocked by law or for this place", 0.9 if evidence.code == 451 else TEXT_ONLY, *more
    )


def _by_status(id_: str, number: int, title: str, codes: tuple[int, ...], why: str) -> Cause:
    def find(evidence: Evidence) -> Draft | None:
        return about_answer(evidence, why, 0.9) if evidence.code in codes else None

    return cause(id_, number, title)(find)


method_not_allowed: Final = _by_status(
    "method-not-allowed", 411, "The method is refused", (405,), "it refuses the request's method"
)
uri_too_long: Final = _by_status(
    "uri-too-long", 414, "The URI is too long", (414,), "the request's path and query exceed a limit"
)


@cause("rate-limited", 412, "Too many requests", also_where_right=True, severity=Severity.WARNING,
       masks=("maintenance", "overloaded"))  # fmt: skip
def rate_limited(evidence: Evidence) -> Draft | None:
    """429, or nginx's limit_req, which says 503: the prober itself may be the reason."""
    limited = [sample for sample in evidence.own if sample.status == 429]
    if not limited and _says_503_itself(evidence) and _served_otherwise(evidence) and _was_served_first(evidence):
        why = "a limit of requests: the first were served, and the later ones refused"
        return about_answer(evidence, f"{why}; the prober itself may be the reason", 0.75)
    others = [
        seen
        for seen in (*evidence.unknown_hosts, *evidence.without_sni, *evidence.other_snis)
        if status_of(seen) == 429
    ]
    if not limited and not (others and evidence.right):
        return None
    first = limited[0].seen if limited else others[0]
    retry = first.response.header("retry-after") if first.response is not None else None
    served_first = bool(evidence.own) and evidence.own[0].status != 429
    return Draft(
        confidence=0.9,
        summary=f"{evidence.domain} answers 429: too many requests"
        + (", and the prober itself may be the reason: its first request was served" if served_first else ""),
        shown=(first,),
        code=429,
        severity=Severity.WARNING,
        evidence=(
            *lines([s.seen for s in evidence.own]),
            *lines(others, 3),
            *([f"Retry-After: {retry[:60]}"] if retry else []),
        ),
        noticed_by=("clients that ask as often as this prober does",),
    )


def _was_served_first(evidence: Evidence) -> bool:
    """Whether right answers came before wrong ones only: each request uses up a limit, while load comes and goes."""
    runs = [sample.is_right for sample in evidence.own]
    return runs == sorted(runs, reverse=True)


@cause("request-headers-too-big", 413, "The request's header section is too big",
       masks=("application-rejects-host", "proxy-loses-host", "vhost-missing"))  # fmt: skip
def request_headers_too_big(evidence: Evidence) -> Draft | None:
    """Header or cookies exceed a limit: 431, or 400 with words about it."""
    said = next((text for text in _TOO_BIG if text in evidence.text), None)
    if evidence.code != 431 and (evidence.code not in (400, 494) or said is None):
        return None
    bare = evidence.varied(Experiment.FIELDS, Variation.NO_FIELDS)
    heals = bare is not None and is_right(evidence.target, bare)
    more = ["without the configured fields it is served"] if heals else []
    return about_answer(evidence, "the request's header section exceeds a limit", 0.95 if heals else 0.85, *more)


_TOO_BIG = (
    "Request Header Or Cookie Too Large",
    "Size of a request header field exceeds server limit",
    "Request header is too large",
    "limit request headers fields size",
    "Request Header Fields Too Large",
)

"""Application and policy: the right server is reached, and it says what is wrong itself."""

from __future__ import annotations

import re
from typing import Final

from exporter.diagnosis.cause import GUESS, TEXT_ONLY, Cause, Draft, cause, confidence
from exporter.diagnosis.evidence import Evidence, Split, answer_of, is_right, same_page, status_of
from exporter.diagnosis.servers import Role
from exporter.diagnosis.wording import lines, names, said_by, told, where
from exporter.model import Excluded, Experiment, Severity, Variation


def _draft(evidence: Evidence, why: str, sure: float, *more: str, severity: Severity | None = None) -> Draft | None:
    worst = evidence.worst
    if worst is None:
        return None
    partly = evidence.split in (Split.ADDRESSES, Split.SOMETIMES, Split.PROTOCOLS)
    return Draft(
        confidence=sure,
        summary=f"{evidence.domain} answers {worst.answer}{where(evidence)}: {why}",
        shown=(worst.seen, *(s.seen for s in evidence.right[:1])),
        code=evidence.code,
        severity=Severity.WARNING if partly else severity,
        evidence=(*lines([s.seen for s in evidence.wrong]), *more, f"the page is {said_by(evidence)}'s"),
    )


def _paths_differ(evidence: Evidence) -> bool:
    varied = (evidence.varied(Experiment.OTHER_PATH, one) for one in (Variation.NO_SUCH_PATH, Variation.ROOT_PATH))
    return any(seen is not None and status_of(seen) not in (None, evidence.code) for seen in varied)


def _is_an_applications(evidence: Evidence) -> bool:
    """Whether the page is an application's: a known framework's, or nobody's that is known and not empty."""
    maker = evidence.generator
    return (maker is None and bool(evidence.text.strip())) or (maker is not None and maker.role is Role.APPLICATION)


@cause("application-answers-421", 401, "The application itself answers 421")
def application_answers_421(evidence: Evidence) -> Draft | None:
    """The application says 421 whatever SNI and connection are (allow-lists of hosts, sharded accounts)."""
    if evidence.code != 421 or not _is_an_applications(evidence):
        return None
    foreign = [seen for seen in (*evidence.other_snis, *evidence.without_sni) if seen.response is not None]
    independent = bool(foreign) and all(status_of(seen) == 421 for seen in foreign)
    experiment = independent or _paths_differ(evidence)
    why = "the application says so itself, whatever SNI and connection are"
    more = [f"with another SNI or none it is the same: {told(foreign[0])}"] if independent else []
    if evidence.served:
        more.append(f"{names(evidence.served)} is served at the same address")
    return _draft(evidence, why, confidence(text=True, experiment=experiment), *more)


@cause("application-rejects-host", 402, "The application's list of allowed hosts lacks the name",
       masks=("application-answers-421", "vhost-missing", "proxy-loses-host"))  # fmt: skip
def application_rejects_host(evidence: Evidence) -> Draft | None:
    """Frameworks answer only to hosts they were told of: Django's ALLOWED_HOSTS, Starlette's TrustedHostMiddleware, HTTP.sys."""
    said = next((text for text in _HOST_REJECTED if text in evidence.text), None)
    if evidence.code not in (400, 403, 421) or said is None:
        return None
    stranger = evidence.unknown_host
    alike = stranger is not None and status_of(stranger) == evidence.code
    why = f"the application does not accept the name in Host («{said}»)"
    more = [f"a name that nobody owns is rejected alike: {told(stranger)}"] if alike and stranger is not None else []
    return _draft(evidence, why, confidence(text=True, experiment=alike), *more)


_HOST_REJECTED = (
    "Invalid host header",
    "Invalid Host header",
    "Invalid HTTP_HOST header",
    "DisallowedHost",
    "Bad Request (400)",
    "Bad Request - Invalid Hostname",
    "Blocked host",
    "Blocked request. This host",
)


@cause("rewrite-rule-421", 403, "A rewrite rule says it", masks=("vhost-missing", "application-answers-421"))
def rewrite_rule_421(evidence: Evidence) -> Draft | None:
    """A rule of the server (`.htaccess`, `return 421`) answers for this path or this name; TLS has nothing to do with it."""
    maker = evidence.generator
    if (
        evidence.code != 421
        or maker is None
        or maker.role is not Role.SERVER
        or evidence.is_relayed
        or evidence.disagrees
    ):
        return None
    stranger = evidence.unknown_host
    paths, apache = _paths_differ(evidence), maker.id == "apache"
    if not paths and not apache:
        return None
    if not paths and stranger is not None and same_page(stranger, evidence.wrong[0].seen) and not apache:
        return None
    why = (
        "a rule of the server answers for this path"
        if paths
        else "a rule of the server answers for every path of the name"
    )
    other = evidence.varied(Experiment.OTHER_PATH, Variation.ROOT_PATH) or evidence.varied(
        Experiment.OTHER_PATH, Variation.NO_SUCH_PATH
    )
    more = [f"another path is answered {answer_of(other)}"] if paths and other is not None else []
    draft = _draft(evidence, why, confidence(text=True, experiment=paths), *more)
    reason = "SNI and Host agree on a new connection: no policy of the server refuses that"
    return None if draft is None else _with(draft, Excluded("vhost-tls-params-differ", reason))


def _with(draft: Draft, *excluded: Excluded) -> Draft:
    return Draft(
        draft.confidence,
        draft.summary,
        draft.shown,
        draft.code,
        draft.severity,
        draft.evidence,
        draft.against,
        excluded,
    )


@cause("application-error", 404, "The application fails")
def application_error(evidence: Evidence) -> Draft | None:
    """An unhandled exception, a fatal error, a broken `.htaccess`: the log of who wrote the page says which."""
    if evidence.code not in (500, 501, 505, 506, 508):
        return None
    maker = evidence.generator
    own_page = maker is not None and maker.role is Role.SERVER and not evidence.is_relayed
    other = evidence.varied(Experiment.OTHER_PATH, Variation.NO_SUCH_PATH)
    healthy_paths = other is not None and status_of(other) not in (None, evidence.code)
    why = (
        "the application failed"
        if not own_page
        else "the application failed, or a rule of the server's own configuration does"
    )
    more = [f"another path is answered {answer_of(other)}"] if healthy_paths and other is not None else []
    return _draft(evidence, why, confidence(text=True, experiment=healthy_paths), *more)


@cause("maintenance", 405, "Announced maintenance", masks=("overloaded", "upstream-down"))
def maintenance(evidence: Evidence) -> Draft | None:
    """503 with Retry-After or a page that says so: somebody means it."""
    if evidence.code != 503 or evidence.response is None or evidence.disagrees:
        return None
    retry = evidence.response.header("retry-after")
    worded = _MAINTENANCE.search(evidence.text) is not None and "due to\nmaintenance downtime" not in evidence.text
    plain = evidence.generator is not None and evidence.generator.id in ("nginx", "openresty")
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
    return _draft(evidence, why, 0.8 if retry and not worded else sure, *more)


_MAINTENANCE = re.compile(r"\bmaint(?:enance|ained)\b|\bwartung|be right back|back soon", re.IGNORECASE)


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
    nginx = evidence.generator is not None and evidence.generator.id in ("nginx", "openresty")
    if evidence.disagrees and (by_app or nginx or said == "reset reason: overflow"):
        return _draft(evidence, "it refuses a part of the requests: a limit, or too much load", 0.7)
    if said == "reset reason: overflow":
        return _draft(evidence, "a limit of connections or requests to the upstream is reached", 0.8)
    if by_app:
        return _draft(
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
    return _draft(evidence, "it asks for credentials", confidence(text=True, experiment=challenge is not None), *more)


@cause("access-denied", 408, "A rule or permission refuses")
def access_denied(evidence: Evidence) -> Draft | None:
    """403: a WAF, an address list, file permissions, a missing index."""
    if evidence.code != 403 or (evidence.response is not None and evidence.response.header("x-amz-request-id")):
        return None
    paths = _paths_differ(evidence)
    why = "a rule, a firewall for applications or a permission refuses"
    return _draft(
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
    return _draft(evidence, "it is blocked by law or for this place", 0.9 if evidence.code == 451 else TEXT_ONLY, *more)


@cause("content-missing", 410, "The page is not there")
def content_missing(evidence: Evidence) -> Draft | None:
    """The virtual host is right: other paths, or other names, are answered otherwise."""
    if evidence.code not in (403, 404, 410) or evidence.worst is None:
        return None
    bucket = any(word in evidence.text for word in ("NoSuchKey", "<Code>AccessDenied</Code>"))
    if evidence.code == 403 and not bucket:
        return None
    root = evidence.varied(Experiment.OTHER_PATH, Variation.ROOT_PATH)
    root_served = root is not None and is_right(evidence.target, root)
    stranger = evidence.unknown_host
    told_apart = stranger is not None and not same_page(evidence.worst.seen, stranger)
    gone = evidence.code == 410
    own_words = _is_an_applications(evidence)
    experiment = root_served or told_apart or gone
    why = "the virtual host is right, but there is nothing at this path"
    more = [f"the path / is answered {answer_of(root)}"] if root_served and root is not None else []
    if told_apart and stranger is not None:
        more.append(f"a name that nobody owns gets another answer: {told(stranger)}")
    return _draft(evidence, why, confidence(text=own_words or bucket or root_served, experiment=experiment), *more)


def _by_status(
    id_: str, number: int, title: str, codes: tuple[int, ...], why: str, severity: Severity = Severity.CRITICAL
) -> Cause:
    def find(evidence: Evidence) -> Draft | None:
        return _draft(evidence, why, 0.9) if evidence.code in codes else None

    return cause(id_, number, title, severity=severity)(find)


method_not_allowed: Final = _by_status(
    "method-not-allowed", 411, "The method is refused", (405,), "it refuses the request's method"
)
uri_too_long: Final = _by_status(
    "uri-too-long", 414, "The URI is too long", (414,), "the request's path and query exceed a limit"
)


@cause("rate-limited", 412, "Too many requests", severity=Severity.WARNING,
       masks=("maintenance", "overloaded", "one-backend-misconfigured"))  # fmt: skip
def rate_limited(evidence: Evidence) -> Draft | None:
    """429, or nginx's limit_req, which says 503: the prober itself may be the reason."""
    limited = [sample for sample in evidence.own if sample.status == 429]
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


@cause("request-headers-too-big", 413, "The request's header section is too big", masks=("application-rejects-host",))
def request_headers_too_big(evidence: Evidence) -> Draft | None:
    """Header or cookies exceed a limit: 431, or 400 with words about it."""
    said = next((text for text in _TOO_BIG if text in evidence.text), None)
    if evidence.code != 431 and (evidence.code not in (400, 494) or said is None):
        return None
    bare = evidence.varied(Experiment.FIELDS, Variation.NO_FIELDS)
    heals = bare is not None and is_right(evidence.target, bare)
    more = ["without the configured fields it is served"] if heals else []
    return _draft(evidence, "the request's header section exceeds a limit", 0.95 if heals else 0.85, *more)


_TOO_BIG = (
    "Request Header Or Cookie Too Large",
    "Size of a request header field exceeds server limit",
    "Request header is too large",
    "limit request headers fields size",
    "Request Header Fields Too Large",
)


@cause("answer-not-as-expected", 415, "The answer is not what `expect` says", severity=Severity.CRITICAL)
def answer_not_as_expected(evidence: Evidence) -> Draft | None:
    """The status is right, but body or header fields are not what the configuration asks for."""
    odd = [s for s in evidence.right if not s.verdict.expected and "match" in s.verdict.reason]
    if not odd:
        return None
    partly = len(odd) < len(evidence.own)
    return Draft(
        confidence=0.9,
        summary=f"{evidence.domain} answers {odd[0].answer}, but not as the configuration expects: {odd[0].verdict.reason}",
        shown=(odd[0].seen,),
        code=odd[0].status,
        severity=Severity.WARNING if partly else None,
        evidence=lines([s.seen for s in odd]),
        would_confirm="a look at the page: another site's, or the expectation is out of date",
    )

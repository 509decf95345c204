"""The application: the right server is reached, and what it says is its own."""

from __future__ import annotations

from exporter.diagnosis.cause import Draft, cause, confidence
from exporter.diagnosis.drafts import about_answer
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.samples import answer_of, is_right, same_kind, same_page, status_of
from exporter.diagnosis.servers import Role
from exporter.diagnosis.wording import lines, names_and, told
from exporter.model import Excluded, Experiment, Severity, Variation


@cause("application-answers-421", 401, "The application itself answers 421")
def application_answers_421(evidence: Evidence) -> Draft | None:
    """The application says 421 whatever SNI and connection are (allow-lists of hosts, sharded accounts)."""
    if evidence.code != 421 or not evidence.is_an_applications:
        return None
    foreign = [seen for seen in (*evidence.other_snis, *evidence.without_sni) if seen.response is not None]
    independent = bool(foreign) and all(status_of(seen) == 421 for seen in foreign)
    experiment = independent or evidence.paths_differ
    why = "the application says so itself, whatever SNI and connection are"
    more = [f"with another SNI or none it is the same: {told(foreign[0])}"] if independent else []
    if evidence.served:
        more.append(f"{names_and(evidence.served, 'is', 'are')} served at the same address")
    return about_answer(evidence, why, confidence(text=True, experiment=experiment), *more)


@cause("application-rejects-host", 402, "The application's list of allowed hosts lacks the name",
       masks=("application-answers-421", "vhost-missing", "proxy-loses-host"))  # fmt: skip
def application_rejects_host(evidence: Evidence) -> Draft | None:
    """Frameworks answer to hosts they were told of: Django's ALLOWED_HOSTS, Starlette's TrustedHostMiddleware."""
    said = next((text for text in _HOST_REJECTED if text in evidence.text), None)
    if evidence.code not in (400, 403, 421) or (said is None and not _rejects_strangers(evidence)):
        return None
    stranger = evidence.stranger
    alike = stranger is not None and status_of(stranger) == evidence.code
    why = "the application does not accept the name in Host" + (f" («{said}»)" if said else "")
    more = [f"a name that nobody owns is rejected alike: {told(stranger)}"] if alike and stranger is not None else []
    return about_answer(evidence, why, confidence(text=said is not None, experiment=alike), *more)


def _rejects_strangers(evidence: Evidence) -> bool:
    """A framework's 400 for this name and for one that nobody owns, while it serves another name: for every path."""
    stranger, maker = evidence.stranger, evidence.generator
    return (
        evidence.code == 400
        and maker is not None
        and maker.role is Role.APPLICATION
        and stranger is not None
        and same_kind(evidence.wrong[0].seen, stranger)
        and bool(evidence.served)
        and not evidence.paths_differ
    )


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
    """A rule of the server (`.htaccess`, `return 421`) answers for this path or name; TLS has no part in it."""
    maker = evidence.generator
    if (
        evidence.code != 421
        or maker is None
        or maker.role is not Role.SERVER
        or evidence.is_relayed
        or evidence.disagrees
    ):
        return None
    paths, apache = evidence.paths_differ, maker.id == "apache"
    if not paths and (not apache or _is_for_strangers_too(evidence)):
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
    draft = about_answer(evidence, why, confidence(text=True, experiment=paths), *more)
    reason = "SNI and Host agree on a new connection: no policy of the server refuses that"
    return None if draft is None else _with(draft, Excluded("vhost-tls-params-differ", reason))


def _is_for_strangers_too(evidence: Evidence) -> bool:
    """Whether a site for all unknown names says so, while others are served: then the name's own site is missing."""
    stranger = evidence.unknown_name or evidence.unknown_host
    return bool(evidence.served) and stranger is not None and same_page(stranger, evidence.wrong[0].seen)


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
    return about_answer(evidence, why, confidence(text=True, experiment=healthy_paths), *more)


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
    stranger = evidence.stranger
    told_apart = stranger is not None and not same_page(evidence.worst.seen, stranger)
    gone = evidence.code == 410
    own_words = evidence.is_an_applications
    experiment = root_served or told_apart or gone
    why = "the virtual host is right, but there is nothing at this path"
    more = [f"the path / is answered {answer_of(root)}"] if root_served and root is not None else []
    if told_apart and stranger is not None:
        more.append(f"a name that nobody owns gets another answer: {told(stranger)}")
    return about_answer(
        evidence, why, confidence(text=own_words or bucket or root_served, experiment=experiment), *more
    )


@cause(
    "answer-not-as-expected",
    415,
    "The answer is not what `expect` says",
    also_where_right=True,
    severity=Severity.CRITICAL,
)
def answer_not_as_expected(evidence: Evidence) -> Draft | None:
    """The status is right, but body or header fields are not what the configuration asks for."""
    odd = [s for s in evidence.right if not s.verdict.expected and "match" in s.verdict.reason]
    if not odd:
        return None
    partly = len(odd) < len(evidence.own)
    return Draft(
        confidence=0.9,
        summary=f"{evidence.domain} answers {odd[0].answer}, but not as the configuration expects: "
        f"{odd[0].verdict.reason}",
        shown=(odd[0].seen,),
        code=odd[0].status,
        severity=Severity.WARNING if partly else None,
        evidence=lines([s.seen for s in odd]),
        would_confirm="a look at the page: another site's, or the expectation is out of date",
    )

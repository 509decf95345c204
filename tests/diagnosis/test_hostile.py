"""Evidence with holes, in contradiction, and written by an enemy: never an exception, and nothing that escapes."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from exporter import documents, terminal
from exporter.diagnosis import Evidence, diagnose, leading, next_wish
from exporter.diagnosis.wording import MOST_CHARACTERS
from exporter.expectation import Comparison, judge
from exporter.model import (
    Certificate,
    Failure,
    Finding,
    Observation,
    Phase,
    Response,
    Round,
    Severity,
    TlsSession,
    Trial,
    Verdict,
)
from exporter.pages import page_of
from tests.lab.keep import chosen, kept

NAMES = st.sampled_from(chosen())
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "\r\nX-Injected: yes",
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "[bold red]markup[/bold red]",
    "\u202egnirts",
    "\ud800\udfff",
    "\x00\x7f\x80\x9b31m",
    "'; rm -rf / #",
    "$(reboot)`reboot`",
    "{{7*7}}${7*7}%s%n",
    "x" * 100_000,
)
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40), st.characters(categories=["Cs", "Cc"]))
BODIES = st.one_of(
    st.binary(max_size=200),
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"\xff\xfe" + "<title>421</title>".encode("utf-16-le"), b"<title>" * 9000, b"\x00" * 65536]),
)
FIELDS = st.sampled_from(
    ["server", "via", "age", "location", "retry-after", "x-cache", "x-varnish", "content-type", "www-authenticate",
     "link", "upgrade", "alt-svc", "x-amz-request-id", "set-cookie"]
)  # fmt: skip
LOCATIONS = st.sampled_from(
    ["https://[::1", "//", "https://a:99999999/", "http://\ud800/", "javascript:alert(1)", "https://shop.test:x/", "?",
     "https://10.0.0.1/", "http://[fe80::1%25eth0]/", "https://\u2100.test/", "\\\\evil\\", "https://" + "a." * 5000]
)  # fmt: skip
STATUSES = st.one_of(
    st.sampled_from([200, 204, 301, 302, 308, 400, 401, 403, 404, 421, 429, 431, 451, 500, 502, 503, 504, 522]),
    st.integers(0, 999),
)
SECONDS = st.dictionaries(st.sampled_from(Phase), st.sampled_from([0.0, 0.004, 3.0, 1e12, float("inf")]))
KINDS = st.sampled_from(
    ["refused", "timeout", "unreachable", "reset", "closed", "alert", "alpn", "not-http", "plain-http", "truncated",
     "slow", "headers-too-big", "protocol-error", "stream-reset", "goaway", "nxdomain", "servfail", "not-asked",
     "internal", "?"]
)  # fmt: skip


@st.composite
def responses(draw):
    fields = draw(st.lists(st.tuples(FIELDS, st.one_of(TEXTS, LOCATIONS)), max_size=6))
    body = draw(BODIES)
    return Response(draw(STATUSES), draw(TEXTS), headers=tuple(fields), body=body, body_bytes=len(body))


FAILURES = st.builds(Failure, st.sampled_from(Phase), KINDS, TEXTS)
CERTIFICATES = st.builds(
    Certificate,
    sha256=st.just("00"),
    subject=TEXTS,
    issuer=TEXTS,
    names=st.lists(TEXTS, max_size=9).map(tuple),
    names_total=st.integers(0, 10**9),
    not_before=st.just(0.0),
    not_after=st.just(0.0),
)
SESSIONS = st.builds(
    TlsSession,
    version=TEXTS,
    cipher=TEXTS,
    alpn=st.none() | TEXTS,
    chain=st.lists(CERTIFICATES, max_size=2).map(tuple),
    faults=st.sets(st.sampled_from(["expired", "not-yet-valid", "untrusted", "wrong-name"])).map(tuple),
    fault_detail=TEXTS,
    client_certificate_requested=st.booleans(),
    resumed=st.booleans(),
)


@st.composite
def changed(draw, seen: Observation) -> Observation:
    """Another answer to the same question."""
    failure = draw(st.none() | FAILURES)
    response = draw(responses()) if failure is None or draw(st.booleans()) else None
    return replace(
        seen,
        seconds=draw(SECONDS),
        tls=draw(st.one_of(st.none(), SESSIONS, st.just(seen.tls))),
        response=response,
        failure=failure,
        connection_survived=draw(st.sampled_from([None, True, False])),
        asked_before=draw(st.integers(0, 3)),
        page=page_of(response) if response is not None and draw(st.booleans()) else None,
    )


@cache
def series(name: str) -> tuple[tuple[Round, ...], ...]:
    with TemporaryDirectory() as folder:
        return kept(name, Path(folder))


Keep = st.integers(0, 3)  # three of four stay


@st.composite
def torn(draw, round_: Round) -> Round:
    """A round of which parts are lost, changed, or told again otherwise."""
    pairs: list[tuple[Observation, Verdict]] = []
    for seen, verdict in zip(round_.observations, round_.verdicts, strict=True):
        fate = draw(st.integers(0, 7))
        if fate == 0:
            continue
        pairs.append((seen, verdict))
        if fate <= 2:
            other = draw(changed(seen))
            pairs.append((other, judge(round_.target, other, Comparison())))
    trials = [draw(torn_trial(one)) for one in round_.trials if draw(Keep)]
    return replace(
        round_,
        observations=tuple(seen for seen, _ in pairs),
        verdicts=tuple(verdict for _, verdict in pairs),
        exposures=tuple(one for one in round_.exposures if draw(Keep)),
        addresses=tuple(one for one in round_.addresses if draw(Keep)),
        trials=tuple(trials),
    )


@st.composite
def torn_trial(draw, trial: Trial) -> Trial:
    answers = [(how, seen if draw(Keep) else draw(changed(seen))) for how, seen in trial.answers if draw(Keep)]
    return replace(trial, answers=tuple(answers))


@st.composite
def evidences(draw) -> Evidence:
    """What is left of a scenario's rounds for one of its domains."""
    rows = series(draw(NAMES))
    row = draw(st.sampled_from(rows))
    rounds = [draw(torn(one)) for one in row[-draw(st.integers(1, len(row))) :]]
    last = {other[-1].target.domain: other[-1] for other in rows}
    names = [name for name in row[-1].target.siblings if name != row[-1].target.domain and name in last]
    siblings = {name: draw(torn(last[name])) for name in names if draw(Keep)}
    down = draw(st.sampled_from(["", "", "none of 3 domains can be connected to"]))
    return Evidence(rounds, siblings, rounds[-1].trials, down)


def strings(finding: Finding) -> list[str]:
    return [
        finding.summary,
        finding.would_confirm,
        *finding.evidence,
        *finding.against,
        *finding.noticed_by,
        *finding.fix,
        *(text for one in finding.excluded for text in (one.cause, one.why)),
    ]


def shown(rounds: Sequence[Round]) -> str:
    console = Console(file=io.StringIO(), width=100, highlight=False, color_system=None)
    terminal.show(rounds, console)
    return console.file.getvalue()


SETTINGS = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@SETTINGS
@given(evidences())
def test_whatever_is_left_or_lied_about_there_are_findings_and_no_exception(evidence):
    findings = diagnose(evidence)

    if evidence.wrong:
        assert findings, "what is wrong is told, if only as unknown"
    for finding in findings:
        assert 0 < finding.confidence <= 1
        assert finding.domains[0] == evidence.domain
        assert set(finding.domains) <= {evidence.domain, *evidence.siblings}
        assert finding.code is None or 0 <= finding.code <= 999
        for text in strings(finding):
            assert len(text) <= MOST_CHARACTERS
            assert text.isprintable()
        for command in finding.reproduce:  # which hold nothing but what was configured and resolved
            assert len(command) <= MOST_CHARACTERS + 2 * len(evidence.target.path)
            assert command.isprintable()
        assert max(len(finding.evidence), len(finding.against), len(finding.excluded)) <= 60
    assert [one.severity for one in findings] == sorted((f.severity for f in findings), key=list(Severity).index)


@SETTINGS
@given(evidences())
def test_the_next_experiment_is_found_on_any_evidence(evidence):
    for thorough in (False, True):
        wish = next_wish(evidence, thorough=thorough)
        assert wish is None or (wish.address and wish.neighbour in {"", *evidence.siblings})


@settings(SETTINGS, max_examples=80)
@given(evidences())
def test_nothing_that_a_server_wrote_moves_the_cursor_or_breaks_the_document(evidence):
    done = replace(evidence.round, findings=diagnose(evidence))

    text = shown([done])
    document = json.dumps(documents.report([done]), ensure_ascii=True)

    assert [one for one in text if not one.isprintable() and one != "\n"] == []
    assert document.isascii()
    assert json.loads(document)["domains"][0]["domain"] == evidence.domain


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_and_escapes_in_any_place_are_shown_as_text(text):
    finding = Finding(
        "unknown", (text,), 421, 0.5, Severity.CRITICAL, text, (text,), (text,), (), text, (text,), (text,), (text,)
    )
    done = replace(series("apache-lacks-host")[0][-1], findings=(finding,))

    out = shown([done])

    assert [one for one in out if not one.isprintable() and one != "\n"] == []
    if text.startswith("[bold"):
        assert text in out
    assert json.dumps(documents.report([done])).isascii()
    assert leading(done.findings) is finding

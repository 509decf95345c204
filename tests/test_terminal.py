"""What a person reads: verdict, matrix, evidence, commands, fix; and nothing of what a server wrote is obeyed."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from exporter import terminal
from exporter.model import Connection, Excluded, Failure, Phase, Protocol, Severity, Verdict
from tests.factories import DOMAIN, certificate, finding, observation, probe, round_, target, tls

WHOLE = finding(
    evidence=("it says 502",),
    against=("once it was 200",),
    excluded=(Excluded("upstream-too-slow", "the error comes at once"),),
    would_confirm="the proxy's error log",
    noticed_by=("everybody",),
    reproduce=("curl -sk --connect-to shop.test:443:127.0.0.1:443 https://shop.test/ " + "x" * 150,),
    fix=("Start the application.",),
)
H2 = Protocol.H2


def shown(*rounds, **settings):
    console = Console(file=io.StringIO(), highlight=False, **{"width": 120, "color_system": None, **settings})
    terminal.show(rounds, console)
    return console.file.getvalue()


def row(text, *words):
    """The line in which all of the words stand."""
    (line,) = [line for line in text.splitlines() if all(word in line for word in words)]
    return line


def test_a_finding_is_told_in_sections_with_title_cause_and_confidence():
    text = shown(round_(findings=(WHOLE,)))

    for words in (
        "shop.test  The upstream is down",
        "CRITICAL upstream-down  confidence 80%",
        "Evidence",
        "- it says 502",
        "Does not fit",
        "- once it was 200",
        "Excluded",
        "- upstream-too-slow: the error comes at once",
        "Would tell more",
        "Who notices",
        "- everybody",
        "Fix",
        "- Start the application.",
        "To reproduce upstream-down",
        "curl -sk --connect-to",
        "Runbook  statuscode-exporter runbook upstream-down",
    ):
        assert words in text, words


def test_a_healthy_domain_is_said_to_be_so():
    text = shown(round_())

    assert "shop.test  healthy" in text
    assert text.splitlines()[-1] == "1 domain healthy, 1 probes in the last round"


def shared_certificate(*names, **settings):
    return observation(tls=tls(chain=(certificate(*names),), **settings))


def test_a_name_that_was_asked_alone_is_told_to_name_who_shares_its_certificate():
    """Who comes because browsers get a 421 that nobody else gets is not to read «healthy» only."""
    seen = shared_certificate("shop.test", "api.test", "*.shop.test", alpn="h2")

    text = " ".join(shown(round_(seen)).replace("│", " ").split())

    assert (
        "shop.test was asked alone. Its certificate is also for api.test and *.shop.test: browsers may ask for names "
        "under one certificate on one connection, which is tried with `--sibling NAME`."
    ) in text


@pytest.mark.parametrize(
    ("seen", "findings"),
    [
        ((shared_certificate("shop.test", alpn="h2"),), ()),
        ((shared_certificate("shop.test", "api.test"),), ()),  # HTTP/1.1, where no connection is shared between names
        ((shared_certificate("shop.test", "api.test", alpn="h2"),), (WHOLE,)),
        (
            (
                shared_certificate("shop.test", "api.test", alpn="h2"),
                observation(probe(sni="api.test", connection=Connection.REUSED)),
            ),
            (),
        ),
    ],
)
def test_that_is_not_told_where_it_would_lead_nowhere(seen, findings):
    assert "--sibling" not in shown(round_(*seen, findings=findings))


def test_the_domain_with_the_worst_finding_is_the_last_where_a_terminal_ends():
    rounds = [
        round_(of=target(name), findings=findings)
        for name, findings in (
            ("bad.test", (finding(severity=Severity.CRITICAL),)),
            ("fine.test", ()),
            ("so-so.test", (finding(severity=Severity.WARNING),)),
        )
    ]
    text = shown(*rounds)

    assert sorted(("bad.test  ", "fine.test  ", "so-so.test  "), key=text.index) == [
        "fine.test  ",
        "so-so.test  ",
        "bad.test  ",
    ]
    assert text.splitlines()[-1] == "2 of 3 domains with findings, 3 probes in the last round"


def test_the_matrix_has_a_row_for_each_way_to_ask_and_a_column_for_each_protocol():
    refused = observation(probe(host="nobody.invalid", connection=Connection.REUSED), status=421)
    failed = observation(probe(sni=None), failure=Failure(Phase.TLS, "alert"))
    unasked = observation(probe(host="b.test", connection=Connection.REUSED), failure=Failure(Phase.TLS, "not-covered"))
    seen = [observation(), observation(probe(protocol=H2), status=502), refused, failed, unasked]
    good = Verdict(expected=True, reason="")
    verdicts = (good, replace(good, expected=False), good, good, replace(good, conclusive=False))
    text = shown(round_(*seen, verdicts=verdicts))

    assert row(text, "SNI", "HTTP/1.1", "HTTP/2")
    assert "HTTP/3" not in text
    assert row(text, "shop.test", "new", "200", "502 !")
    assert row(text, "nobody.invalid", "shared", "421 (right)")
    assert row(text, "none", "tls alert (right)")
    assert row(text, "b.test", "shared", "-")


def test_the_name_that_nobody_owns_is_short_so_that_a_row_fits_a_terminal_of_80_columns():
    seen = observation(probe(host="statuscode-exporter-unknown-host.invalid", connection=Connection.REUSED), status=421)

    assert row(shown(round_(seen), width=80), "shop.test", "(unknown host)", "421 (right)")


def test_a_shared_connection_on_which_a_broken_name_is_refused_too_is_not_said_to_be_right():
    alone = observation(status=421)
    shared = observation(probe(sni="api.test", connection=Connection.REUSED, protocol=H2), status=421)
    wrong, good = Verdict(expected=False, reason=""), Verdict(expected=True, reason="")

    assert row(shown(round_(alone, shared, verdicts=(wrong, good))), "api.test", "421 (as alone)")


def test_a_matrix_of_a_large_group_is_cut_and_counted():
    seen = [observation(probe(host=f"h{number}.invalid", connection=Connection.REUSED)) for number in range(60)]

    assert "and 20 more" in shown(round_(*seen))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal_but_commands_which_are_whole_to_be_copied(width):
    lines = shown(round_(findings=(WHOLE,)), width=width).splitlines()

    assert lines.count(WHOLE.reproduce[0]) == 1
    assert max(len(line) for line in lines if line not in WHOLE.reproduce) <= width


@pytest.mark.parametrize("color_system", [None, "truecolor"])
@pytest.mark.parametrize(
    "hostile",
    ["\x1b[2J", "\x1b]0;title\x07", "\r overwritten", "[red]x[/red]", "[/", "\x9b31m", "\u202e", "\ud800", "a\x00b"],
)
def test_what_a_server_wrote_is_shown_as_text(hostile, color_system):
    bad = replace(WHOLE, summary=hostile, evidence=(hostile,), against=(hostile,), fix=(hostile,), reproduce=(hostile,),
                  noticed_by=(hostile,), would_confirm=hostile, excluded=(Excluded(hostile, hostile),))  # fmt: skip
    seen = observation(probe(sni=hostile, host=hostile), failure=Failure(Phase.TLS, hostile, hostile))
    text = shown(
        round_(seen, findings=(bad,), of=target(DOMAIN)), color_system=color_system, force_terminal=bool(color_system)
    )

    assert hostile not in text or hostile.isprintable()
    ours = text.replace("\x1b[", "") if color_system else text  # the colours
    assert [one for one in ours if not one.isprintable() and one != "\n"] == []


def test_lines_stay_and_controls_go():
    assert terminal.printable("a\nb\tc\x1b") == "a\nb\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}"


def test_progress_is_silent_where_nobody_looks(capsys):
    with terminal.progress(quiet=False) as told:
        told("looking")
    with terminal.progress(quiet=True) as told:
        told("looking")

    assert capsys.readouterr() == ("", "")


def test_one_fault_over_two_names_is_told_once():
    shared = replace(WHOLE, domains=("a.test", "b.test"))

    text = shown(round_(of=target("a.test"), findings=(shared,)), round_(of=target("b.test"), findings=(shared,)))

    assert (text.count("- it says 502"), text.count("To reproduce")) == (1, 1)
    assert text.count("CRITICAL upstream-down") == 2
    assert "as for a.test above" in text


def test_many_healthy_domains_get_a_line_each():
    names = [f"{letter}.test" for letter in "abcdef"]

    text = shown(*(round_(of=target(name)) for name in names))

    assert [line for line in text.splitlines() if line.endswith("healthy")] == [f"{name}  healthy" for name in names]
    assert "SNI" not in text

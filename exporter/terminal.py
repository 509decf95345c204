"""What a person reads in a terminal: verdict, matrix, evidence, fix, commands. The only home of rich.

Whatever a server wrote is shown as text: control characters are replaced, and markup is off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from exporter.config import UNKNOWN_HOST
from exporter.diagnosis import CAUSES, leading
from exporter.diagnosis.samples import answer_of
from exporter.diagnosis.wording import bounded, names
from exporter.model import Combination, Finding, Observation, Protocol, Round, Severity
from exporter.outcomes import Outcome, outcomes

_STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "cyan"}
_GOOD, _BAD = "green", "bold red"
_MARKS = {
    Outcome.GOOD: ("", _GOOD),
    Outcome.REFUSED: (" (right)", "blue"),
    Outcome.SAME: (" (as alone)", "red"),
    Outcome.WRONG: (" !", _BAD),
}
_MOST_ROWS = 40
_MOST_HEALTHY = 4  # more domains than these: who is healthy gets a line, and no matrix
_COLUMNS: dict[Protocol, str] = {Protocol.HTTP11: "HTTP/1.1", Protocol.H2: "HTTP/2", Protocol.H3: "HTTP/3"}


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Tells what is being done, on standard error, while it is a terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    with console.status("starting") as status:
        yield lambda words: status.update(Text(printable(words)))


def show(rounds: Sequence[Round], console: Console | None = None) -> None:
    """All of it, the domains with the worst findings last, where a terminal ends."""
    console = console or Console(highlight=False)
    ordered = sorted(rounds, key=_weight)
    brief = [one for one in ordered if len(rounds) > _MOST_HEALTHY and not one.findings]
    for one in brief:
        console.print(Text.assemble((printable(one.target.domain), "bold"), "  ", ("healthy", _GOOD)))
    told: dict[str, str] = {}
    for one in ordered:
        if one not in brief:
            fresh = _told_here(one, told)
            console.print(_domain(one, fresh, told), crop=False)
            _print_commands(fresh, console)
    console.print(_summary(rounds))


def printable(text: str) -> str:
    """The text on lines of its own without control characters: nothing that a server wrote moves the cursor."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _weight(round_: Round) -> int:
    first = leading(round_.findings)
    return 0 if first is None else len(Severity) - list(Severity).index(first.severity)


def _summary(rounds: Sequence[Round]) -> Text:
    bad = sum(leading(round_.findings) is not None for round_ in rounds)
    probes = sum(len(r.observations) + sum(len(trial.answers) for trial in r.trials) for r in rounds)
    words = f"{bad} of {len(rounds)} domains with findings, {probes} probes in the last round" if bad else (
        f"{len(rounds)} domain{'s' * (len(rounds) > 1)} healthy, {probes} probes in the last round"
    )  # fmt: skip
    return Text(words, style=_BAD if bad else _GOOD)


def _told_here(round_: Round, told: dict[str, str]) -> list[Finding]:
    """The findings whose details this domain's panel tells; `told` has by which panel each was told first."""
    domain = round_.target.domain
    before = [told.setdefault(_key(finding), domain) for finding in round_.findings]
    return [
        finding
        for finding, first in zip(round_.findings, before, strict=True)
        if first == domain or first not in finding.domains
    ]


def _key(finding: Finding) -> str:
    return f"{finding.cause} {finding.code}"


def _print_commands(findings: Sequence[Finding], console: Console) -> None:
    """Outside of any frame and never broken into lines, so that they can be copied."""
    for finding in findings:
        if finding.reproduce:
            console.print(Text.assemble(("To reproduce ", "dim"), (finding.cause, "bold")))
            for command in finding.reproduce:
                console.print(Text(printable(command), style="cyan"), soft_wrap=True)
            console.print()


def _domain(round_: Round, fresh: Sequence[Finding], told: Mapping[str, str]) -> RenderableType:
    """`fresh`: the findings with all their details; of the others is said where they were `told`."""
    first = leading(round_.findings)
    verdict = (
        Text("healthy", style=_GOOD)
        if first is None
        else Text(CAUSES[first.cause].title, style=_STYLES[first.severity])
    )
    title = Text.assemble((printable(round_.target.domain), "bold"), "  ", verdict)
    parts: list[RenderableType] = [_matrix(round_), Text()]
    if first is None and (others := _not_asked(round_)):
        parts += [Text(bounded(_alone(round_, others))), Text()]
    parts += [
        _finding(finding) if finding in fresh else _finding_again(finding, told[_key(finding)])
        for finding in round_.findings
    ]
    return Panel(Group(*parts), title=title, title_align="left", border_style="dim")


def _matrix(round_: Round) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("SNI", overflow="fold")
    table.add_column("Host", overflow="fold")
    table.add_column("at", overflow="fold")
    table.add_column("connection")
    used = [protocol for protocol in _COLUMNS if any(seen.probe.protocol is protocol for seen in round_.observations)]
    for protocol in used:
        table.add_column(_COLUMNS[protocol])
    rows = _rows(round_)
    for key, cells in list(rows.items())[:_MOST_ROWS]:
        sni, host, place, connection = key
        table.add_row(
            *(Text(printable(word)) for word in (sni, host, place, connection)),
            *(_cell(*cells[protocol]) if protocol in cells else Text("") for protocol in used),
        )
    if len(rows) > _MOST_ROWS:
        table.add_row(Text(f"and {len(rows) - _MOST_ROWS} more", style="dim"))
    return table


def _not_asked(round_: Round) -> list[str]:
    """Names under the domain's certificate, where browsers would share connections and no other name was asked for."""
    domain = round_.target.domain
    if any(seen.probe.sni not in (None, domain) or seen.probe.domain != domain for seen in round_.observations):
        return []
    sessions = [seen.tls for seen, _ in round_.matched if seen.tls is not None and seen.tls.alpn == Protocol.H2]
    covered = (name for session in sessions if session.leaf is not None for name in session.leaf.names)
    return [name for name in dict.fromkeys(covered) if name.lower() != domain]


def _alone(round_: Round, others: Sequence[str]) -> str:
    return (
        f"{round_.target.domain} was asked alone. Its certificate is also for {names(others)}: browsers may ask for "
        "names under one certificate on one connection, which is tried with `--sibling NAME`."
    )


_Key = tuple[str, str, str, str]
_Seen = tuple[Observation, Outcome]


def _rows(round_: Round) -> dict[_Key, dict[Protocol, _Seen]]:
    """The domain's own name first; protocols side by side."""
    rows: dict[_Key, dict[Protocol, _Seen]] = {}
    pairs = zip(round_.observations, outcomes(round_), strict=True)
    for seen, outcome in sorted(pairs, key=lambda pair: pair[0].probe.combination is not Combination.MATCHED):
        probe = seen.probe
        connection = {"fresh": "new", "reused": "shared", "held": "held"}[probe.connection]
        key = (probe.sni or "none", _short(probe.host), probe.place or "no address", connection)
        rows.setdefault(key, {})[probe.protocol] = (seen, outcome)
    return rows


def _short(host: str) -> str:
    """The name that nobody owns would widen the table beyond a terminal; evidence and commands have it whole."""
    return host.replace(UNKNOWN_HOST, "(unknown host)")


def _cell(seen: Observation, outcome: Outcome) -> Text:
    if outcome is Outcome.UNASKED:
        return Text("-", style="dim")
    mark, style = _MARKS[outcome]
    return Text(f"{printable(answer_of(seen))}{mark}", style=style)


def _head(finding: Finding) -> list[RenderableType]:
    head = Text.assemble(
        (finding.severity.upper(), _STYLES[finding.severity]),
        " ",
        (finding.cause, "bold"),
        f"  confidence {finding.confidence:.0%}",
    )
    return [head, Padding(Text(printable(finding.summary)), (0, 0, 0, 2))]


def _finding_again(finding: Finding, before: str) -> RenderableType:
    """One fault over many names is told once."""
    more = Text(f"Evidence, fix and runbook: as for {printable(before)} above", style="dim")
    return Group(*_head(finding), Padding(more, (0, 0, 1, 2)))


def _finding(finding: Finding) -> RenderableType:
    parts = _head(finding)
    sections = (
        ("Evidence", finding.evidence),
        ("Does not fit", finding.against),
        ("Excluded", tuple(f"{one.cause}: {one.why}" for one in finding.excluded)),
        ("Would tell more", (finding.would_confirm,) if finding.would_confirm else ()),
        ("Who notices", finding.noticed_by),
        ("Fix", finding.fix),
    )
    for name, lines in sections:
        if lines:
            parts += [Padding(Text(name, style="dim"), (0, 0, 0, 2)), *_items(lines)]
    runbook = Text.assemble(("Runbook  ", "dim"), f"statuscode-exporter runbook {finding.cause}")
    parts.append(Padding(runbook, (0, 0, 1, 2)))
    return Group(*parts)


def _items(lines: Sequence[str]) -> list[RenderableType]:
    return [Padding(Text(f"- {printable(line)}"), (0, 0, 0, 4)) for line in lines]

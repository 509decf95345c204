"""`/`: one row per domain, the worst first."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from aiohttp import web

from exporter.metrics import certificate_not_after
from exporter.model import Combination, Observation, Round, Target
from exporter.web.house import HOUSE, House
from exporter.web.streaming import stream
from exporter.web.templating import TEMPLATES

# Each a step of about 2 ms, measured with 5,000 domains.
_ROWS_PER_STEP = 100
_PIECES_PER_CHUNK = 400

_MAX_REASON = 200
_MAX_STATUSES = 6
# Let's Encrypt, the shortest common kind, is renewed with 30 of 90 days left.
_EXPIRES_SOON_DAYS = 14
# One round may be late or missed; more is worth a word.
_STALE_INTERVALS = 3

_DAY_SECONDS = 86_400
_UNITS = ((_DAY_SECONDS, "d"), (3_600, "h"), (60, "min"), (1, "s"))


class State(Enum):
    """How a domain stands, the worst first: the word for it, and which total counts it."""

    DOWN = ("Down", "bad")
    PARTLY_DOWN = ("Partly down", "bad")
    NOT_YET_PROBED = ("Not yet probed", "pending")
    ODD = ("Up, but odd", "good")
    UP = ("Up", "good")

    def __init__(self, word: str, total: str) -> None:
        self.word = word
        self.total = total
        self.rank = len(type(self).__members__)

    @property
    def id(self) -> str:
        """For style sheets."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Status:
    """What matched probes were answered at one address, in a word: a status code, or the phase and kind of the failure.

    Attributes:
        protocols: those over which the answer was this.
    """

    address: str
    answer: str
    expected: bool
    protocols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One domain as the page tells it.

    Attributes:
        reason: of the worst verdict, one bounded line; empty: nothing is wrong.
        statuses: of matched probes, the unexpected first, at most six; `statuses_left_out` counts the others.
        age: of the last round; empty: there is none.
        certificate: how long it is still good; empty: none was seen.
    """

    domain: str
    group: str
    state: State
    reason: str = ""
    statuses: tuple[Status, ...] = ()
    statuses_left_out: int = 0
    age: str = ""
    is_stale: bool = False
    certificate: str = ""
    expires_soon: bool = False


async def overview(request: web.Request) -> web.StreamResponse:
    house = request.app[HOUSE]
    rows = await _survey(house)
    totals = Counter(row.state.total for row in rows)
    page = TEMPLATES.get_template("overview.html").stream(root="", rows=rows, totals=totals)
    page.enable_buffering(_PIECES_PER_CHUNK)
    return await stream(request, "text/html; charset=utf-8", (text.encode("utf-8", "replace") for text in page))


async def _survey(house: House) -> list[Row]:
    """All rows, the worst first, made in steps."""
    now = house.now()
    rows: list[Row] = []
    for number, (target, round_) in enumerate(_last_rounds(house), start=1):
        rows.append(row(target, round_, now))
        if number % _ROWS_PER_STEP == 0:
            await asyncio.sleep(0)
    return sorted(rows, key=lambda each: (each.state.rank, each.domain))


def _last_rounds(house: House) -> Iterable[tuple[Target, Round | None]]:
    rounds = {round_.target.domain: round_ for round_ in house.latest.rounds()}
    return [(target, rounds.get(target.domain)) for target in house.config_targets()]


def row(target: Target, round_: Round | None, now: float) -> Row:
    """What the page says of `target` at `now` (Unix time in seconds)."""
    if round_ is None:
        return Row(target.domain, target.group, State.NOT_YET_PROBED)
    statuses = tuple(sorted(_statuses(round_), key=lambda status: status.expected))
    age_seconds = max(0.0, now - round_.started_at - round_.duration_seconds)
    not_after = certificate_not_after(round_)
    return Row(
        domain=target.domain,
        group=target.group,
        state=_state(round_, statuses),
        reason=_worst_reason(round_)[:_MAX_REASON],
        statuses=statuses[:_MAX_STATUSES],
        statuses_left_out=max(0, len(statuses) - _MAX_STATUSES),
        age=f"{_duration(age_seconds)} ago",
        is_stale=age_seconds > _STALE_INTERVALS * target.interval_seconds,
        certificate="" if not_after is None else _validity(not_after - now),
        expires_soon=not_after is not None and not_after - now < _EXPIRES_SOON_DAYS * _DAY_SECONDS,
    )


def _statuses(round_: Round) -> Iterator[Status]:
    protocols: dict[tuple[str, str, bool], list[str]] = {}
    for seen, verdict in round_.matched:
        if verdict.conclusive:
            key = (seen.probe.address or "no address", _answer(seen), verdict.expected)
            protocols.setdefault(key, []).append(seen.probe.protocol)
    for key, spoken in protocols.items():
        yield Status(*key, tuple(dict.fromkeys(spoken)))


def _answer(seen: Observation) -> str:
    if seen.failure is not None:
        return f"{seen.failure.phase}: {seen.failure.kind}"
    return str(seen.response.status) if seen.response is not None else "no answer"


def _state(round_: Round, statuses: tuple[Status, ...]) -> State:
    if round_.up:
        return State.UP if all(verdict.expected for verdict in round_.verdicts) else State.ODD
    return State.PARTLY_DOWN if any(status.expected for status in statuses) else State.DOWN


def _worst_reason(round_: Round) -> str:
    """The reason of the first unexpected verdict, a matched probe's before others, which say what they asked."""
    pairs = list(zip(round_.observations, round_.verdicts, strict=True))
    for _, verdict in round_.matched:
        if not verdict.expected:
            return verdict.reason
    return next((f"{_asked(seen)}: {verdict.reason}" for seen, verdict in pairs if not verdict.expected), "")


def _asked(seen: Observation) -> str:
    """`help.example on the connection of cart.example`, or the combination."""
    if seen.probe.combination is Combination.COALESCED:
        return f"{seen.probe.host} on the connection of {seen.probe.sni}"
    return seen.probe.combination


def _validity(seconds: float) -> str:
    return f"{_duration(seconds)} left" if seconds > 0 else f"expired {_duration(-seconds)} ago"


def _duration(seconds: float) -> str:
    """In the largest unit that fits, cut off: 12 s, 3 min, 5 h, 64 d."""
    size, unit = next((each for each in _UNITS if seconds >= each[0]), _UNITS[-1])
    return f"{int(seconds // size)} {unit}"

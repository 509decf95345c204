"""What numbers are shown as: causes by title, severities by color, answers by code and by whether that is right."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from dashboards.values import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, YELLOW, Paint, Shown
from exporter.diagnosis import CAUSES
from exporter.model import Severity
from exporter.runbooks import CODES

SEVERITY_COLORS = {Severity.CRITICAL: RED, Severity.WARNING: ORANGE, Severity.INFO: BLUE}
SEVERITIES = tuple((str(severity), color) for severity, color in SEVERITY_COLORS.items())

HEALTHY = Shown(0, "as expected", GREEN)
CAUSES_SHOWN = (
    HEALTHY,
    *(Shown(one.number, one.title, SEVERITY_COLORS[one.severity]) for one in CAUSES.values()),
)

YES_NO = (Shown(1, "yes", GREEN), Shown(0, "no", RED))

OF_CODES = (
    Paint("4..$", ORANGE),
    Paint("404$", f"light-{ORANGE}"),
    Paint("421$", RED),
    Paint("5..$", PURPLE),
    Paint("502$", f"dark-{PURPLE}"),
    Paint("503$", f"light-{PURPLE}"),
)
"""Series that are named by statuses which nobody wants."""

OF_ANSWERS = (
    Paint("[123]..$", f"dark-{GREEN}"),
    Paint("^matched [123]..$", GREEN),
    *OF_CODES,
    Paint("421$", f"dark-{BLUE}"),
    Paint("^no_sni 421$", BLUE),
    Paint("^unknown_host 421$", f"light-{BLUE}"),
    Paint("^matched 421$", RED),
)
"""Series that are named by combination and status: a 421 is right wherever the server may refuse."""

OF_REFUSALS = (
    Paint("expected=true", f"dark-{BLUE}"),
    Paint("expected=true.*no_sni|no_sni.*expected=true", BLUE),
    Paint("expected=true.*unknown_host|unknown_host.*expected=true", f"light-{BLUE}"),
    Paint("expected=false", RED),
)

OF_FAILURES = (Paint("", YELLOW), Paint("^dns", PURPLE), Paint("^connect", RED), Paint("^tls", ORANGE))
"""Series that are named by the phase that failed."""

OF_SEVERITIES = tuple(Paint(f"^{severity}", color) for severity, color in SEVERITIES)

WRONG = 1000
"""Is added to the code of an answer that is not as expected, so that one number tells both."""


def _as_expected(code: int) -> Shown:
    color = BLUE if code == HTTPStatus.MISDIRECTED_REQUEST else GREEN if code < 400 else GREY
    return Shown(code, f"{code}", color)


def _wrong(code: int) -> Shown:
    color = PURPLE if code >= 500 else ORANGE if 400 <= code != HTTPStatus.MISDIRECTED_REQUEST else RED
    return Shown(WRONG + code, f"{code} wrong", color)


_KNOWN = sorted({int(status) for status in HTTPStatus} | {int(code) for code in CODES})

ANSWERS = (
    Shown(0, "refused", GREY),
    Shown(WRONG, "no answer", RED),
    *map(_as_expected, _KNOWN),
    *map(_wrong, _KNOWN),
)
ANSWERS_IN_BRIEF = tuple(replace(one, text=one.text.replace(" wrong", " !")) for one in ANSWERS)

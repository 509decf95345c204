from __future__ import annotations

from dataclasses import replace

from exporter.model import Connection, Failure, Phase, Protocol, Verdict
from exporter.outcomes import Outcome
from exporter.web.grid import MOST_COLUMNS, MOST_REASONS, MOST_ROWS, grid
from tests.factories import AS_EXPECTED, observation, probe, round_

WRONG = Verdict(expected=False, reason="421 instead of 200-399")
UNASKED = Verdict(expected=True, reason="not spoken here", conclusive=False)

OWN = observation(probe())
OWN_H2 = observation(replace(probe(), protocol=Protocol.H2))
OTHER_ADDRESS = observation(probe(address="127.0.0.2"), status=421)
NO_SNI = observation(probe(sni=None), failure=Failure(Phase.TLS, "alert"))
SHARED = observation(
    probe(sni="api.test", connection=Connection.REUSED, protocol=Protocol.H2), status=421
)  # fmt: skip


def test_rows_are_ways_to_ask_and_columns_are_protocols_and_addresses():
    found = grid(
        round_(
            SHARED, NO_SNI, OWN, OTHER_ADDRESS, OWN_H2,
            verdicts=(AS_EXPECTED, AS_EXPECTED, AS_EXPECTED, WRONG, UNASKED),
        )
    )  # fmt: skip

    assert found.protocols == (("HTTP/1.1", ("127.0.0.1", "127.0.0.2")), ("HTTP/2", ("127.0.0.1",)))
    told = [
        (row.sni, row.host, row.connection, [cell and (cell.outcome, cell.answer) for cell in row.cells])
        for row in found.rows
    ]
    assert told == [
        ("shop.test", "shop.test", "new", [(Outcome.GOOD, "200"), (Outcome.WRONG, "421"), (Outcome.UNASKED, "200")]),
        ("api.test", "shop.test", "shared", [None, None, (Outcome.REFUSED, "421")]),
        ("", "shop.test", "new", [(Outcome.REFUSED, "tls alert"), None, None]),
    ]
    assert found.legend == ((Outcome.WRONG, 1), (Outcome.REFUSED, 2), (Outcome.GOOD, 1), (Outcome.UNASKED, 1))
    assert found.reasons == (("SNI=shop.test Host=shop.test at 127.0.0.2 over http/1.1", WRONG.reason),)


def test_a_right_refusal_is_never_shown_as_a_wrong_one():
    """The legend's whole point: 421 where nobody should be served is blue, 421 for the domain itself is red."""
    found = grid(round_(SHARED, OTHER_ADDRESS, verdicts=(AS_EXPECTED, WRONG)))

    kinds = {cell.outcome for row in found.rows for cell in row.cells if cell is not None}
    assert kinds == {Outcome.REFUSED, Outcome.WRONG}


def test_what_is_too_much_is_left_out_and_counted_but_never_what_is_wrong():
    many = [observation(probe(sni=f"{number}.test", address=f"127.0.1.{number % 50}")) for number in range(200)]
    wrong = [observation(probe(sni="z.test", address=f"127.0.2.{number}"), status=404) for number in range(20)]

    found = grid(round_(*many, *wrong, verdicts=(*[AS_EXPECTED] * 200, *[WRONG] * 20)))

    assert len(found.rows) == MOST_ROWS
    assert sum(len(places) for _, places in found.protocols) == MOST_COLUMNS
    assert (found.rows_left_out, found.columns_left_out) == (201 - MOST_ROWS, 70 - MOST_COLUMNS)
    assert (len(found.reasons), found.reasons_left_out) == (MOST_REASONS, 20 - MOST_REASONS)
    shown = [cell for row in found.rows for cell in row.cells if cell is not None and cell.outcome is Outcome.WRONG]
    assert len(shown) == 20
    assert dict(found.legend) == {Outcome.WRONG: 20, Outcome.GOOD: 200}


def test_a_domain_that_does_not_resolve_has_a_column_that_says_so():
    found = grid(round_(observation(probe(address=None), failure=Failure(Phase.RESOLVE, "no-such-name"))))

    assert found.protocols == (("HTTP/1.1", ("no address",)),)

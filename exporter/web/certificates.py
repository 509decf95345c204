"""The certificates that a round was shown, and where. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exporter.model import Certificate, Round

MOST_CERTIFICATES, MOST_NAMES, MOST_PLACES = 12, 20, 8

_FAULTS = {
    "expired": "expired",
    "not-yet-valid": "not yet valid",
    "untrusted": "not trusted",
    "wrong-name": "for another name",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One leaf.

    Attributes:
        faults: in words; empty: it is trusted wherever it was shown.
        places: by what server name it was asked for, and at which address.
        left: how long it is still valid, in seconds; negative: it is not.
    """

    certificate: Certificate
    faults: tuple[str, ...]
    names: tuple[str, ...]
    names_left_out: int
    places: tuple[str, ...]
    places_left_out: int
    left: float


def shown(round_: Round, now: float) -> tuple[Shown, ...]:
    """The faulty ones first; `now` in Unix time."""
    return tuple(sorted(_all(round_, now), key=lambda one: (not one.faults, one.left, one.certificate.sha256)))[
        :MOST_CERTIFICATES
    ]


def _all(round_: Round, now: float) -> Iterator[Shown]:
    places: dict[Certificate, dict[str, None]] = {}
    faults: dict[Certificate, dict[str, None]] = {}
    for seen in round_.observations:
        leaf = seen.tls.leaf if seen.tls is not None else None
        if seen.tls is None or leaf is None:
            continue
        sni = seen.probe.sni or "no SNI"
        places.setdefault(leaf, {})[f"{sni} at {seen.probe.place}"] = None
        faults.setdefault(leaf, {}).update(dict.fromkeys(seen.tls.faults))
    for leaf, where in places.items():
        yield Shown(
            certificate=leaf,
            faults=tuple(sorted(_FAULTS.get(fault, fault) for fault in faults[leaf])),
            names=leaf.names[:MOST_NAMES],
            names_left_out=max(0, leaf.names_total - MOST_NAMES),
            places=tuple(sorted(where))[:MOST_PLACES],
            places_left_out=max(0, len(where) - MOST_PLACES),
            left=leaf.not_after - now,
        )

"""Names the cause: thinks and touches nothing."""

from exporter.diagnosis.catalogue import CAUSES
from exporter.diagnosis.cause import Cause
from exporter.diagnosis.diagnose import diagnose, joined, leading, together, undiagnosed
from exporter.diagnosis.evidence import Evidence
from exporter.diagnosis.wishes import Wish, next_wish

__all__ = [
    "CAUSES",
    "Cause",
    "Evidence",
    "Wish",
    "diagnose",
    "joined",
    "leading",
    "next_wish",
    "together",
    "undiagnosed",
]

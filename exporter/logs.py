"""Log lines as logfmt or JSON, one event a line, to standard error. The only home of structlog."""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from typing import TextIO

import structlog


class LogFormat(StrEnum):
    LOGFMT = "logfmt"
    JSON = "json"


_RENDERERS: dict[LogFormat, structlog.typing.Processor] = {
    LogFormat.LOGFMT: structlog.processors.LogfmtRenderer(key_order=["ts", "level", "logger", "msg"]),
    LogFormat.JSON: structlog.processors.JSONRenderer(),
}
_LEVELS = {
    "apscheduler": logging.CRITICAL,  # the schedule reports missed and broken rounds itself
    "asyncio": logging.ERROR,
}


def set_up(level: str, form: LogFormat, stream: TextIO = sys.stderr) -> None:
    """Send all log lines of `level` and above to `stream`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", key="ts"),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("msg"),
                structlog.processors.format_exc_info,
                _RENDERERS[form],
            ],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name, quiet in _LEVELS.items():
        logging.getLogger(name).setLevel(quiet)

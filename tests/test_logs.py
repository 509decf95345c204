import io
import json
import logging

import pytest

from exporter.logs import LogFormat, set_up


@pytest.fixture(autouse=True)
def _root_logger_is_put_back():
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:], logger.level = handlers, level


def test_logfmt_is_one_line_an_event_with_quoted_values():
    stream = io.StringIO()
    set_up("info", LogFormat.LOGFMT, stream)

    logging.getLogger("x").warning('a "quoted" thing at %s', "127.0.0.1")
    logging.getLogger("x").debug("not this")

    (line,) = stream.getvalue().splitlines()
    assert line.endswith('level=warning logger=x msg="a \\"quoted\\" thing at 127.0.0.1"')


def test_json_is_one_object_an_event():
    stream = io.StringIO()
    set_up("debug", LogFormat.JSON, stream)

    logging.getLogger("x").error("broke", exc_info=KeyError("k"))

    event = json.loads(stream.getvalue())
    assert (event["level"], event["msg"], "KeyError" in event["exception"]) == ("error", "broke", True)


def test_what_a_server_wrote_cannot_begin_a_line_of_its_own():
    stream = io.StringIO()
    set_up("info", LogFormat.LOGFMT, stream)

    logging.getLogger("x").info("seen: %s", "evil\nts=1 level=error msg=forged")

    assert len(stream.getvalue().splitlines()) == 1

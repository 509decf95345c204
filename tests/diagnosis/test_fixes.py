"""What to change, for the software that was seen."""

from __future__ import annotations

import pytest

from exporter.diagnosis import CAUSES
from exporter.diagnosis.fixes import _FIXES, ANY, hints
from exporter.diagnosis.servers import SERVERS


def test_fixes_are_for_causes_that_exist_and_servers_that_can_be_seen():
    assert _FIXES.keys() <= CAUSES.keys()
    assert {server for table in _FIXES.values() for server in table} <= {ANY, *(row.id for row in SERVERS)}


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        (("nginx",), "server block"),
        (("apache", "nginx"), "VirtualHost"),
        (("caddy", "nginx"), "server block"),
        (("caddy",), "Configure the name at the server"),
        ((), "Configure the name at the server"),
    ],
)
def test_the_fix_of_the_first_server_that_has_one_or_the_general_one(servers, words):
    (hint,) = hints("vhost-missing", servers)

    assert words in hint


def test_a_cause_without_a_fix_has_none():
    assert hints("unknown", ("nginx",)) == ()
    assert hints("server-rejects-sni", ("nginx",)) == ()


def test_fixes_are_whole_sentences_on_one_line():
    hints_ = [hint for table in _FIXES.values() for hint in table.values()]

    assert [hint for hint in hints_ if not hint.isprintable() or "  " in hint or len(hint) > 300] == []
    assert [hint for hint in hints_ if hint.count("`") % 2] == []

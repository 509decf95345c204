"""What `check --save` writes and `replay` reads."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from exporter import saved
from exporter.config import ConfigError
from exporter.model import Secret, Severity
from tests.diagnosis.cases import API, SHOP, neighbour, nginx, round_, seen, stranger, target
from tests.factories import finding

REFUSED = round_(seen(nginx(404)), stranger(nginx(404)))
SERIES = (
    (REFUSED, replace(REFUSED, findings=(finding("unknown"),))),
    (neighbour()[API],),
)


def test_what_is_saved_is_read_again(tmp_path):
    saved.save(tmp_path / "round.json", SERIES)

    assert saved.load(tmp_path / "round.json") == SERIES


def test_findings_are_made_anew_of_the_last_round_and_its_siblings():
    shop, api = saved.diagnosed_anew(SERIES)

    assert [one.cause for one in shop.findings] == ["vhost-missing"]
    assert (api.target.domain, api.findings) == (API, ())


def test_a_domain_alone_is_diagnosed_without_its_siblings():
    (shop,) = saved.diagnosed_anew(SERIES[:1])

    assert [one.cause for one in shop.findings] != ["vhost-missing"]
    assert shop.findings[0].severity is Severity.CRITICAL


def test_domains_that_fail_alike_are_told_together():
    series = [(round_(seen(nginx(502), domain=name), of=target(name)),) for name in (SHOP, API)]

    assert [one.findings[0].domains for one in saved.diagnosed_anew(series)] == [(SHOP, API), (API, SHOP)]


def test_no_secret_is_written_not_even_where_the_server_says_it_again(tmp_path):
    about = target(headers=(("Authorization", Secret("Bearer t0ps3cret", "env T")),))
    echo = seen(nginx(403, server="Bearer t0ps3cret"))
    saved.save(tmp_path / "round.json", [(round_(echo, of=about),)])

    assert "t0ps3cret" not in (tmp_path / "round.json").read_text()
    assert saved.load(tmp_path / "round.json")


def test_lone_surrogates_do_not_keep_a_round_from_being_saved(tmp_path):
    saved.save(tmp_path / "round.json", [(round_(seen(nginx(404, server="\ud800"))),)])

    assert saved.load(tmp_path / "round.json")


GOOD = {"format": 1, "targets": []}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is no JSON, or cut off"),
        (b"\xff\xfe", "is no JSON, or cut off"),
        (b'{"format": 1, "targets": [[', "is no JSON, or cut off"),
        (b"[" * 100_000, "is no JSON, or cut off"),
        (b"[]", "is not what `check --save` of this version writes"),
        (b'{"format": 2, "targets": []}', "is not what `check --save` of this version writes"),
        (b'{"format": 1}', "is not what `check --save` of this version writes: 'targets'"),
        (b'{"format": 1, "targets": 7}', "is not what `check --save` of this version writes: "),
        (b'{"format": 1, "targets": [7]}', "is not what `check --save` of this version writes: "),
        (b'{"format": 1, "targets": [[7]]}', "is not what `check --save` of this version writes: "),
        (
            b'{"format": 1, "targets": [[{}]]}',
            "is not what `check --save` of this version writes: target: Field required",
        ),
        (b'{"format": 1, "targets": [[]]}', "holds a target without rounds"),
        (b'{"format": 1, "targets": []}', "holds no target"),
    ],
)
def test_what_is_no_saved_round_is_told_in_one_line(tmp_path, content, complaint):
    (tmp_path / "bad.json").write_bytes(content)

    with pytest.raises(ConfigError) as error:
        saved.load(tmp_path / "bad.json")

    (line,) = error.value.complaints
    assert line.startswith(f"{tmp_path}/bad.json: {complaint}")
    assert "\n" not in line
    assert len(line) < 400


def torn(change):
    """A saved document of which a part is changed."""
    document = {"format": 1, "targets": [[json.loads(saved.text_of_round(round_(seen())))]]}
    change(document["targets"][0][0])
    return json.dumps(document)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.pop("observations"),
        lambda one: one["verdicts"].clear(),
        lambda one: one.update(duration_seconds="long"),
        lambda one: one["observations"][0]["probe"].update(protocol="gopher"),
        lambda one: one["observations"][0]["response"].update(body="%%%"),
    ],
)
def test_a_round_in_which_something_does_not_fit_is_told_in_one_line(tmp_path, change):
    (tmp_path / "bad.json").write_text(torn(change))

    with pytest.raises(ConfigError, match="is not what `check --save` of this version writes"):
        saved.load(tmp_path / "bad.json")


@pytest.mark.parametrize("name", ["none.json", "."])
def test_a_file_that_cannot_be_read_is_told_by_its_name(tmp_path, name):
    with pytest.raises(ConfigError, match="cannot be read"):
        saved.load(tmp_path / name)


def test_a_place_that_cannot_be_written_to_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        saved.save(tmp_path / "no" / "round.json", SERIES)

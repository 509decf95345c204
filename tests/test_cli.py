"""The command line as a person uses it: a process, its output and its exit status."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from exporter import __version__, runbooks

GOOD = "groups: [{name: g, domains: [a.example.test]}]\n"
BAD = "global: {intervall: 60s}\ngroups: [{name: g, port: 0, domains: [a.example.test]}]\n"


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "exporter", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_version_is_told():
    done = command("--version")

    assert (done.returncode, done.stdout.split()[:2]) == (0, ["statuscode-exporter", __version__])


def test_a_good_file_is_said_to_be_fine(tmp_path):
    (tmp_path / "good.yaml").write_text(GOOD)

    done = command("config", "check", str(tmp_path / "good.yaml"))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("good.yaml: fine, 1 domains in 1 groups\n")


@pytest.mark.parametrize("arguments", [("config", "check"), ("serve", "--config.file"), ("demo", "--config.file")])
def test_everything_wrong_with_a_file_is_told_at_once_and_nothing_starts(tmp_path, arguments):
    (tmp_path / "bad.yaml").write_text(BAD)

    done = command(*arguments, str(tmp_path / "bad.yaml"))

    assert (done.returncode, done.stdout) == (2, "")
    assert ["global.intervall" in done.stderr, "groups[0].port" in done.stderr] == [True, True]
    assert "Traceback" not in done.stderr


def test_everything_wrong_with_both_files_is_told_at_once(tmp_path):
    (tmp_path / "bad.yaml").write_text(BAD)
    (tmp_path / "web.yaml").write_text("basic_auth_users: {alice: hunter2}")

    done = command("serve", f"--config.file={tmp_path / 'bad.yaml'}", f"--web.config.file={tmp_path / 'web.yaml'}")

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 3)
    assert ["groups[0].port" in done.stderr, "basic_auth_users.alice" in done.stderr] == [True, True]
    assert "hunter2" not in done.stderr


def test_a_file_that_is_missing_is_a_configuration_error(tmp_path):
    done = command("serve", f"--config.file={tmp_path / 'none.yaml'}")

    assert (done.returncode, "none.yaml" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("serve", "--nonsense"),
        ("serve", "--web.listen-address=nonsense"),
        ("serve", "--web.listen-address=:99999"),
        ("serve", "--web.listen-address=::1:10421"),
        ("serve", "--log.level=loud"),
        ("serve", "--storage.retention.time=soon"),
        ("serve", "--storage.retention.size=512"),
        ("serve", "--storage.retention.size=0MB"),
    ],
)
def test_wrong_usage_is_exit_status_2(arguments):
    done = command(*arguments)

    assert (done.returncode, "usage:" in done.stderr) == (2, True)


@pytest.mark.parametrize(("id_", "words"), [("sni-router-lacks-name", "## Mitigation"), ("421", "## Meaning")])
def test_a_runbook_is_printed_as_markdown(id_, words):
    done = command("runbook", id_)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"# {runbooks.titles()[id_]}\n")
    assert words in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_that_knows_few_letters_is_told_the_rest(encoding):
    done = subprocess.run(
        [sys.executable, "-m", "exporter", "runbook", "cdn-name-not-attached"],
        env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    whole = command("runbook", "cdn-name-not-attached").stdout

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == whole.encode(encoding, errors="replace")
    assert not whole.isascii()


def test_without_an_id_all_runbooks_are_listed():
    done = command("runbook")

    assert [line.split()[0] for line in done.stdout.splitlines()] == list(runbooks.ids())


@pytest.mark.parametrize(
    ("id_", "hint"),
    [
        ("sni-router-lacks-nam", "did you mean sni-router-lacks-name"),
        ("../../../etc/passwd", "`statuscode-exporter runbook` lists all"),
    ],
)
def test_a_runbook_that_there_is_not_is_one_clear_line(id_, hint):
    done = command("runbook", id_)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"there is no runbook {id_!r}: {hint}" in done.stderr


def test_an_address_that_is_taken_is_one_clear_line(tmp_path):
    import socket

    (tmp_path / "good.yaml").write_text(GOOD)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        flags = (
            f"--config.file={tmp_path / 'good.yaml'}",
            "--storage.path=:memory:",
            f"--web.listen-address={address}",
        )
        done = command("serve", *flags)

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert done.stderr.splitlines()[-1].startswith("cannot serve: ")
    assert "address already in use" in done.stderr


def test_a_store_of_a_newer_version_is_one_clear_line(tmp_path):
    import sqlite3

    (tmp_path / "good.yaml").write_text(GOOD)
    connection = sqlite3.connect(tmp_path / "incidents.db")
    connection.execute("PRAGMA user_version = 1000")
    connection.close()
    done = command(
        "serve",
        f"--config.file={tmp_path / 'good.yaml'}",
        f"--storage.path={tmp_path}",
        "--web.listen-address=127.0.0.1:0",
    )

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "incidents.db was written by a newer version of the exporter" in done.stderr


def test_a_store_that_another_exporter_uses_is_one_clear_line(tmp_path):
    from exporter.store.lock import Lock

    (tmp_path / "good.yaml").write_text(GOOD)
    lock = Lock(tmp_path / "data")
    lock.take()
    done = command(
        "serve",
        f"--config.file={tmp_path / 'good.yaml'}",
        f"--storage.path={tmp_path / 'data'}",
        "--web.listen-address=127.0.0.1:0",
    )
    lock.release()

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "another exporter (process" in done.stderr
    assert "--storage.path" in done.stderr

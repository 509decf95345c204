"""`check` and `replay` as a person or a script uses them: a process, its output and its exit status."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

import pytest
import yaml

from tests.origin import CLOSE, answer, host_of, origin

A, B = "a.test", "b.test"


async def command(*arguments, environment=None):
    """Exit status, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exporter", *map(str, arguments),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=os.environ | (environment or {}),
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            out, error = await process.communicate()
    except TimeoutError:
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        raise
    return process.returncode, out.decode(), error.decode()


def only(*served):
    """Serves these names, however they are spelled, and says 404 to all others."""

    def respond(head):
        host = host_of(head).lower().rstrip(".")
        body = f"<title>{host}</title><p>Welcome to {host}</p>".encode()
        return answer(200, body) if host in served else answer(404, b"<h1>no such shop") + CLOSE

    return respond


def flags(server, ca_file):
    return ("--address=127.0.0.1", f"--port={server.port}", f"--ca-file={ca_file}", "--timeout=3s")


async def test_healthy_siblings_are_exit_status_0(leaf, ca_file):
    async with origin({None: leaf}, only(A, B)) as server:
        status, out, error = await command("check", A, "--sibling", B, *flags(server, ca_file))

    assert (status, error) == (0, "")
    assert out.splitlines()[-1].startswith("2 domains healthy, ")
    assert ["a.test  healthy" in out, "b.test  healthy" in out] == [True, True]
    assert out.isprintable() or "\x1b" not in out


async def test_a_finding_is_exit_status_1_and_stands_first_in_the_document(leaf, ca_file):
    async with origin({None: leaf}, only(A)) as server:
        status, out, error = await command("check", A, B, "--json", *flags(server, ca_file))
    document = json.loads(out)

    assert (status, error, out.isascii()) == (1, "", True)
    assert [one["domain"] for one in document["domains"]] == [A, B]
    served, refused = document["domains"]
    assert (served["up"], served["findings"], refused["up"]) == (True, [], False)
    finding = refused["findings"][0]
    assert (finding["cause"], finding["code"], finding["severity"]) == ("vhost-missing", 404, "critical")
    assert {type(finding[key]) for key in ("confidence", "summary", "evidence", "excluded", "reproduce")} == {
        float,
        str,
        list,
    }
    assert all(set(one) == {"cause", "why"} for one in finding["excluded"])
    assert finding["evidence"]
    assert finding["reproduce"][0].startswith("curl ")


async def test_a_mere_remark_is_exit_status_0(leaf, ca_file):
    """Host in upper case is the same name, and refused."""

    def respond(head):
        return answer(404, b"no such shop") + CLOSE if host_of(head).isupper() else answer(200)

    async with origin({None: leaf}, respond) as server:
        status, out, _ = await command("check", A, "--output=json", *flags(server, ca_file))

    (domain,) = json.loads(out)["domains"]
    assert (status, [(one["cause"], one["severity"]) for one in domain["findings"]]) == (
        0,
        [("host-header-shape", "info")],
    )


async def test_the_text_tells_cause_commands_and_runbook(leaf, ca_file):
    async with origin({None: leaf}, only(A)) as server:
        status, out, _ = await command(
            "check", B, "--sibling", A, *flags(server, ca_file), environment={"COLUMNS": "160"}
        )

    assert status == 1
    for words in (
        "CRITICAL vhost-missing",
        "404 !",
        "To reproduce",
        f"--connect-to b.test:{server.port}",
        "statuscode-exporter runbook vhost-missing",
    ):
        assert words in out, words


async def test_all_targets_of_a_file_are_checked(leaf, ca_file, tmp_path):
    async with origin({None: leaf}, only(A)) as server:
        settings = {"port": server.port, "resolve": ["127.0.0.1"], "ca_file": str(ca_file)}
        document = {"groups": [{"name": name, **settings, "domains": [name]} for name in (A, B)]}
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(document))
        status, out, _ = await command("check", f"--config.file={tmp_path}/config.yaml", "--json", "--rounds", "2")

    assert status == 1
    assert [(one["domain"], one["group"], one["up"]) for one in json.loads(out)["domains"]] == [
        (A, A, True),
        (B, B, False),
    ]


async def test_what_is_saved_is_replayed_to_the_same_findings(leaf, ca_file, tmp_path):
    file = tmp_path / "round.json"
    async with origin({None: leaf}, only(A)) as server:
        checked = await command("check", A, B, "--json", "--save", file, *flags(server, ca_file))
    replayed = await command("replay", file, "--json")

    assert replayed == checked
    assert checked[0] == 1


async def test_a_path_is_asked_for_as_given(leaf, ca_file):
    async with origin({None: leaf}, only(A)) as server:
        await command("check", A, "--path=/health?deep=1", *flags(server, ca_file))

    assert server.requests[0][1].startswith("GET /health?deep=1 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "give the names to check, or --config.file"),
        (("--sibling", A), "give the names to check, or --config.file"),
        ((A, "--config.file=x.yaml"), "give names and settings, or --config.file, not both"),
        (("--config.file=x.yaml", "--port=8443"), "give names and settings, or --config.file, not both"),
        (("--config.file=x.yaml", "--sibling", A), "give names and settings, or --config.file, not both"),
        (("--config.file=none.yaml",), "none.yaml"),
        ((A, "--port=99999"), "port"),
        ((A, "--port=https"), "invalid int value"),
        ((A, "--address=300.1.1.1"), "--address"),
        ((A, "--address=localhost"), "--address"),
        ((A, "--ca-file=none.pem"), "--ca-file"),
        ((A, "--path=no-slash"), "path"),
        ((A, "--timeout=soon"), "timeout"),
        (("under score.test",), "'under score.test': "),
        (("192.0.2.1",), "'192.0.2.1': is an IP address"),
        ((A, "--rounds=0"), "not a number from 1 to 100"),
        ((A, "--rounds=1e9"), "not a number from 1 to 100"),
        ((A, "--output=xml"), "invalid choice"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(arguments, complaint, capsys):
    from exporter.cli.check import check
    from exporter.cli.parser import parser
    from exporter.config import ConfigError

    with pytest.raises((ConfigError, SystemExit)) as error:
        check(parser().parse_args(["check", *arguments]))

    said = str(error.value) if isinstance(error.value, ConfigError) else capsys.readouterr().err
    assert complaint in said


@pytest.mark.parametrize(
    "arguments", [("--sibling", A), (A, "--config.file=x.yaml"), (A, "--port=0"), (A, "--rounds=0")]
)
async def test_wrong_usage_is_exit_status_2(arguments):
    status, out, error = await command("check", *arguments)

    assert (status, out) == (2, "")
    assert "Traceback" not in error


@pytest.mark.parametrize("content", [None, "", "{}", '{"format": 1, "targets": [[{}]]}'])
async def test_a_file_that_cannot_be_replayed_is_one_line_and_exit_status_2(tmp_path, content):
    file = tmp_path / "round.json"
    if content is not None:
        file.write_text(content)

    status, out, error = await command("replay", file)

    assert (status, out) == (2, "")
    assert len(error.splitlines()) == 1
    assert error.startswith(f"{file}: ")


async def test_a_place_that_cannot_be_saved_to_is_one_line(leaf, ca_file, tmp_path):
    async with origin({None: leaf}, only(A)) as server:
        status, _, error = await command("check", A, "--save", tmp_path / "no" / "x.json", *flags(server, ca_file))

    assert status == 1
    assert error.startswith("cannot check: ")
    assert len(error.splitlines()) == 1


async def test_a_server_that_writes_to_the_terminal_is_not_obeyed(leaf, ca_file):
    hostile = "X\x1b[2J\x1b]0;owned\x07"
    page = f"<title>{hostile}</title>".encode()

    def respond(_):
        return answer(500, page, headers=f"Server: {hostile}\r\nWWW-Authenticate: {hostile}\r\n") + CLOSE

    async with origin({None: leaf}, respond) as server:
        text = await command("check", A, *flags(server, ca_file))
        document = await command("check", A, "--json", *flags(server, ca_file))

    assert "\x1b" not in text[1]
    assert "\x07" not in text[1]
    assert document[1].isascii()
    assert json.loads(document[1])["domains"][0]["findings"]


async def test_whoever_interrupts_it_gets_a_prompt_and_no_traceback(leaf):
    asked = asyncio.Event()

    def respond(_):
        asked.set()

    async with origin({None: leaf}, respond) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "exporter", "check", A, "--address=127.0.0.1", f"--port={server.port}",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(30):
                await asked.wait()
                process.send_signal(signal.SIGINT)
                out, error = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()

    assert (process.returncode, out, error) == (130, b"", b"")

"""What can be known of the image without building it."""

import asyncio
import json
import shlex
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def instructions() -> list[tuple[str, str]]:
    """(keyword, rest) of each instruction, in order."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    code = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", "")
    return [(keyword, rest.strip()) for keyword, _, rest in (line.partition(" ") for line in code.splitlines() if line)]


def of(keyword: str) -> list[str]:
    return [rest for key, rest in instructions() if key == keyword]


def final_stage() -> list[tuple[str, str]]:
    found = instructions()
    last = max(index for index, (keyword, _) in enumerate(found) if keyword == "FROM")
    return found[last:]


def copied_from_the_tree() -> set[str]:
    copies = [shlex.split(rest) for rest in of("COPY")]
    return {source for words in copies if not words[0].startswith("--from=") for source in words[:-1]}


def is_ignored(path: str) -> bool:
    """Whether .dockerignore keeps `path` out: the last pattern that fits it or a folder above it decides."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip().removeprefix("!")
        if pattern and not pattern.startswith("#") and fits(path, pattern):
            ignored = not line.startswith("!")
    return ignored


def fits(path: str, pattern: str) -> bool:
    parts = path.split("/")
    if pattern.startswith("**/"):
        return any(fnmatchcase(part, pattern[3:]) for part in parts)
    return any(fnmatchcase("/".join(parts[: end + 1]), pattern) for end in range(len(parts)))


def test_everything_that_is_copied_exists_and_is_not_ignored():
    sources = copied_from_the_tree()

    assert {source for source in sources if not (ROOT / source).exists()} == set()
    assert {source for source in sources if is_ignored(source)} == set()


def test_the_build_gets_every_file_that_the_project_names():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]

    named = {"pyproject.toml", project["project"]["readme"], *wheel["packages"], *wheel["force-include"]}
    assert named <= copied_from_the_tree()


@pytest.mark.parametrize(
    "path", [".git/config", ".venv/bin/python", "data/key.pem", "config.yaml", "tests/conftest.py"]
)
def test_what_is_private_or_needless_stays_out(path):
    assert is_ignored(path)


def test_byte_code_stays_out_at_any_depth_and_modules_come_in():
    assert is_ignored("exporter/demo/__pycache__/sites.cpython-313.pyc")
    assert not is_ignored("exporter/demo/sites.py")


def test_the_entry_point_is_the_projects_script_and_serves_by_default():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert [json.loads(rest) for rest in of("ENTRYPOINT")] == [[*project["scripts"]]]
    assert [json.loads(rest)[0] for rest in of("CMD")] == ["serve"]


def test_the_image_runs_as_a_number_that_is_not_root():
    (user,) = [rest for keyword, rest in final_stage() if keyword == "USER"]

    uid, _, gid = user.partition(":")
    assert int(uid) > 0
    assert int(gid) > 0


def test_every_package_is_locked_by_its_hash_and_no_index_is_asked_for_the_wheel():
    installs = [
        command for rest in of("RUN") for command in rest.split("&&") if " install " in command and "pip" in command
    ]

    assert len(installs) == 3
    assert all("--require-hashes" in command or "--no-index" in command for command in installs)


async def run_health_check(authority: str) -> int:
    """Its exit status, under a proxy that would lead nowhere."""
    (check,) = of("HEALTHCHECK")
    _, *command = (word.replace("127.0.0.1:10421", authority) for word in json.loads(check.partition("CMD ")[2]))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env={"http_proxy": "http://127.0.42.5:9"}, stderr=asyncio.subprocess.DEVNULL
    )
    return await asyncio.wait_for(process.wait(), 30)


async def health_check_of(status: int) -> tuple[int, list[bytes]]:
    """Its exit status where the exporter answers `status`, and the request lines it sent."""
    reply = f"HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    asked = []

    async def answer(reader, writer):
        asked.append(await reader.readline())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        code = await run_health_check(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    return code, asked


@pytest.mark.parametrize(("status", "code"), [(200, 0), (404, 1), (500, 1), (503, 1)])
async def test_the_health_check_passes_only_where_the_exporter_says_that_it_is_healthy_whatever_the_proxy(status, code):
    assert await health_check_of(status) == (code, [b"GET /-/healthy HTTP/1.1\r\n"])


async def test_the_health_check_fails_where_nothing_listens():
    assert await run_health_check("127.0.42.5:10421") == 1


def test_the_port_is_the_one_that_the_health_check_asks_and_the_command_line_takes_by_default():
    from exporter.cli.parser import DEFAULT_LISTEN_ADDRESS

    assert [f":{port}" for port in of("EXPOSE")] == [DEFAULT_LISTEN_ADDRESS]
    assert f"http://127.0.0.1{DEFAULT_LISTEN_ADDRESS}/-/healthy" in of("HEALTHCHECK")[0]

"""The compose file wires what is here, and Docker Compose's own code reads it as it is meant."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from exporter.cli.parser import parser
from tests.dashboards import committed
from tests.programs import program

FILE = committed.FOLDER / "compose.yaml"
COMPOSE = yaml.safe_load(FILE.read_text("utf-8"))
SOURCE = committed.provisioned("provisioning/datasources/statuscode.yaml")["datasources"][0]


class Mount(NamedTuple):
    """Attributes: `source` is a path of this machine, or the name of a volume."""

    service: str
    source: Path | str
    inside: str
    writable: bool


class Port(NamedTuple):
    """Attributes: `outside` is an address and a port of this machine."""

    service: str
    outside: str
    inside: str


def mount(service: str, told: str | dict) -> Mount:
    """From one line, or from the keys that Docker Compose writes from its version 2 on."""
    if isinstance(told, dict):
        source, inside, writable = told["source"], told["target"], not told.get("read_only", False)
    else:
        source, inside, *options = told.split(":")
        writable = "ro" not in options
    is_path = source.startswith((".", "/"))
    return Mount(service, (committed.FOLDER / source).resolve() if is_path else source, inside, writable)


def port(service: str, told: str | dict) -> Port:
    if isinstance(told, dict):
        return Port(service, f"{told['host_ip']}:{told['published']}", str(told["target"]))
    outside, _, inside = told.removesuffix("/tcp").rpartition(":")
    return Port(service, outside, inside)


def mounts(compose: dict) -> set[Mount]:
    services = compose["services"].items()
    return {mount(name, told) for name, service in services for told in service.get("volumes", ())}


def ports(compose: dict) -> set[Port]:
    return {port(name, told) for name, service in compose["services"].items() for told in service["ports"]}


@pytest.fixture(scope="module")
def resolved() -> dict:
    """What Docker Compose makes of the file; it asks no daemon for that."""
    compose, text = program("docker-compose"), FILE.read_text("utf-8")
    if run(compose, "version", "--short").startswith("1."):
        # Debian 12 has the last version that does not know the name of a project in a file.
        text = text.replace(f"name: {COMPOSE['name']}\n", "")
    return yaml.safe_load(run(compose, "--project-name", COMPOSE["name"], "-f", "-", "config", told=text))


def run(*command: str | Path, told: str = "") -> str:
    done = subprocess.run(
        command, input=told, cwd=committed.FOLDER, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_docker_compose_reads_the_file_as_it_is_meant(resolved):
    services = COMPOSE["services"]

    assert resolved["services"].keys() == services.keys()
    assert mounts(resolved) == mounts(COMPOSE)
    assert ports(resolved) == ports(COMPOSE)
    for name, service in resolved["services"].items():
        for key in ("image", "command", "environment", "read_only", "tmpfs"):
            assert service.get(key) == services[name].get(key), (name, key)
        assert list(service.get("depends_on") or ()) == services[name].get("depends_on", [])
    assert Path(resolved["services"]["exporter"]["build"]["context"]) == committed.FOLDER.parent


@pytest.mark.parametrize(
    "fault", ["    image: 12\n", "    volume: [.:/srv]\n", "    ports: [one]\n", "    depends_on: [nobody]\n"]
)
def test_docker_compose_refuses_a_service_that_it_does_not_understand(fault):
    text = f"services:\n  one:\n    build: .\n{fault}"

    with pytest.raises(AssertionError):
        run(program("docker-compose"), "--project-name", "one", "-f", "-", "config", told=text)


def test_compose_mounts_what_is_here_where_the_programs_look():
    inside = {(one.service, one.inside): one.source for one in mounts(COMPOSE) if isinstance(one.source, Path)}
    provider = committed.provisioned("provisioning/dashboards/statuscode.yaml")["providers"][0]

    assert all(source.is_dir() for source in inside.values())
    assert {one.source for one in mounts(COMPOSE) if one.writable} == {*COMPOSE["volumes"]}
    assert inside["grafana", provider["options"]["path"]] == committed.FOLDER
    assert inside["grafana", "/etc/grafana/provisioning"] == committed.FOLDER / "grafana" / "provisioning"
    for name in ("prometheus", "alertmanager"):
        (told,) = [word for word in COMPOSE["services"][name]["command"] if word.startswith("--config.file=")]
        folder, _, file = told.removeprefix("--config.file=").rpartition("/")
        assert (inside[name, folder] / file).is_file()


def test_compose_wires_the_services_by_the_names_that_the_files_use():
    prometheus = yaml.safe_load((committed.FOLDER / "prometheus" / "prometheus.yaml").read_text("utf-8"))
    scraped = prometheus["scrape_configs"][0]["static_configs"][0]["targets"]
    alerted = prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]

    named = [*scraped, *alerted, SOURCE["url"].removeprefix("http://")]
    assert {place.partition(":")[0] for place in named} == set(COMPOSE["services"]) - {"grafana"}
    home = COMPOSE["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home.endswith("/statuscode-fleet.json")


def test_compose_starts_the_exporter_with_a_command_that_it_knows_and_opens_no_port_to_others():
    service = COMPOSE["services"]["exporter"]

    options = parser().parse_args(service["command"])
    assert options.external_url == "http://localhost:10421"
    assert options.listen == [("", 10421)]
    assert all(one.outside.startswith("127.0.0.1:") for one in ports(COMPOSE))


def test_the_image_of_the_exporter_is_built_from_the_repository():
    assert (committed.FOLDER / COMPOSE["services"]["exporter"]["build"] / "Dockerfile").is_file()

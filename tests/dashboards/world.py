"""Everything at once: the laboratory, the exporter on it, a sick and a dead one, Prometheus, Alertmanagers, webhooks.

The rules are those of the bundle, with a second for each minute.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from exporter.demo import Laboratory, example_config
from exporter.demo.sites import FLAKY, SERVERS, Asked, Leaf, Reply, Server, healthy, page
from tests.background import in_background
from tests.dashboards import committed
from tests.dashboards.pages import Receiver, SickExporter, serving
from tests.programs import program
from tests.real.exporter_process import Exporter, ask, running_exporter
from tests.real.processes import Endpoint, free_endpoint, is_listening, running
from tests.real.prometheus import Prometheus, running_prometheus

TURN_SECONDS = 9  # long enough for two rounds to confirm, and two to be sure that it is over
ENDING, LOST = "ending.example.test", "lost.example.test"


def flaky(asked: Asked) -> Reply:
    """502 and good in turns."""
    return healthy(asked) if int(asked.seconds // TURN_SECONDS) % 2 else page(502, "The application hung up.")


def servers() -> tuple[Server, ...]:
    """The demo's, but for one that changes its mind faster; one whose certificate ends soon, one without its page."""
    lost = Server(
        "127.0.42.21",
        (LOST,),
        "404 for its own page",
        "demo-lost",
        {LOST: lambda _: page(404, "Lost.")},
        (Leaf((LOST,)),),
    )
    ending = Server(
        "127.0.42.20",
        (ENDING,),
        "healthy, but its certificate ends in five days",
        "demo-ending",
        {ENDING: healthy},
        (Leaf((ENDING,), not_after_days=5),),
    )
    return (*(replace(one, sites={FLAKY: flaky}) if FLAKY in one.names else one for one in SERVERS), ending, lost)


def laboratory(folder: Path) -> Laboratory:
    return Laboratory(folder, port=free_endpoint("127.0.42.1").port, servers=servers())


def exporter_config(lab: Laboratory, nobody: Endpoint, token_file: Path) -> str:
    """The example's, at the laboratory's port, faster, and with a Grafana that nobody answers for."""
    config = yaml.safe_load(example_config().read_text("utf-8"))
    config["global"] |= {"port": lab.port, "interval": "2s", "timeout": "1s", "scrape_interval": "1s"}
    config["global"]["ca_file"] = str(lab.ca_file)
    config["grafana"] = {"url": f"http://{nobody}", "token_file": str(token_file)}
    (news,) = (group for group in config["groups"] if group["name"] == "news")
    news["interval"] = "1s"  # an alternative is asked in every tenth round
    for name, address in ((ENDING, "127.0.42.20"), (LOST, "127.0.42.21")):
        config["groups"].append({"name": name, "domains": [{"domain": name, "resolve": [address]}]})
    return yaml.safe_dump(config)


_MINUTE_TO_SECOND = {"h": 60_000, "m": 1_000, "d": 1_440_000}


def faster(rules: str) -> str:
    """Every window and every `for`, sixty times shorter."""

    def shortened(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) * _MINUTE_TO_SECOND[found[3]]}ms{found[4]}"

    return re.sub(r"(\[|for: )(\d+)([hmd])(\]|\n)", shortened, rules)


def prometheus_config(scraped: list[Endpoint], alertmanagers: list[Endpoint]) -> str:
    config = yaml.safe_load((committed.FOLDER / "prometheus" / "prometheus.yaml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"][0]["targets"] = list(map(str, scraped))
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = list(map(str, alertmanagers))
    return yaml.safe_dump(config)


def alertmanager_config(webhook: Endpoint, *, inhibit: bool) -> str:
    text = (committed.FOLDER / "alertmanager" / "alertmanager.yaml").read_text("utf-8")
    config = yaml.safe_load(text.replace("127.0.0.1:9095", str(webhook)))
    config["route"] |= {"group_wait": "2s", "group_interval": "2s"}
    if not inhibit:
        config["inhibit_rules"] = []
    return yaml.safe_dump(config)


@contextlib.contextmanager
def alertmanager(folder: Path, config: str) -> Iterator[Endpoint]:
    file, endpoint = folder / "alertmanager.yaml", free_endpoint()
    file.write_text(config)
    argv = (
        program("prometheus-alertmanager"),
        f"--config.file={file}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={endpoint}",
        "--cluster.listen-address=",
    )

    def ready() -> bool:
        return is_listening(endpoint) and ask(endpoint, "GET", "/-/ready").status == 200

    with running(argv, log=folder / "alertmanager.log", ready=ready, cwd=folder):
        yield endpoint


@dataclass(frozen=True, slots=True)
class World:
    """Attributes: `everything` gets all alerts, `spared` those that are left where the inhibition rules hold."""

    exporter: Exporter
    prometheus: Prometheus
    everything: Receiver
    spared: Receiver
    dead: contextlib.ExitStack


@contextlib.contextmanager
def world(folder: Path) -> Iterator[World]:
    folders = {name: folder / name for name in ("lab", "exporter", "prometheus", "all", "spared")}
    for one in folders.values():
        one.mkdir()
    token = folder / "token"
    token.write_text("a secret that nobody asks for")
    everything, spared = Receiver(), Receiver()
    with contextlib.ExitStack() as stack:
        lab = stack.enter_context(in_background(laboratory(folders["lab"])))
        config = exporter_config(lab, free_endpoint(), token)
        exporter = stack.enter_context(running_exporter(folders["exporter"], config))
        sick = stack.enter_context(serving(SickExporter(f"http://{exporter.endpoint}").page))
        dead = contextlib.ExitStack()
        dying = dead.enter_context(serving(SickExporter(f"http://{exporter.endpoint}").page))
        stack.callback(dead.close)
        managers = []
        for name, receiver in (("all", everything), ("spared", spared)):
            webhook = stack.enter_context(serving(receiver.take))
            text = alertmanager_config(webhook, inhibit=receiver is spared)
            managers.append(stack.enter_context(alertmanager(folders[name], text)))
        scraped = [exporter.endpoint, sick, dying]
        (folders["prometheus"] / committed.RULES.name).write_text(faster(committed.RULES.read_text("utf-8")))
        config = prometheus_config(scraped, managers)
        running_one = stack.enter_context(running_prometheus(folders["prometheus"], config))
        yield World(exporter, running_one, everything, spared, dead)

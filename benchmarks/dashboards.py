"""`python -m benchmarks.dashboards`: how long Prometheus takes for each query of the bundle, at 5,000 domains.

Six hours of samples, one a minute, are written into a new Prometheus: incidents at one domain of a hundred, what the
recording rules keep, one domain in full; of all other series what the longest window of a rule reads.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import yaml

from benchmarks.processes import MissingProgramError
from dashboards.build import HERE
from exporter.diagnosis import CAUSES

DOMAINS = 5_000
SICK_EACH = 100  # one domain of so many has an incident
MINUTES = 360
REPEATS = 3
LISTEN = "127.0.0.1:19421"
VALUES = {
    "$__rate_interval": "4m",
    "$__interval": "1m",
    "$__range": "6h",
    "$job": ".+",
    "$instance": ".+",
    "$code": ".+",
    "$runbooks": "",
}

Series = tuple[str, str, float, int]  # name, labels, value, for how many minutes


def series() -> Iterator[Series]:
    """All of them, each name contiguous."""
    place = 'job="statuscode",instance="e:10421"'
    names = [f"d{number}.example" for number in range(DOMAINS)]
    sick = names[::SICK_EACH]
    causes = list(CAUSES.values())
    for cause in causes:
        told = f'cause="{cause.id}",cause_id="{cause.number}",title="{cause.title}",severity="{cause.severity}"'
        yield "statuscode_cause_info", f'{place},{told},runbook_url="http://e/runbooks/{cause.id}"', 1, MINUTES
    yield "statuscode_exporter_pages_info", f'{place},url="http://e",runbooks="http://e/runbooks"', 1, MINUTES
    yield from _of_each(
        sick, "statuscode_incident_active", f'{place},code="421",cause="{causes[0].id}",domain=', 1, MINUTES
    )
    yield from _of_each(
        sick,
        "statuscode_incident_start_timestamp_seconds",
        f'{place},code="421",cause="{causes[0].id}",domain=',
        0,
        MINUTES,
    )
    yield from _of_each(sick, "domain:statuscode_domain_cause:wrong", f"{place},domain=", causes[0].number, MINUTES)
    for code in ("200", "301", "404", "421", "502"):
        labels = f'{place},combination="matched",code="{code}"'
        yield "combination_code:statuscode_http_responses:rate5m", labels, 1, MINUTES
    yield from _of_each(names, "statuscode_domain_up", f"{place},domain=", 1, 61)
    yield from _of_each(names, "statuscode_domain_cause", f"{place},domain=", 0, 5)
    yield from _of_each(names, "statuscode_domain_info", f'{place},group="shop",domain=', 1, 5)
    yield from _of_each(names, "statuscode_round_timestamp_seconds", f"{place},domain=", time.time(), 5)
    yield from _of_each(names, "statuscode_round_duration_seconds", f"{place},domain=", 0.2, 5)
    yield from _of_each(names, "statuscode_round_interval_seconds", f"{place},domain=", 60, 5)
    not_after = "statuscode_tls_certificate_not_after_timestamp_seconds"
    yield from _of_each(names, not_after, f"{place},domain=", time.time() + 10 * 86_400, 5)
    for client in ("chromium", "firefox"):
        labels = f'{place},client="{client}",sibling="x.example",domain='
        yield from _of_each(names, "statuscode_coalescing_exposed", labels, 1, 5)
    for address in ("192.0.2.1", "192.0.2.2"):
        for protocol in ("http/1.1", "h2"):
            where = f'{place},address="{address}",protocol="{protocol}"'
            cell = f'{where},combination="matched",connection="fresh",sni="x",host="x",domain='
            yield from _of_each(names, "statuscode_probe_success", cell, 1, 5)
            yield from _of_each(names[:1], "statuscode_probe_http_status_code", cell, 200, MINUTES)
            for phase in ("connect", "tls", "processing", "transfer"):
                labels = f'{where},phase="{phase}",domain='
                yield from _of_each(names, "statuscode_probe_duration_seconds", labels, 0.1, 5)
    yield from _of_each(names, "domain:statuscode_probe_duration_seconds:max", f"{place},domain=", 0.4, 11)
    yield from _of_each(names, "domain_address:statuscode_probe_success:min", f'{place},address="a",domain=', 1, 5)


def _of_each(names: Iterable[str], name: str, labels: str, value: float, minutes: int) -> Iterator[Series]:
    for domain in names:
        yield name, f'{labels}"{domain}"', value, minutes


def written(file: Path, end: int) -> tuple[int, int]:
    """How many series and samples."""
    by_name: dict[str, list[Series]] = {}
    for one in series():
        by_name.setdefault(one[0], []).append(one)
    samples = 0
    with file.open("w", encoding="utf-8") as document:
        for name, found in by_name.items():
            document.write(f"# TYPE {name} gauge\n")
            for _, labels, value, minutes in found:
                samples += minutes
                document.writelines(
                    f"{name}{{{labels}}} {value} {end - 60 * back}\n" for back in range(minutes - 1, -1, -1)
                )
        document.write("# EOF\n")
    return sum(map(len, by_name.values())), samples


def queries() -> Iterator[tuple[str, str, bool]]:
    """(where it stands, expression, whether it is asked for one moment only)."""
    for path in sorted(HERE.glob("*.json")):
        board = json.loads(path.read_text("utf-8"))
        domain = "d0.example" if board["uid"] == "statuscode-domain" else ".+"
        for panel in board["panels"]:
            for target in panel.get("targets", ()):
                yield f"{board['uid']} / {panel['title']}", _filled(target["expr"], domain), target["instant"]
        for layer in board["annotations"]["list"]:
            yield f"{board['uid']} / layer {layer['name']}", _filled(layer["expr"], domain), False
    rules = yaml.safe_load((HERE / "prometheus" / "statuscode.rules.yaml").read_text("utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield f"rule {rule.get('alert') or rule['record']}", rule["expr"], True


def _filled(expression: str, domain: str) -> str:
    for name, value in sorted({**VALUES, "$domain": domain}.items(), key=lambda one: -len(one[0])):
        expression = expression.replace(name, value)
    return expression


def seconds(expression: str, end: int, *, instant: bool) -> float:
    """The best of some repeats."""
    times = {"time": end} if instant else {"start": end - 60 * MINUTES, "end": end, "step": 60}
    url = f"http://{LISTEN}/api/v1/{'query' if instant else 'query_range'}?{urlencode({'query': expression, **times})}"
    best = float("inf")
    for _ in range(REPEATS):
        began = time.perf_counter()
        with urllib.request.urlopen(url, timeout=60) as answer:
            answer.read()
        best = min(best, time.perf_counter() - began)
    return best


@contextlib.contextmanager
def prometheus(folder: Path) -> Iterator[None]:
    (folder / "prometheus.yaml").write_text("{}", encoding="utf-8")
    command = (
        "prometheus",
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={LISTEN}",
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        _await_ready()
        yield
    finally:
        process.terminate()
        process.wait(20)


def _await_ready() -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{LISTEN}/-/ready", timeout=1):
            return
        time.sleep(0.1)
    raise MissingProgramError("prometheus did not become ready")


def main() -> None:
    # On a whole minute, so that samples and steps meet.
    end = int(time.time()) // 60 * 60 - 120
    with tempfile.TemporaryDirectory(prefix="statuscode-exporter-bench-") as name:
        folder = Path(name)
        count, samples = written(folder / "history.om", end)
        command = ("promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", "history.om", "data")
        subprocess.run(command, cwd=folder, check=True, timeout=300)
        with prometheus(folder):
            figures = [(seconds(expression, end, instant=instant), where) for where, expression, instant in queries()]
    figures.sort(reverse=True)
    print(f"{DOMAINS} domains, {count} series, {samples} samples, {len(figures)} queries; the slowest, in seconds:")
    for took, where in figures[:12]:
        print(f"  {took:6.3f}  {where}")
    rules = sum(took for took, where in figures if re.match("rule ", where))
    print(f"  {rules:6.3f}  all rules together, once an evaluation interval")


if __name__ == "__main__":
    main()

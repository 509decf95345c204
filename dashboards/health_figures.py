"""What stands at the head of the dashboard about the exporter: is it well, at a glance."""

from __future__ import annotations

from dashboards.legend import YES_NO
from dashboards.queries import of_instances
from dashboards.shared import TO_FLEET
from dashboards.values import BLUE, GREEN, GREY, LONG_AGO, ORANGE, RED, Panel, now


def own(name: str, *matchers: str) -> str:
    return of_instances(f"statuscode_exporter_{name}", *matchers)


KNOWN = f"last_over_time({own('build_info')}[1d])"
"""Every exporter that was there within a day."""

_UP = f'up{{job=~"$job",instance=~"$instance"}} and on (job, instance) {KNOWN}'
_AGES = of_instances("statuscode_round_timestamp_seconds")

_SCRAPED = Panel(
    id=1,
    kind="stat",
    title="Scraped",
    description="Whether Prometheus reaches every exporter that it has reached within a day.",
    width=3,
    height=4,
    queries=(now(f"min({_UP})"),),
    no_value="no exporter within a day",
    shown=YES_NO,
)
_VERSION = Panel(
    id=2,
    kind="stat:name",
    title="Version",
    description="Of the exporters that run, beside their Python and OpenSSL.",
    width=3,
    height=4,
    queries=(
        now(
            # Without the date of OpenSSL.
            f"count by (version, python_version, openssl) (label_replace({own('build_info')}, "
            '"openssl", "$1", "openssl_version", "([^ ]+ [^ ]+).*"))',
            "{{version}}, Python {{python_version}}, {{openssl}}",
        ),
    ),
    no_value="none runs",
    thresholds=((None, BLUE),),
)
_RELOADED = Panel(
    id=3,
    kind="stat",
    title="Reload",
    description="Whether the last attempt to load the configuration succeeded; if not, the one before is in force.",
    width=3,
    height=4,
    queries=(now(f"min({own('config_last_reload_successful')})"),),
    no_value="none runs",
    shown=YES_NO,
)
_LOADED = Panel(
    id=4,
    kind="stat",
    title="Config age",
    description="How long ago the configuration in force was loaded.",
    width=3,
    height=4,
    unit="dtdurations",
    queries=(now(f"min(time() - {own('config_last_reload_success_timestamp_seconds')})"),),
    no_value="none runs",
    thresholds=((None, BLUE),),
)
_TARGETS = Panel(
    id=5,
    kind="stat",
    title="Domains",
    description="In the configuration.",
    width=3,
    height=4,
    queries=(now(f"max({own('targets')})"),),
    no_value="none runs",
    thresholds=((None, BLUE),),
    links=(TO_FLEET,),
)
_OLDEST = Panel(
    id=6,
    kind="stat",
    title="Round age",
    description="How long ago the domain was probed that waits longest.",
    width=3,
    height=4,
    unit="s",
    decimals=0,
    queries=(now(f"max(time() - {_AGES})"),),
    no_value="nothing is probed",
    thresholds=((None, GREY), (LONG_AGO, GREEN), (300, ORANGE), (900, RED)),
)
_STORE_UP = Panel(
    id=7,
    kind="stat",
    title="Store",
    description="Whether the disk took the last write of incidents.",
    width=3,
    height=4,
    queries=(now(f"min({own('store_up')})"),),
    no_value="none runs",
    shown=YES_NO,
)
_STORE_AGE = Panel(
    id=8,
    kind="stat",
    title="Last write",
    description="How long ago the store's disk took something.",
    width=3,
    height=4,
    unit="s",
    decimals=0,
    queries=(now(f"max(time() - ({own('store_last_success_timestamp_seconds')} > 0))"),),
    no_value="never",
    thresholds=((None, BLUE),),
)

FIGURES = (_SCRAPED, _VERSION, _RELOADED, _LOADED, _TARGETS, _OLDEST, _STORE_UP, _STORE_AGE)

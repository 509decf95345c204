"""For each alert: series over time, and when it is quiet, fires and is over. One sample a minute, from minute 0."""

from __future__ import annotations

from dataclasses import dataclass, field

JOB = 'job="statuscode",instance="e:10421"'
RUNBOOKS = "http://e:10421/runbooks"
GRAFANA = "http://localhost:3000/d"

# Ten minutes of peace, twenty of trouble, then peace.
TROUBLE, OVER = 10, 30
KEPT = 5  # minutes for which an alert goes on after the last sign of it
OPEN = "_x10 1x19 stale"
FAILING = "1x9 0x19 1x90"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One alert's life.

    Attributes:
        series: values by series, in promtool's notation; those that every case has are added.
        quiet, fires, over: minutes.
        labels: of the alert beside its name and job.
        silent: other alerts that must not fire in the meantime.
    """

    alert: str
    series: dict[str, str]
    labels: dict[str, str]
    summary: str
    description: str
    runbook: str
    panel: str
    fires: int = TROUBLE + 6
    quiet: tuple[int, ...] = (TROUBLE - 1, TROUBLE + 1)
    over: int = OVER + KEPT + 1
    silent: tuple[str, ...] = field(default=())


def info(cause: str, number: int, title: str, severity: str, instance: str = JOB) -> str:
    text = f'cause="{cause}",cause_id="{number}",title="{title}",severity="{severity}",runbook_url="{RUNBOOKS}/{cause}"'
    return f"statuscode_cause_info{{{instance},{text}}}"


PAGES = f'statuscode_exporter_pages_info{{{JOB},runbooks="{RUNBOOKS}",url="http://e:10421"}}'

CONSTANT = {
    info("vhost-missing", 107, "The server has no virtual host for the name", "critical"): "1x300",
    info("sni-router-with-shared-cert", 105, "A router goes by SNI", "warning"): "1x300",
    info("application-error", 404, "The application fails", "critical"): "1x300",
    info("content-missing", 410, "The page is not there", "critical"): "1x300",
    info("connection-refused", 501, "Connection refused", "critical"): "1x300",
    info("cert-expired", 521, "The certificate has expired", "critical"): "1x300",
    info("response-too-slow", 512, "The answer comes too slowly", "critical"): "1x300",
    info("unknown", 999, "None of the known causes fits", "critical"): "1x300",
    PAGES: "1x300",
    f'statuscode_domain_info{{{JOB},domain="a.test",group="shop",team="pay"}}': "1x300",
}

OF_INCIDENTS = ("Misdirected", "ServerError", "ClientError", "NoAnswer", "UnexpectedAnswer", "Misrouted")


def of_incident(
    alert: str, code: str, cause: str, severity: str, summary: str, description: str, up: str = FAILING, panel: int = 7
) -> Case:
    """An incident at a.test that fires this alert, and none of the others about incidents."""
    labels = f'domain="a.test",code="{code}",cause="{cause}",severity="{severity}"'
    return Case(
        alert=alert,
        series={
            f"statuscode_incident_active{{{JOB},{labels}}}": OPEN,
            f'statuscode_domain_up{{{JOB},domain="a.test"}}': up,
        },
        labels={"domain": "a.test", "group": "shop", "code": code, "cause": cause, "severity": severity},
        summary=summary,
        description=description,
        runbook=f"{RUNBOOKS}/{cause}",
        panel=f"statuscode-domain/?viewPanel={panel}&var-domain=a.test",
        silent=tuple(one for one in OF_INCIDENTS if one != alert),
    )


def of_exporter(
    alert: str,
    severity: str,
    summary: str,
    panel: int,
    series: dict[str, str],
    *,
    fires: int = 26,
    over: int = 60,
    quiet: tuple[int, ...] = (TROUBLE - 1,),
) -> Case:
    return Case(
        alert=alert,
        series=series,
        labels={"instance": "e:10421", "severity": severity},
        summary=summary,
        description=f"e:10421: {summary[0].lower()}{summary[1:]}",
        runbook=f"{RUNBOOKS}/exporter-in-trouble",
        panel=f"statuscode-exporter/?viewPanel={panel}&var-instance=e%3A10421",
        fires=fires,
        over=over,
        quiet=quiet,
    )


def own(name: str, labels: str = "") -> str:
    return f"statuscode_exporter_{name}{{{JOB}{labels}}}"


def success(address: str) -> str:
    cell = 'combination="matched",sni="a.test",host="a.test",protocol="h2",connection="fresh"'
    return f'statuscode_probe_success{{{JOB},domain="a.test",{cell},address="{address}"}}'


def duration(phase: str) -> str:
    return (
        f'statuscode_probe_duration_seconds{{{JOB},domain="a.test",address="192.0.2.1",protocol="h2",phase="{phase}"}}'
    )


def of_another(series: dict[str, str], *, instance: str = "f:10421", more: str = "") -> dict[str, str]:
    """The same as a second exporter says it, or the first by labels of its scraper."""
    return {
        name.replace(JOB, f'job="statuscode",instance="{instance}"{more}'): values for name, values in series.items()
    }


OTHER_WORDS = (('title="', 'title="Of old: '), ("http://e:", "http://f:"))


def in_other_words(series: dict[str, str]) -> dict[str, str]:
    """As of another version, with pages elsewhere: by default they are at the name of the machine."""
    for words, others in OTHER_WORDS:
        series = {name.replace(words, others): values for name, values in series.items()}
    return series


CASES = (
    of_incident(
        "Misdirected",
        "421",
        "vhost-missing",
        "critical",
        "A domain is refused with 421 on connections of its own.",
        "a.test answers 421 to clients that open a connection for it: The server has no virtual host for the name.",
    ),
    of_incident(
        "ServerError",
        "500",
        "application-error",
        "critical",
        "A domain answers with a server error.",
        "a.test answers 500: The application fails.",
    ),
    of_incident(
        "ClientError",
        "404",
        "content-missing",
        "critical",
        "A domain answers good requests with a client error.",
        "a.test answers 404: The page is not there.",
    ),
    of_incident(
        "NoAnswer",
        "none",
        "connection-refused",
        "critical",
        "A domain gives no answer.",
        "a.test gives no answer: Connection refused.",
    ),
    of_incident(
        "UnexpectedAnswer",
        "200",
        "cert-expired",
        "critical",
        "A domain answers, but not as expected.",
        "a.test answers 200, but not as expected: The certificate has expired.",
    ),
    of_incident(
        "Misrouted",
        "421",
        "sni-router-with-shared-cert",
        "warning",
        "A domain is answered wrongly on some connections.",
        "a.test is well on connections of its own; others (a sibling's, an old one, an alternative) get 421: "
        "A router goes by SNI.",
        up="1x300",
        panel=8,
    ),
    Case(
        alert="AddressDiffers",
        series={
            success("192.0.2.1"): "1x300",
            success("192.0.2.2"): FAILING,
            success("192.0.2.3"): FAILING,
            f'statuscode_domain_cause{{{JOB},domain="a.test"}}': "0x9 107x19 0x90",
        },
        labels={"domain": "a.test", "group": "shop", "cause": "vhost-missing", "severity": "warning"},
        summary="One address of a domain answers unlike the others.",
        description="a.test: 2 of its addresses are not as expected, others are: "
        "The server has no virtual host for the name.",
        runbook=f"{RUNBOOKS}/vhost-missing",
        panel="statuscode-domain/?viewPanel=9&var-domain=a.test",
    ),
    Case(
        alert="AddressDiffers",
        series={success("192.0.2.1"): "1x300", success("192.0.2.2"): FAILING},
        labels={"domain": "a.test", "group": "shop", "cause": "unknown", "severity": "warning"},
        summary="One address of a domain answers unlike the others.",
        description="a.test: 1 of its addresses are not as expected, others are: None of the known causes fits.",
        runbook=f"{RUNBOOKS}/unknown",
        panel="statuscode-domain/?viewPanel=9&var-domain=a.test",
    ),
    Case(
        alert="Intermittent",
        # One outage of nine minutes is no flapping; then it comes and goes.
        series={
            f'statuscode_domain_up{{{JOB},domain="a.test"}}': "1x60 0x8 1x50" + " 0x2 1x2" * 10 + " 1x120",
            f'statuscode_domain_cause{{{JOB},domain="a.test"}}': "0x60 404x8 0x50" + " 404x2 0x2" * 10 + " 0x120",
        },
        labels={"domain": "a.test", "group": "shop", "cause": "application-error", "severity": "warning"},
        summary="A domain comes and goes.",
        description="a.test was not as expected in 49.18% of the last hour, and came back in between: "
        "The application fails.",
        runbook=f"{RUNBOOKS}/application-error",
        panel="statuscode-domain/?viewPanel=10&var-domain=a.test",
        quiet=(59, 80, 119),
        fires=179,
        over=250,
    ),
    Case(
        alert="Slow",
        series={duration("tls"): "0.01x9 0.5x30 0.01x90", duration("processing"): "0.01x9 2.5x30 0.01x90"},
        labels={"domain": "a.test", "group": "shop", "cause": "response-too-slow", "severity": "warning"},
        summary="A domain answers slowly.",
        description="a.test took 3s over the last ten minutes, at its slowest address.",
        runbook=f"{RUNBOOKS}/response-too-slow",
        panel="statuscode-domain/?viewPanel=11&var-domain=a.test",
        fires=30,
        over=60,
    ),
    Case(
        alert="CertificateEnds",
        # At the beginning of time there are 14 days and 10 minutes left; renewed after half an hour.
        series={
            f'statuscode_tls_certificate_not_after_timestamp_seconds{{{JOB},domain="a.test"}}': (
                f"{14 * 86400 + 600}x40 {90 * 86400}x90"
            )
        },
        labels={"domain": "a.test", "group": "shop", "cause": "cert-expired", "severity": "warning"},
        summary="A certificate ends within two weeks.",
        description="The certificate of a.test ends in 13d 23h 40m 0s.",
        runbook=f"{RUNBOOKS}/cert-expired",
        panel="statuscode-domain/?viewPanel=4&var-domain=a.test",
        quiet=(9, 20),
        fires=30,
        over=45 + KEPT,
    ),
    of_exporter(
        "ExporterDown",
        "critical",
        "The exporter cannot be scraped: nothing is known of its domains.",
        1,
        {
            f"up{{{JOB}}}": FAILING,
            'up{job="another",instance="n:9100"}': "0x300",
            PAGES: "1x9 stale _x19 1x90",
        },
        quiet=(TROUBLE - 1, TROUBLE + 3),
        fires=TROUBLE + 6,
        over=OVER + KEPT + 1,
    ),
    of_exporter(
        "RoundsStale",
        "critical",
        "The exporter is a quarter of an hour late with rounds of some domains.",
        6,
        {
            f'statuscode_round_timestamp_seconds{{{JOB},domain="a.test"}}': "0+60x300",
            f'statuscode_round_timestamp_seconds{{{JOB},domain="b.test"}}': "0+60x10 600x40 3060+60x90",
            # Once in two hours, and not late.
            f'statuscode_round_timestamp_seconds{{{JOB},domain="c.test"}}': "0x120 7200x180",
            f'statuscode_round_interval_seconds{{{JOB},domain="a.test"}}': "60x300",
            f'statuscode_round_interval_seconds{{{JOB},domain="b.test"}}': "60x300",
            f'statuscode_round_interval_seconds{{{JOB},domain="c.test"}}': "7200x300",
        },
        quiet=(TROUBLE - 1, 24),
        fires=35,
        over=55 + KEPT,
    ),
    of_exporter(
        "RoundsMissed",
        "warning",
        "The exporter leaves out more than one round of twenty, because the one before still runs.",
        9,
        {own("rounds_total"): "0+20x300", own("rounds_missed_total"): "0x9 0+5x30 150x300"},
        fires=36,
        over=70,
    ),
    of_exporter(
        "RoundErrors",
        "warning",
        "A fault of the exporter itself broke rounds off.",
        9,
        {own("round_errors_total"): "0x9 1x300"},
        fires=12,
        over=40,
    ),
    of_exporter(
        "ReloadFailed",
        "warning",
        "The exporter did not take its new configuration; the old one is in force.",
        3,
        {own("config_last_reload_successful"): FAILING},
        quiet=(TROUBLE - 1, TROUBLE + 3),
        fires=TROUBLE + 6,
        over=OVER + KEPT + 1,
    ),
    of_exporter(
        "StoreTrouble",
        "warning",
        "The disk of the exporter does not take incidents.",
        15,
        {own("store_up"): FAILING, own("store_dropped_total"): "0x300"},
        over=OVER + KEPT + 1,
    ),
    of_exporter(
        "StoreTrouble",
        "warning",
        "The disk of the exporter does not take incidents.",
        15,
        {own("store_up"): "1x300", own("store_dropped_total"): "0x9 0+3x20 60x300"},
    ),
    of_exporter(
        "SeriesDropped",
        "warning",
        "The exporter leaves series out, because max_series bounds them.",
        13,
        {own("series_dropped_total"): "0x9 0+100x30 3000x300"},
        fires=36,
        over=70,
    ),
    of_exporter(
        "AnnotationsFail",
        "warning",
        "Grafana does not take the annotations of the exporter.",
        18,
        {
            own("grafana_pushes_total", ',result="written"'): "0+1x300",
            own("grafana_pushes_total", ',result="failed"'): "0x9 0+1x30 30x300",
        },
        fires=36,
        over=70,
    ),
)

"""A whole file to a Config, and to nothing but ConfigError where it is wrong."""

import gc
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter import __version__
from exporter.config import UNKNOWN_HOST, Config, ConfigError, Grafana, load
from exporter.config.complaints import MAX_SHOWN
from exporter.config.load import MAX_TARGETS
from exporter.config.schema import EXPECT, GLOBAL, GROUP
from exporter.config.source import MAX_BYTES
from exporter.model import Expect, IpFamily, Method, Protocol, Secret, StatusRange, Target

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))
ENVIRON = {"EMPTY": "", "TWO_LINES": "hunter2\nhunter3", "TOKEN": "hunter2"}
AGENT = f"statuscode-exporter/{__version__}"


def loaded(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, ENVIRON)


def complaints(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, text)
    return [complaint.removeprefix(str(tmp_path / "config.yaml")) for complaint in raised.value.complaints]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_broken_file_gives_exactly_its_complaints(path: Path) -> None:
    """Each file begins with them as comments, without its own name."""
    lines = path.read_text(encoding="utf-8").split("\n")
    expected = tuple(f"{path}{line.removeprefix('#')}" for line in lines if line.startswith("#:"))

    with pytest.raises(ConfigError) as raised:
        load(path, ENVIRON)

    assert expected
    assert raised.value.complaints == expected
    assert str(raised.value) == "\n".join(expected)
    assert "hunter" not in str(raised.value).lower().replace("missing-hunter2", "")


def test_there_are_many_broken_files() -> None:
    assert len(BAD) >= 40


def test_the_smallest_file_has_the_documented_defaults(tmp_path: Path) -> None:
    config = loaded(tmp_path, "groups: [{name: shop, domains: [a.example, b.example]}]")

    first = Target(
        domain="a.example",
        group="shop",
        siblings=("a.example", "b.example"),
        user_agent=AGENT,
        snis=("a.example", None),
        hosts=(UNKNOWN_HOST,),
    )
    assert config == Config((first, replace(first, domain="b.example", snis=("b.example", None))), 64, 8, 100_000)


def test_every_setting_reaches_the_target(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2\n", encoding="utf-8")
    text = """
    global: {max_in_flight: 1, max_in_flight_per_address: 2, max_series: 3}
    groups:
      - name: shop
        domains:
          - domain: Bücher.Example.
            interval: 1m30s
            timeout: 500ms
            port: 8443
            path: /ä?q=1
            method: HEAD
            headers: {X-A: ' b ', X-B: {file: token}, X-C: {env: TOKEN}, Cookie: c=d}
            user_agent: probe/1
            protocols: [http/1.1]
            sni: [none, self, other.example, none]
            host: [Other.Example, self]
            addresses: 2
            resolve: [192.0.2.1, '2001:DB8::1']
            ip_family: ipv6
            verify: false
            hold: true
            expect: {status: [204, 300-399], body_regex: 'a+', header_regex: {Server: nginx}, max_seconds: 1.5}
            labels: {team: web}
            siblings_per_round: 3
    """

    config = loaded(tmp_path, text)

    assert (config.max_in_flight, config.max_in_flight_per_address, config.max_series) == (1, 2, 3)
    assert config.targets == (
        Target(
            domain="xn--bcher-kva.example",
            group="shop",
            siblings=("xn--bcher-kva.example",),
            interval_seconds=90.0,
            timeout_seconds=0.5,
            port=8443,
            path="/%C3%A4?q=1",
            method=Method.HEAD,
            headers=(
                ("X-A", "b"),
                ("X-B", Secret("hunter2", "file token")),
                ("X-C", Secret("hunter2", "env TOKEN")),
                ("Cookie", Secret("c=d", "config")),
            ),
            user_agent="probe/1",
            protocols=(Protocol.HTTP11,),
            snis=("xn--bcher-kva.example", None, "other.example"),
            hosts=("other.example",),
            sibling_snis=False,
            sibling_hosts=False,
            max_addresses=2,
            siblings_per_round=3,
            resolve=("2001:db8::1",),
            ip_family=IpFamily.IPV6,
            verify=False,
            hold=True,
            expect=Expect((StatusRange(204, 204), StatusRange(300, 399)), "a+", (("server", "nginx"),), 1.5),
            labels=(("team", "web"),),
        ),
    )


def test_the_innermost_level_wins_and_mappings_merge(tmp_path: Path) -> None:
    text = """
    global: {port: 1, path: /global, headers: {X-A: a, X-B: b}, labels: {l: g, m: g}, expect: {status: 200}}
    groups:
      - name: g
        port: 2
        headers: {x-a: group}
        labels: {m: group}
        expect: {max_seconds: 1s}
        domains:
          - a.example
          - {domain: b.example, port: 3, path: null, headers: {X-B: null}, labels: null, expect: {status: null}}
    """

    a, b = loaded(tmp_path, text).targets

    assert (a.port, a.path, a.headers) == (2, "/global", (("x-a", "group"), ("X-B", "b")))
    assert (a.labels, a.expect) == ((("l", "g"), ("m", "group")), Expect((StatusRange(200, 200),), max_seconds=1.0))
    assert (b.port, b.path, b.headers) == (3, "/", (("x-a", "group"),))
    assert (b.labels, b.expect) == ((), Expect(max_seconds=1.0))


def test_a_sibling_that_is_also_named_is_asked_once(tmp_path: Path) -> None:
    text = """
    groups:
      - name: g
        sni: [self, siblings, b.example, other.example]
        host: [siblings, b.example, a.example]
        domains: [a.example, b.example]
    """

    a, b = loaded(tmp_path, text).targets

    assert (a.snis, a.hosts) == (("a.example", "other.example"), ())
    assert (b.snis, b.hosts) == (("b.example", "other.example"), ())


def test_an_alias_stands_for_its_value(tmp_path: Path) -> None:
    config = loaded(tmp_path, "global: {labels: &l {team: web}}\ngroups: [{name: g, labels: *l, domains: [a.example]}]")

    assert config.targets[0].labels == (("team", "web"),)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"groups:\n  - name: \xff\n", ":2: is not UTF-8 (byte 0xff)"),
        (b"\xff\xfeg\x00", ":1: is not UTF-8 (byte 0xff)"),
        (b"#" * (MAX_BYTES + 1), ": is larger than 16 MiB"),
        (b"", ":1: is empty: `groups` is needed"),
    ],
)
def test_bytes_that_are_no_configuration(tmp_path: Path, data: bytes, complaint: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(data)

    with pytest.raises(ConfigError) as raised:
        load(path, {})

    assert raised.value.complaints == (f"{path}{complaint}",)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing.yaml", "No such file or directory"), (".", "Is a directory"), ("\0", "embedded null byte")],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        load(tmp_path / name, {})


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    assert loaded(tmp_path, "\ufeffgroups: [{name: g, domains: [a.example]}]").targets[0].domain == "a.example"


def test_so_many_targets_are_refused_before_they_are_read(tmp_path: Path) -> None:
    text = f"x: 1\ngroups: [{{name: g, domains: [{'a,' * (MAX_TARGETS + 1)}]}}]"

    assert complaints(tmp_path, text) == [
        ":1: x: is not a known key",
        ":2: groups: hold 100,001 domains together, at most 100,000 are allowed",
    ]


def test_a_flood_of_faults_is_cut(tmp_path: Path) -> None:
    found = complaints(tmp_path, f"groups: [{{name: g, domains: [{'1,' * (MAX_SHOWN + 5)}]}}]")

    assert len(found) == MAX_SHOWN + 1
    assert found[-1] == ": 5 further faults are not listed"


def test_a_large_group_costs_no_square_of_memory(tmp_path: Path) -> None:
    """5,000 siblings of one another: 25 million references, if each target had its own tuple."""
    path = tmp_path / "config.yaml"
    names = ", ".join(f"d{number}.example" for number in range(5_000))
    path.write_text(f"groups: [{{name: g, headers: {{A: b}}, labels: {{c: d}}, domains: [{names}]}}]", encoding="utf-8")
    gc.collect()
    tracemalloc.start()

    targets = load(path, {}).targets
    gc.collect()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(targets) == 5_000
    assert kept < 5_000_000
    assert peak < 50_000_000
    assert len({id(target.siblings) for target in targets}) == 1
    assert (
        len({(id(target.headers), id(target.labels), id(target.expect), id(target.hosts)) for target in targets}) == 1
    )


def test_equal_settings_of_single_domains_are_shared(tmp_path: Path) -> None:
    own = "headers: {A: b}, labels: {c: d}, expect: {status: 200}, resolve: [192.0.2.1]"
    a, b = loaded(tmp_path, f"groups: [{{name: g, domains: [{{domain: a, {own}}}, {{domain: b, {own}}}]}}]").targets

    assert a.headers is b.headers
    assert a.labels is b.labels
    assert a.expect is b.expect
    assert a.resolve is b.resolve


SECRET = "correct-horse-battery"
secret_headers = st.sampled_from(
    [
        {"Authorization": SECRET},
        {"x-api-key": SECRET},
        {"X-Session-Token": SECRET},
        {"A": {"env": "SECRET"}},
        {"A": {"file": "secret"}},
    ]
)


def secret_file(directory: Path, headers: object, port: int) -> Path:
    (directory / "secret").write_text(SECRET, encoding="utf-8")
    path = directory / "config.yaml"
    group = {"name": "g", "headers": headers, "domains": ["a.example"], "port": port}
    path.write_text(yaml.safe_dump({"groups": [group]}), encoding="utf-8")
    return path


@settings(deadline=None)  # a file is written for each example
@given(headers=secret_headers)
def test_secrets_are_held_and_not_shown(tmp_path_factory: pytest.TempPathFactory, headers: object) -> None:
    config = load(secret_file(tmp_path_factory.mktemp("secrets"), headers, 443), {"SECRET": SECRET})

    [(_, value)] = config.targets[0].headers
    assert isinstance(value, Secret)
    assert value.reveal == SECRET
    assert SECRET not in str(config) + repr(config) + str(value)


@settings(deadline=None)  # a file is written for each example
@given(headers=secret_headers)
def test_complaints_beside_secrets_do_not_show_them(tmp_path_factory: pytest.TempPathFactory, headers: object) -> None:
    with pytest.raises(ConfigError) as raised:
        load(secret_file(tmp_path_factory.mktemp("secrets"), headers, 0), {"SECRET": SECRET})

    assert SECRET not in str(raised.value) + repr(raised.value) + repr(raised.value.complaints)


@settings(deadline=None)  # a file is written for each example
@given(
    value=st.recursive(
        st.just(SECRET),
        lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.just(SECRET), inner, min_size=1),
        max_leaves=5,
    )
)
def test_nothing_under_a_header_is_shown_in_a_complaint(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    path = tmp_path_factory.mktemp("secrets") / "config.yaml"
    group = {"name": "g", "headers": {"X-A": [value], "X-B": {"file": SECRET}, "X-C": {"env": SECRET}}, "domains": []}
    path.write_text(yaml.safe_dump({"groups": [group]}), encoding="utf-8")

    with pytest.raises(ConfigError) as raised:
        load(path, {})

    assert SECRET not in str(raised.value) + repr(raised.value)


KEYS = {*GLOBAL, *GROUP, *EXPECT, "global", "groups", "domain"}
WORDS = {"self", "siblings", "none", "unknown", "file", "env", "all", "GET", "http/1.1"}
VALUES = {"a.example", "30s", "200-299", "192.0.2.1", "/"}
words = st.sampled_from(sorted(KEYS | WORDS | VALUES))
scalars = words | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
junk = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=5), inner, max_size=6)
)
settings_of_junk = st.fixed_dictionaries({}, optional=dict.fromkeys(sorted({*GLOBAL, *GROUP}), junk))
documents = st.fixed_dictionaries(
    {
        "groups": st.lists(
            settings_of_junk.map(lambda group: {"name": "g", "domains": ["a.example"], **group}), max_size=3
        )
    },
    optional={"global": settings_of_junk},
)


@settings(deadline=None)  # a file is written for each example
@given(document=documents | junk)
def test_junk_gives_nothing_but_config_error(tmp_path_factory: pytest.TempPathFactory, document: object) -> None:
    path = tmp_path_factory.mktemp("junk") / "config.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=False), encoding="utf-8")

    assert complains_or_loads(path)


@settings(deadline=None)  # a file is written for each example
@given(data=st.binary(max_size=200) | st.text("{}[]:,-&*!?|>'\"%#~<a0 \n\t").map(str.encode))
def test_bytes_give_nothing_but_config_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "config.yaml"
    path.write_bytes(data)

    assert complains_or_loads(path)


def complains_or_loads(path: Path) -> bool:
    try:
        return bool(load(path, {}).targets)
    except ConfigError as error:
        return all(complaint.startswith(str(path)) and "\n" not in complaint for complaint in error.complaints)


def test_how_sure_to_be_and_where_to_write_reach_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2\n", encoding="utf-8")
    text = """
    global: {confirm_rounds: 3, resolve_rounds: 4, scrape_interval: 15s}
    grafana: {url: https://grafana.example:3000/sub/, token_file: token, dashboard_uid: aB-_9, tags: [edge, "a b"]}
    groups: [{name: shop, domains: [a.example]}]
    """
    config = loaded(tmp_path, text)

    assert (config.confirm_rounds, config.resolve_rounds, config.scrape_interval_seconds) == (3, 4, 15.0)
    assert config.grafana == Grafana(
        url="https://grafana.example:3000/sub",
        token_file=str(tmp_path / "token"),
        dashboard_uid="aB-_9",
        tags=("edge", "a b"),
    )
    assert "hunter2" not in repr(config)


@pytest.mark.parametrize("text", ["null", "{url: 'http://[::1]', token_file: token, dashboard_uid: null, tags: null}"])
def test_what_is_null_for_grafana_is_its_default(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text("hunter2", encoding="utf-8")
    config = loaded(tmp_path, f"grafana: {text}\ngroups: [{{name: shop, domains: [a.example]}}]")

    expected = Grafana(url="http://[::1]", token_file=str(tmp_path / "token"))
    assert config.grafana == (None if text == "null" else expected)


@pytest.mark.parametrize(
    "url",
    [
        "grafana.example",
        "ftp://grafana.example",
        "https://",
        "https://a b",
        "https://a?q",
        "https://a#f",
        "https://u@a",
    ],
)
def test_what_is_no_url_of_a_server_is_refused(tmp_path: Path, url: str) -> None:
    (tmp_path / "token").write_text("hunter2", encoding="utf-8")
    text = f'grafana: {{url: "{url}", token_file: token}}\ngroups: [{{name: shop, domains: [a.example]}}]'

    (complaint,) = complaints(tmp_path, text)

    assert complaint.startswith(":1: grafana.url: must be a URL")


def test_an_empty_token_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n", encoding="utf-8")
    text = "grafana: {url: https://a.example, token_file: token}\ngroups: [{name: shop, domains: [a.example]}]"

    assert complaints(tmp_path, text) == [":1: grafana.token_file: names a file that is empty"]

"""What `check` takes from a command line, and one clear line for each fault in it."""

from __future__ import annotations

import pytest

from exporter.cli.arguments import configuration
from exporter.cli.parser import parser
from exporter.config import ConfigError


def parsed(*arguments):
    return configuration(parser().parse_args(["check", *arguments]))


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("shop.test", ("shop.test", 443, "/")),
        ("Shop.TEST.", ("shop.test", 443, "/")),
        ("https://shop.test", ("shop.test", 443, "/")),
        ("https://shop.test/", ("shop.test", 443, "/")),
        ("https://Shop.test:8443/cart?id=1&x=%20#top", ("shop.test", 8443, "/cart?id=1&x=%20")),
        ("HTTPS://shop.test?q=1", ("shop.test", 443, "/?q=1")),
        ("shop.test:8443", ("shop.test", 8443, "/")),
        ("shop.test/cart", ("shop.test", 443, "/cart")),
        ("https://bücher.test/ü", ("xn--bcher-kva.test", 443, "/%C3%BC")),
    ],
)
def test_a_name_may_be_typed_in_many_ways(typed, asked):
    (target,) = parsed(typed).targets

    assert (target.domain, target.port, target.path) == asked


def test_what_stands_in_an_address_is_about_that_name_alone():
    first, second = parsed("https://a.test:1/x", "--sibling", "https://b.test", "--port", "2", "--path", "/y").targets

    assert [(one.domain, one.port, one.path) for one in (first, second)] == [("a.test", 1, "/x"), ("b.test", 2, "/y")]
    assert first.siblings == second.siblings == ("a.test", "b.test")


@pytest.mark.parametrize("again", ["a.test", "A.TEST", "a.test.", "https://a.test/", "https://A.test./"])
def test_a_name_that_is_typed_twice_counts_once(again):
    assert [one.domain for one in parsed("a.test", "--sibling", again).targets] == ["a.test"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("http://a.test",), "check: 'http://a.test': only https is asked for"),
        (("ftp://a.test/x",), "check: 'ftp://a.test/x': only https is asked for"),
        (("a.test:http",), "check: 'a.test:http': is no address: "),
        (("https://a.test/x", "https://a.test/y"), "'https://a.test/y': is the same name as 'https://a.test/x'"),
        (("*.a.test",), "check: '*.a.test': is a wildcard"),
        (
            ("192.0.2.1",),
            "check: '192.0.2.1': is an IP address: give the domain's name, and the address in `--address`",
        ),
        (("2001:db8::1",), "check: '2001:db8::1': is an IP address"),
        (("https://[2001:db8::1]:443/",), "is an IP address"),
        (("",), "check: '': must be a domain name, and is empty"),
        (("https:///x",), "must be a domain name, and is empty"),
        (("a.test", "--port", "99999"), "check: --port: must be at most 65535"),
        (("a.test", "--address", "x"), "check: --address: must be an IPv4 or IPv6 address"),
        (("a.test", "--timeout", "5"), "check: --timeout: must be a duration"),
        (("a.test", "--path", "x"), "check: --path: must begin with `/`"),
        (("a.test", "--ca-file", "none.pem"), "check: --ca-file: names a file that does not exist"),
        (("a\x1b[2J.test",), r"check: 'a\x1b[2J.test': "),
        ((), "check: give the names to check, or --config.file"),
        (("a.test", "--config.file", "x"), "check: give names and settings, or --config.file, not both"),
    ],
)
def test_a_fault_names_what_was_typed(arguments, told):
    with pytest.raises(ConfigError) as raised:
        parsed(*arguments)

    (complaint,) = raised.value.complaints
    assert told in complaint


def test_a_password_in_an_address_is_not_repeated():
    with pytest.raises(ConfigError, match="a user or a password stands in an address") as raised:
        parsed("https://alice:hunter2@a.test/")

    assert "hunter2" not in str(raised.value)

"""The configuration: a YAML file to validated targets, or to all that is wrong with it in one exception."""

from exporter.config.complaints import ConfigError
from exporter.config.load import Config, load, parse
from exporter.config.names import UNKNOWN_HOST, domain_name
from exporter.config.schema import Grafana
from exporter.config.web import OPEN, ClientAuth, TlsServer, TlsVersion, WebConfig, load_web

__all__ = [
    "OPEN",
    "UNKNOWN_HOST",
    "ClientAuth",
    "Config",
    "ConfigError",
    "Grafana",
    "TlsServer",
    "TlsVersion",
    "WebConfig",
    "domain_name",
    "load",
    "load_web",
    "parse",
]

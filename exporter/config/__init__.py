"""The configuration: a YAML file to validated targets, or to all that is wrong with it in one exception."""

from exporter.config.complaints import ConfigError
from exporter.config.load import Config, load, parse
from exporter.config.names import UNKNOWN_HOST, domain_name
from exporter.config.schema import Grafana

__all__ = ["UNKNOWN_HOST", "Config", "ConfigError", "Grafana", "domain_name", "load", "parse"]

"""Incidents as annotations in Grafana: a region that opens with the incident and ends with it."""

from exporter.grafana.announcer import Announcer

__all__ = ["Announcer"]

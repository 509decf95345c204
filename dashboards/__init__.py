"""Dashboards, alerts and their provisioning, made from one source: `python -m dashboards.build`."""

"""What people and Prometheus read: the aiohttp application."""

from exporter.web.application import application
from exporter.web.house import House

__all__ = ["House", "application"]

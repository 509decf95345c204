"""What people and Prometheus read: the aiohttp application."""

from exporter.web.application import application
from exporter.web.events import Events
from exporter.web.house import House

__all__ = ["Events", "House", "application"]

"""What people and Prometheus read: the aiohttp application."""

from exporter.web.application import application
from exporter.web.events import Events
from exporter.web.guard import Guard
from exporter.web.house import House
from exporter.web.tls import Certificate

__all__ = ["Certificate", "Events", "Guard", "House", "application"]

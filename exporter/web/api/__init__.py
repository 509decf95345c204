"""`/api/v1/`: what the pages show, as JSON."""

from exporter.web.api.routes import FOLDER, ROUTES

__all__ = ["FOLDER", "ROUTES"]

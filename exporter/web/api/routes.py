"""The paths of the API."""

from __future__ import annotations

from aiohttp import web

from exporter.web.api import domains, incidents, listening, status

FOLDER = "/api/v1/"

ROUTES = (
    web.get(f"{FOLDER}domains", domains.domains),
    web.get(f"{FOLDER}domains/{{domain}}", domains.domain),
    web.post(f"{FOLDER}domains/{{domain}}/check", domains.check),
    web.get(f"{FOLDER}incidents", incidents.incidents),
    web.get(f"{FOLDER}incidents/{{id}}", incidents.incident),
    web.get(f"{FOLDER}causes", status.causes),
    web.get(f"{FOLDER}status", status.status),
    web.get(f"{FOLDER}events", listening.events),
    web.get(f"{FOLDER}openapi.json", status.description),
)

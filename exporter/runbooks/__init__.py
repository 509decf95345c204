"""What to do about each cause and each status code: one page each, for somebody woken up at night."""

from exporter.runbooks.library import ABOUT_US, CODES, FAMILIES, Family, Page, ids, markdown, page, titles
from exporter.runbooks.rendering import Section

__all__ = ["ABOUT_US", "CODES", "FAMILIES", "Family", "Page", "Section", "ids", "markdown", "page", "titles"]

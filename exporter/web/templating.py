"""The templates of all pages. What is put into them is escaped."""

from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from exporter.diagnosis.samples import answer_of
from exporter.web import words

TEMPLATES = Environment(
    loader=PackageLoader("exporter.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {
    "duration": words.duration,
    "long_duration": words.long_duration,
    "milliseconds": words.milliseconds,
    "moment": words.moment,
    "iso": words.iso,
    "line": words.line,
    "answered": answer_of,
    "segment": lambda text: quote(str(text), safe=""),  # one part of a path, slashes and all
}

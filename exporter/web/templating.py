"""The templates of all pages. What is put into them is printable and escaped, whoever wrote it."""

from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from exporter.diagnosis.samples import answer_of
from exporter.web import words


def _shown(value: object) -> object:
    """`Markup` was made by templates, of what had passed here, or by us."""
    return words.printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


TEMPLATES = Environment(
    loader=PackageLoader("exporter.web"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    auto_reload=False,  # a package's files do not change while it runs
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


def compile_all() -> None:
    """Before anybody asks: the first of each would stand still for up to 50 ms while it is asked for."""
    for name in TEMPLATES.list_templates():
        TEMPLATES.get_template(name)

"""What a browser would make of a page, as far as safety and readability go."""

from __future__ import annotations

from html.parser import HTMLParser


class Document(HTMLParser):
    """Its text, what it links to or loads, and what it would run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.scripts: list[str | None] = []
        self.dangers: list[str] = []
        self.ids: list[str] = []
        self._skips = False
        self.feed(html)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        fields = dict(attributes)
        self._skips = tag in {"script", "style"}
        if tag == "script":
            self.scripts.append(fields.get("src"))
        if tag in {"iframe", "object", "embed", "base", "style", "img"}:
            self.dangers.append(tag)
        if "id" in fields:
            self.ids.append(fields["id"])
        for name, value in attributes:
            if name.startswith("on") or name in {"style", "srcdoc"}:
                self.dangers.append(f"{tag} {name}")
            if name in {"href", "src", "action", "formaction"}:
                self.links.append(value or "")

    def handle_endtag(self, _tag):
        self._skips = False

    def handle_data(self, data):
        if not self._skips:
            self.words.append(data)

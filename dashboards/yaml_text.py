"""YAML that people can read: a head that says where it comes from, keys in our order, long expressions as blocks."""

from __future__ import annotations

import yaml


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as literal blocks, and the same value twice in full."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # the library's signature
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def document(head: str, content: object) -> str:
    body = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return f"# {head}\n{body}"

"""Configurations as text with holes, `@name` or `@{name}`: `$` is left to nginx, braces to nginx and YAML."""

from __future__ import annotations

import string


class Blueprint(string.Template):
    """`substitute` fills the holes and raises KeyError for one that was forgotten."""

    delimiter = "@"

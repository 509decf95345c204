"""Rounds as they may be shown: without what is secret, also where a server says it again. Pure."""

from exporter.model import Round, Secret
from exporter.records import round_of_text, text_of_round


def presentable(round_: Round) -> Round:
    """The same round where nothing secret was sent; else one that went through the form in which rounds are kept."""
    has_secrets = any(isinstance(value, Secret) for _, value in round_.target.headers)
    return round_of_text(text_of_round(round_)) if has_secrets else round_

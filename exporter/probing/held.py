"""Connections that are kept from round to round, to see answers of a connection older than the last change."""

from __future__ import annotations

from collections.abc import Collection

from exporter.model import Dial, Observation, Probe
from exporter.probing.certificates import Judge
from exporter.probing.run import Conversation


class Held:
    """One connection for each probe that is asked on a held one."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._conversations: dict[Probe, Conversation] = {}

    async def ask(self, dial: Dial) -> Observation:
        """Ask on the connection as it is left from the last round. Never raises but for cancellation.

        `Observation.asked_before` is 0 where it had to be opened: at first, or because the server had ended it.
        """
        probe = dial.asks[0].probe
        conversation = self._conversations.setdefault(probe, Conversation(dial, self._judge))
        return await conversation.ask_again(dial)

    def keep(self, domains: Collection[str]) -> None:
        """Let go of the connections of all domains but these."""
        for probe in [probe for probe in self._conversations if probe.domain not in domains]:
            self._conversations.pop(probe).hang_up()

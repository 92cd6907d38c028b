"""What stands in for actions where there is nothing to act on: a replay decides about processes that are long gone."""

from __future__ import annotations

from ruleng.alert import Outcome
from ruleng.event import Event
from ruleng.lang.checked import Action


class Inert:
    """Says what would have been done, and to whom."""

    def act(self, action: Action, event: Event, rule_name: str) -> Outcome:
        process = event.proc
        return Outcome(
            action=action.name,
            outcome="skipped",
            target=f"pid {process.pid} ({process.name})" if process.pid is not None else None,
            error="a replay acts on nothing",
        )

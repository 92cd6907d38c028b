"""`ruleng explain`: events of a file beside the rules that are asked about."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from ruleng.engine.explain import Explanation, explain
from ruleng.errors import UsageError
from ruleng.lang.checked import Rule
from ruleng.metrics import RunStats
from ruleng.pipeline.events import demand_for
from ruleng.pipeline.replay import read_events
from ruleng.pipeline.settings import Settings


def explained(
    settings: Settings, rules: Sequence[Rule], name: str | None, path: str, stats: RunStats, *, num: int | None
) -> Iterator[tuple[int, Explanation]]:
    """(number of the event, explanation): for one rule whatever came of it, for all enabled rules (`name` None) where they match.

    Raises UsageError for an unknown rule, InputError for an unreadable file.
    """
    known = {rule.name: rule for rule in rules}
    if name is not None and name not in known:
        near = difflib.get_close_matches(name, known, 1)
        raise UsageError(f"there is no rule `{name}`", hint=f"did you mean `{near[0]}`?" if near else None)
    asked = [rule for rule in rules if rule.enabled] if name is None else [known[name]]
    for event in read_events(settings, path, demand_for(), stats):
        if num is None or event.num == num:
            for rule in asked:
                explanation = explain(rule, event)
                if name is not None or explanation.verdict:
                    yield event.num, explanation

"""Rules -> a RuleSet: a module of Python with one function per kind of event, compiled and ready to run.

The generated text is the same for the same rules in every run, and is for people too: `RuleSet.source`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ruleng.engine.factory import Nodes
from ruleng.engine.nodes import FALSE, Node
from ruleng.engine.normalise import normalise
from ruleng.engine.plan import buckets
from ruleng.engine.pushdown import filters
from ruleng.engine.ruleset import Match, RuleSet, needs_of
from ruleng.engine.write import Writer
from ruleng.fields.types import Catalogue
from ruleng.lang.checked import Op, Rule

MOST_LEVELS = 4000
"""Of groups in one condition: what is deeper, by macros within macros, would be more nested calls than Python allows."""


def compile_rules(rules: Sequence[Rule], catalogue: Catalogue, *, count: bool = False) -> RuleSet:
    """The rules that are enabled, as one function of an event. Rules keep their numbers: `rules[i]` is rule i.

    With `count` the code counts, for each rule, how often what is its own was tested, and how often it matched.
    """
    nodes = Nodes()
    conditions: list[tuple[int, Node]] = []
    sources: dict[str, Node] = {}
    for number, rule in enumerate(rules):
        if rule.enabled:
            if rule.source not in sources:
                sources[rule.source] = nodes.leaf(nodes.subjects.event_source(), Op.IN, [rule.source])
            node = normalise(rule.condition, nodes)
            if node.height > MOST_LEVELS:
                node = nodes.opaque(rule.condition)
            condition = nodes.all([sources[rule.source], node])
            if condition is not FALSE:
                conditions.append((number, condition))
    kinds = buckets(conditions, catalogue.event_types, nodes)
    source, namespace = Writer(rules, count=count).module(kinds, catalogue.event_types)
    exec(compile(source, "<rules>", "exec"), namespace)  # noqa: S102  # made above, of the catalogue's words and of literals
    match: Match = namespace["match"]
    tested, matched = namespace["tested"], namespace["matched"]
    return RuleSet(
        rules=tuple(rules),
        match=match,
        source=source,
        needs=needs_of(rules, kinds, catalogue),
        filters=filters(kinds),
        tested=tested,
        matched=matched,
    )

"""Rules -> a RuleSet: a module of Python with one function per kind of event, compiled and ready to run.

The generated text is the same for the same rules in every run, and is for people too: `RuleSet.source`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ruleng.engine import globs, interpret, operands, operators, share, text
from ruleng.engine.emit import Function, Module, Scope, condition, expression
from ruleng.engine.factory import Nodes
from ruleng.engine.nodes import FALSE, Node
from ruleng.engine.normalise import normalise
from ruleng.engine.plan import OTHER, Bucket, buckets
from ruleng.engine.pushdown import filters
from ruleng.engine.ruleset import Match, RuleSet, needs_of
from ruleng.engine.subjects import Subject
from ruleng.engine.tree import Branch, Hit, Tree, tree
from ruleng.fields.types import Catalogue
from ruleng.lang.checked import Checked, Op, Rule

LONGEST = 200
"""Rules in one generated function; Python compiles several of that size sooner than one huge one."""

MOST_LEVELS = 4000
"""Of groups in one condition: what is deeper, by macros within macros, would be more nested calls than Python allows."""

_HELPERS: dict[str, Any] = {
    "Op": Op,
    "between": operators.between,
    "glob": globs.glob,
    "lower": text.lower,
    "one_of_globs": operators.one_of_globs,
    "one_of_paths": operators.one_of_paths,
    "one_of_regexes": operators.one_of_regexes,
    "one_of_substrings": operators.one_of_substrings,
    "predicate": operators.predicate,
}
_LOCALS = (
    "e",
    "p",
    "f",
    "c",
    "found",
    "lowered",
    "handler",
    "match",
    "other",
    "handler_of",
    "HANDLERS",
    "NOTHING",
    "tested",
    "matched",
)


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
    source, namespace = _Writer(rules, count=count).module(kinds, catalogue.event_types)
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


class _Writer:
    """Writes the module, line by line."""

    def __init__(self, rules: Sequence[Rule], *, count: bool) -> None:
        self._rules = rules
        self._count = count
        self._module = Module((*operands.namespace(), *_HELPERS, *_LOCALS))
        self._owed: list[tuple[str, Tree]] = []
        self._lines: list[str] = []

    def module(self, kinds: Sequence[Bucket], universe: frozenset[str]) -> tuple[str, dict[str, Any]]:
        """The text, and the names that it must find when it is run."""
        handlers: dict[str, str] = {}
        for kind in kinds:
            name = self._handler(kind)
            handlers |= dict.fromkeys(kind.types, name)
        self._pay()
        lines = [
            f"# Made from {len(self._rules)} rules. e is the event, p its process, f its descriptor, c its container.",
            *self._module.definitions,
            *self._lines,
            *_dispatch(handlers, universe),
        ]
        size = len(self._rules) if self._count else 0
        interpreted = {name: _interpreted(condition) for name, condition in self._module.interpreted.items()}
        counters = {"tested": [0] * size, "matched": [0] * size}
        return "\n".join(lines) + "\n", {**operands.namespace(), **_HELPERS, **interpreted, **counters}

    def _handler(self, kind: Bucket) -> str:
        known = [type for type in kind.types if type != OTHER]
        name = self._module.name(f"on_{known[0]}" if known and known[0].isidentifier() else "on_other")
        decisions = tree(kind.rules)
        body, prelude = self._body(decisions, name)
        types = ", ".join(type or "any other" for type in kind.types[:8]) + (", ..." if len(kind.types) > 8 else "")
        self._lines += ["", "", f"def {name}(e):  # {types}", *prelude, "    found = []", *body]
        self._lines.append("    return found" if _ordered(decisions) else "    return sorted(found) if found else found")
        return name

    def _pay(self) -> None:
        """Writes the functions that others call."""
        while self._owed or self._module.parts:
            while self._owed:
                name, decisions = self._owed.pop()
                body, prelude = self._body(decisions, name)
                self._lines += ["", "", f"def {name}(e, found):", *prelude, *body]
            while self._module.parts:
                name, node = self._module.parts.pop()
                function = Function(self._module)
                code = expression(node, Scope(function))
                self._lines += ["", "", f"def {name}(e):", *_prelude(function), f"    return {code.text}"]

    def _body(self, decisions: Tree, name: str) -> tuple[list[str], list[str]]:
        """(lines, lines to come before them)."""
        function = Function(self._module)
        lines: list[str] = []
        self._block(decisions, Scope(function), "    ", name, lines)
        return lines, _prelude(function)

    def _block(self, decisions: Tree, scope: Scope, indent: str, name: str, lines: list[str]) -> None:
        if len(decisions) > LONGEST:
            chunks = [decisions[start : start + LONGEST] for start in range(0, len(decisions), LONGEST)]
            lines.extend(f"{indent}{self._owe(name, chunk)}(e, found)" for chunk in chunks)
            return
        for thing in share.shared(decisions):
            if thing not in scope.assigned:
                value = scope.function.text(thing) if isinstance(thing, Subject) else expression(thing, scope).text
                lines.append(f"{indent}{scope.function.local(thing)} = {value}")
                scope = scope.having(thing)
        for part in decisions:
            match part:
                case Hit():
                    self._hit(part, scope, indent, lines)
                case Branch():
                    text, inside = condition(part.tests, scope, indent)
                    lines.append(f"{indent}if {text}:")
                    if _size(part.then) > LONGEST:
                        lines.append(f"{indent}    {self._owe(name, part.then)}(e, found)")
                    else:
                        self._block(part.then, inside, indent + "    ", name, lines)

    def _owe(self, name: str, decisions: Tree) -> str:
        part = self._module.name(name, 2)
        self._owed.append((part, decisions))
        return part

    def _hit(self, hit: Hit, scope: Scope, indent: str, lines: list[str]) -> None:
        if self._count:
            lines.append(f"{indent}tested[{hit.rule}] += 1")
        if hit.tests:
            lines.append(f"{indent}if {condition(hit.tests, scope, indent)[0]}:")
            indent += "    "
        if self._count:
            lines.append(f"{indent}matched[{hit.rule}] += 1")
        lines.append(f"{indent}found.append({hit.rule})  # {self._rules[hit.rule].name!r}")


def _interpreted(condition: Checked) -> Any:
    return lambda event: interpret.holds(condition, event)


def _prelude(function: Function) -> list[str]:
    lines = ["    p = e.proc"] if function.names & {"p", "c"} else []
    lines += ["    f = e.fd"] if "f" in function.names else []
    return lines + (["    c = p.container"] if "c" in function.names else [])


def _dispatch(handlers: dict[str, str], universe: frozenset[str]) -> list[str]:
    """The table of functions, and `match`, which picks one."""
    other = handlers.pop(OTHER, None)
    rows = dict(sorted(handlers.items()))
    if other:
        rows |= dict.fromkeys(sorted(universe - handlers.keys()), "None")
    table = [f"    {type!r}: {name}," for type, name in rows.items()]
    return [
        "",
        "",
        "HANDLERS = {",
        *table,
        "}",
        "NOTHING = ()",
        "handler_of = HANDLERS.get",
        "",
        "",
        "def match(e):",
        f"    handler = handler_of(e.type{f', {other}' if other else ''})",
        "    return NOTHING if handler is None else handler(e)",
    ]


def _ordered(decisions: Tree) -> bool:
    """Whether the tree finds rules in the order of their numbers."""
    found = _numbers(decisions)
    return found == sorted(found)


def _numbers(decisions: Tree) -> list[int]:
    return [number for part in decisions for number in (_numbers(part.then) if isinstance(part, Branch) else [part.rule])]


def _size(decisions: Tree) -> int:
    return len(_numbers(decisions))

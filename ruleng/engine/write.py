"""Buckets of rules -> the text of a Python module, with a function for each bucket and `match`, which picks one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ruleng.engine import globs, interpret, operands, operators, share, text
from ruleng.engine.emit import Function, Module, Scope, condition, expression
from ruleng.engine.plan import OTHER, Bucket
from ruleng.engine.subjects import Subject
from ruleng.engine.tree import Branch, Hit, Tree, tree
from ruleng.lang.checked import Checked, Op, Rule

LONGEST = 200
"""Rules in one generated function; Python compiles several of that size sooner than one huge one."""

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
_OWN = "e p f c found lowered handler handler_of match HANDLERS NOTHING tested matched sorted any map frozenset"
"""Names that the module itself uses."""


class Writer:
    """Writes the module, line by line."""

    def __init__(self, rules: Sequence[Rule], *, count: bool) -> None:
        self._rules = rules
        self._count = count
        self._module = Module((*operands.namespace(), *_HELPERS, *_OWN.split()))
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

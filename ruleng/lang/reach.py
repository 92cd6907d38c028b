"""Whether a rule can ever match on the sources in use: they must provide its event types and the fields that it needs.

A field that no source provides is missing in every event, so a comparison with it is false, and its negation is true.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from ruleng.lang.checked import All, AnyOf, Apply, Checked, Constant, FieldUse, Negate, Operand, OperandTuple, Test


@dataclass(frozen=True, slots=True)
class Reach:
    """What the sources in use provide: their names as the field catalogue has them, and event types; None: any."""

    sources: frozenset[str]
    event_types: frozenset[str] | None = None

    def provides(self, use: FieldUse) -> bool:
        return bool(use.field.sources & self.sources)


def lacking(condition: Checked, event_types: frozenset[str] | None, reach: Reach) -> set[str]:
    """What keeps the rule from ever matching: names of event types or of fields; empty when it can match.

    event_types: those for which the condition can be true, None if unknown.
    """
    if reach.event_types is not None and event_types and not event_types & reach.event_types:
        return set(event_types)
    missing = {name for test in _tests(condition) for name in _missing(test, reach)}
    return missing if missing and not _can_hold(condition, reach) else set()


def _missing(test: Test, reach: Reach) -> Iterator[str]:
    for operand in (test.left, test.right):
        if operand is not None:
            yield from (use.field.name for use in _uses(operand) if not reach.provides(use))


def _uses(operand: Operand) -> Iterator[FieldUse]:
    match operand:
        case FieldUse():
            yield operand
        case Apply(args=parts) | OperandTuple(items=parts):
            for part in parts:
                yield from _uses(part)
        case Constant():
            pass
        case _:
            assert_never(operand)


def _tests(root: Checked) -> Iterator[Test]:
    work = [root]
    while work:
        node = work.pop()
        match node:
            case All(children) | AnyOf(children):
                work.extend(children)
            case Negate(child):
                work.append(child)
            case Test():
                yield node
            case _:
                assert_never(node)


def _can_hold(root: Checked, reach: Reach) -> bool:
    """Whether some event may satisfy the condition. For each node two answers: it may be true, it may be false."""
    done: list[tuple[bool, bool]] = []
    work: list[tuple[Checked, bool]] = [(root, False)]
    while work:
        node, visited = work.pop()
        match node:
            case All(children) | AnyOf(children):
                if not visited:
                    work.append((node, True))
                    work += [(child, False) for child in children]
                    continue
                below = done[len(done) - len(children) :]
                del done[len(done) - len(children) :]
                true, false = [side[0] for side in below], [side[1] for side in below]
                done.append((all(true), any(false)) if isinstance(node, All) else (any(true), all(false)))
            case Negate(child):
                if not visited:
                    work += [(node, True), (child, False)]
                    continue
                true_below, false_below = done.pop()
                done.append((false_below, true_below))
            case Test():
                done.append((not any(_missing(node, reach)), True))
            case _:
                assert_never(node)
    return done.pop()[0]

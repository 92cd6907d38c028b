"""The meaning of each operator on Python values: what the interpreter does, and what compiled code calls for the rare ones.

A value is one that is there: missing data never comes here (it makes a test false). Literals are of the field's type; a
network is the pair (mask, bits).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, assert_never

from ruleng.engine import globs, patterns, text
from ruleng.lang.ast import Modifier
from ruleng.lang.checked import Op


def satisfies(op: Op, value: Any, literal: Any) -> bool:
    """One value against one literal."""
    match op:
        case Op.EXISTS:
            return True
        case Op.EQ | Op.IN | Op.INTERSECTS:
            return equal(value, literal)
        case Op.NE:
            return not equal(value, literal)
        case Op.LT:
            return bool(_ordered(value) < _ordered(literal))
        case Op.LE:
            return bool(_ordered(value) <= _ordered(literal))
        case Op.GT:
            return bool(_ordered(value) > _ordered(literal))
        case Op.GE:
            return bool(_ordered(value) >= _ordered(literal))
        case Op.CONTAINS | Op.BCONTAINS:
            return literal in value
        case Op.ICONTAINS:
            return text.lower(literal) in text.lower(value)
        case Op.STARTSWITH | Op.BSTARTSWITH:
            return bool(value.startswith(literal))
        case Op.ENDSWITH:
            return bool(value.endswith(literal))
        case Op.GLOB:
            return globs.glob(literal).fullmatch(value) is not None
        case Op.IGLOB:
            return globs.glob(literal, ignore_case=True).fullmatch(value) is not None
        case Op.REGEX:
            return patterns.regex(literal)(text.valid_utf8(value)) is not None
        case Op.PMATCH:
            return patterns.path_starts_with(value, literal)
        case _:
            assert_never(op)


def equal(value: Any, literal: Any) -> bool:
    """An address equals a network that it lies in."""
    if isinstance(literal, tuple):
        mask, bits = literal
        return bool(value & mask == bits)
    return bool(value == literal)


def _ordered(value: Any) -> Any:
    """Strings compare as their bytes do."""
    return text.encode(value) if isinstance(value, str) else value


def check(op: Op, modifier: Modifier | None, value: Any, literals: Collection[Any]) -> bool:
    """One value against a test's literals: any of them must satisfy the operator, unless the modifier wants exactly one or all.

    No literals, no match.
    """
    matching = sum(satisfies(op, value, literal) for literal in literals)
    match modifier:
        case None | "anyof":
            return matching > 0
        case "oneof":
            return matching == 1
        case "allof":
            return matching == len(literals) > 0
        case _:
            assert_never(modifier)


def check_list(op: Op, values: Collection[Any], literals: Collection[Any]) -> bool:
    """A list field: `in` wants every value among the literals, `intersects` one of them. Nothing is in an empty list."""
    among = [any(equal(value, literal) for literal in literals) for value in values]
    return all(among) and bool(literals) if op is Op.IN else any(among)


def same_kind(value: Any, literal: Any) -> bool:
    """Whether a value of a field without a fixed type (evt.rawarg) can be compared with the literal at all."""
    numbers = (bool, int, float)
    if isinstance(literal, (*numbers, tuple)):
        return isinstance(value, numbers)
    return isinstance(value, type(literal))


# --- for compiled code ------------------------------------------------------------------------------------------------------

Predicate = Callable[[Any], bool]


def predicate(
    op: Op, modifier: Modifier | None, literals: Sequence[Any], *, lists: bool = False, any_kind: bool = False
) -> Predicate:
    """The whole test of one value, which may be missing. With `any_kind` a value of another kind than the literals is, too."""

    def holds(value: Any) -> bool:
        if value is None or op is Op.EXISTS:
            return value is not None
        if any_kind and not all(same_kind(value, literal) for literal in literals):
            return False
        return check_list(op, value, literals) if lists else check(op, modifier, value, literals)

    return holds


def between(op: Op, *, lists: bool = False) -> Callable[[Any, Any], bool]:
    """The test of one operand against another, either of which may be missing."""

    def holds(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        return check_list(op, left, right) if lists else satisfies(op, left, right)

    return holds


def one_of_globs(literals: Sequence[str], *, ignore_case: bool = False) -> Callable[[str], bool]:
    matchers = [globs.glob(literal, ignore_case=ignore_case).fullmatch for literal in literals]
    return lambda value: any(matches(value) for matches in matchers)


def one_of_regexes(literals: Sequence[str]) -> Callable[[str], bool]:
    matchers = [patterns.regex(literal) for literal in literals]

    def matches_one(value: str) -> bool:
        data = text.valid_utf8(value)
        return any(matches(data) for matches in matchers)

    return matches_one


def one_of_substrings(literals: Sequence[str], *, ignore_case: bool = False) -> Callable[[str], bool]:
    """For more literals than a chain of `in` is good for."""
    if ignore_case:
        search = patterns.substrings([text.lower(literal) for literal in literals])
        return lambda value: search(text.valid_utf8(text.lower(value)))
    search = patterns.substrings(literals)
    return lambda value: search(text.valid_utf8(value))


def one_of_paths(literals: Sequence[str]) -> Callable[[str], bool]:
    """pmatch: those without wildcards by one `startswith`."""
    plain = [literal for literal in literals if not patterns.has_wildcards(literal)]
    globbed = [literal for literal in literals if patterns.has_wildcards(literal)]
    prefixes = tuple("/".join(["", *patterns.components(literal), ""]) for literal in plain)

    def starts_with_one(value: str) -> bool:
        path = value if value.startswith("/") and "//" not in value else "/" + "/".join(patterns.components(value))
        return (path + "/").startswith(prefixes) or any(patterns.path_starts_with(value, literal) for literal in globbed)

    return starts_with_one

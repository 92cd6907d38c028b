"""What every event that some rule matches satisfies, as far as a kernel can check it before it reports the event.

In: normalised rules by event type. Out: a `ports.Filter` for each type of which not any event may match. A filter is necessary
and never sufficient: what is not understood here, or is too much, is left to the rules.

Only numbers are compared, and those only that every source has before its first look at the event. Paths take no part, though
audit could watch them: it watches an inode, and the /etc/shadow of a container is another one. Names of programs and users take
no part either: they are what the process, or the container's own files, say of themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ruleng.abi.words import error_name, error_number
from ruleng.engine.nodes import Const, Group, Leaf, Node
from ruleng.engine.plan import OTHER, Bucket
from ruleng.engine.ranges import EVERY, Ranges, complement, intersection, union, within
from ruleng.engine.walk import fold
from ruleng.lang.checked import Op
from ruleng.ports import EVERYTHING, HIGHEST, LOWEST, Atom, Filter

MOST = 6
"""Alternatives of a filter: each may cost every system call a look. Where there are more, they become one that is wider."""

_SUCCESS: Ranges = ((0, HIGHEST),)
_FAILURE: Ranges = ((LOWEST, -1),)

NOTHING: Filter = ()


def filters(kinds: Sequence[Bucket]) -> dict[str, Filter]:
    """By event type. A type for which any event may match is not among them."""
    known: dict[Node, Filter] = {}
    found: dict[str, Filter] = {}
    for kind in kinds:
        wanted = _any(_of_condition(node, known) for _, node in kind.rules)
        # that a number is there helped to say which numbers; of itself it is nothing that a kernel could check
        needed = _any([(tuple(atom for atom in alternative if atom.ranges != EVERY),) for alternative in wanted])
        if needed != EVERYTHING:
            found |= dict.fromkeys([type for type in kind.types if type != OTHER], needed)
    return found


def _of_condition(root: Node, known: dict[Node, Filter]) -> Filter:
    def below(node: Node) -> Sequence[Node]:
        return node.children if isinstance(node, Group) and node not in known else ()

    def combine(node: Node, parts: list[Filter]) -> Filter:
        if node not in known:
            match node:
                case Const():
                    known[node] = EVERYTHING if node.value else NOTHING
                case Leaf():
                    known[node] = _of_test(node)
                case Group():
                    known[node] = _all(parts) if node.kind == "and" else _any(parts)
        return known[node]

    return fold(root, below, combine)


# --- tests --------------------------------------------------------------------------------------------------------------------


def _number(value: Any) -> Ranges:
    return ((value, value),)


def _flag(value: Any) -> Ranges:
    return ((int(value), int(value)),)


def _result_that_failed(value: Any) -> Ranges:
    return _FAILURE if value else _SUCCESS


def _result_named(name: Any) -> Ranges:
    """The results that `evt.res` calls so: none for a name that it never uses, as EWOULDBLOCK, which is another for EAGAIN."""
    if name == "SUCCESS":
        return _SUCCESS
    number = int(name) if name.isascii() and name.isdecimal() and len(name) < 19 else error_number(name)
    return _number(-number) if number and error_name(number) == name else ()


UNDERSTOOD: Mapping[str, tuple[str, Callable[[Any], Ranges]]] = {
    "e.result": ("evt.rawres", _number),
    "res(e.result)": ("evt.rawres", _result_named),
    "failed(e.result)": ("evt.rawres", _result_that_failed),
    "e.fd_num": ("fd.num", _number),
    "opens_to_read(e)": ("evt.is_open_read", _flag),
    "opens_to_write(e)": ("evt.is_open_write", _flag),
    "ioctl_command(e)": ("ioctl.cmd", _number),
    "p.pid": ("proc.pid", _number),
    "p.uid": ("user.uid", _number),
    "p.euid": ("user.euid", _number),
    "p.loginuid": ("user.loginuid", _number),
    "p.gid": ("group.gid", _number),
    "p.egid": ("group.egid", _number),
}
"""What a test reads -> (field of an Atom, the numbers of that field for which it reads this value)."""


def _of_test(leaf: Leaf) -> Filter:
    subject = leaf.subject
    if not leaf.plain or subject.many or subject.is_list or subject.text not in UNDERSTOOD:
        return EVERYTHING
    field, numbers = UNDERSTOOD[subject.text]
    ranges = _satisfying(leaf.op, leaf.values, numbers)
    if ranges is None:
        return EVERYTHING
    # a test of what is missing is false, its negation true
    return _of_atom(Atom(field, complement(ranges), or_missing=True) if leaf.negated else Atom(field, ranges))


def _satisfying(op: Op, values: Sequence[Any], numbers: Callable[[Any], Ranges]) -> Ranges | None:
    if op is Op.EXISTS:
        return EVERY
    if op is Op.IN:
        return union(*map(numbers, values))
    if numbers is not _number:
        return None
    match op:
        case Op.LT:
            return ((LOWEST, max(values) - 1),)
        case Op.LE:
            return ((LOWEST, max(values)),)
        case Op.GT:
            return ((min(values) + 1, HIGHEST),)
        case Op.GE:
            return ((min(values), HIGHEST),)
        case _:
            return None


def _of_atom(atom: Atom) -> Filter:
    if atom.ranges == EVERY and atom.or_missing:
        return EVERYTHING
    return ((atom,),) if atom.ranges or atom.or_missing else NOTHING


# --- and, or ------------------------------------------------------------------------------------------------------------------

_Alternative = tuple[Atom, ...]
"""In the order of their fields, one of each."""


def _all(filters: Iterable[Filter]) -> Filter:
    whole = EVERYTHING
    for part in dict.fromkeys(filters):
        few, many = sorted((whole, part), key=len)
        if len(few) * len(many) > MOST:
            many = _one(many)
        whole = _any([(both,) for one in few for other in many if (both := _conjunction(one, other)) is not None])
    return whole


def _conjunction(one: _Alternative, other: _Alternative) -> _Alternative | None:
    """None where nothing satisfies both."""
    atoms = {atom.field: atom for atom in one}
    for atom in other:
        same = atoms.get(atom.field, atom)
        both = Atom(atom.field, intersection(same.ranges, atom.ranges), same.or_missing and atom.or_missing)
        if not both.ranges and not both.or_missing:
            return None
        atoms[atom.field] = both
    return tuple(atoms[field] for field in sorted(atoms))


def _any(filters: Iterable[Filter]) -> Filter:
    alternatives: dict[_Alternative, None] = {}
    for part in filters:
        alternatives |= dict.fromkeys(part)
        if () in alternatives:
            return EVERYTHING
    return _fewer(tuple(alternatives))


def _fewer(alternatives: Filter) -> Filter:
    """As few alternatives as say the same; one that says less where they would be too many."""
    if len(alternatives) > MOST * MOST:
        return _one(alternatives)
    left = list(alternatives)
    kept: list[_Alternative] = []
    while left:
        one = left.pop(0)
        for other in left + kept:
            if (merged := _merged(one, other)) is not None:
                left = [each for each in left if each is not other]
                kept = [each for each in kept if each is not other]
                left.append(merged)
                break
        else:
            kept.append(one)
    if () in kept:
        return EVERYTHING
    return tuple(sorted(kept)) if len(kept) <= MOST else _one(tuple(kept))


def _merged(one: _Alternative, other: _Alternative) -> _Alternative | None:
    """One alternative that says what the two say; None where there is none."""
    if _implies(one, other):
        return other
    if _implies(other, one):
        return one
    if [atom.field for atom in one] != [atom.field for atom in other]:
        return None
    if sum(a != b for a, b in zip(one, other, strict=True)) > 1:
        return None
    return _hull(one, other)


def _implies(one: _Alternative, other: _Alternative) -> bool:
    atoms = {atom.field: atom for atom in one}
    return all((atom := atoms.get(wanted.field)) is not None and _narrower(atom, wanted) for wanted in other)


def _narrower(one: Atom, other: Atom) -> bool:
    return one.or_missing <= other.or_missing and within(one.ranges, other.ranges)


def _hull(one: _Alternative, other: _Alternative) -> _Alternative:
    """What holds whenever one of the two does: of fields that both look at, the numbers of either."""
    atoms = {atom.field: atom for atom in one}
    wider = (
        Atom(atom.field, union(same.ranges, atom.ranges), same.or_missing or atom.or_missing)
        for atom in other
        if (same := atoms.get(atom.field)) is not None
    )
    return tuple(atom for atom in wider if atom.ranges != EVERY or not atom.or_missing)


def _one(alternatives: Filter) -> Filter:
    """A single alternative that holds whenever one of these does."""
    if not alternatives:
        return NOTHING
    whole = alternatives[0]
    for other in alternatives[1:]:
        whole = _hull(whole, other)
    return (whole,)

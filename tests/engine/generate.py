"""Events directed at a rule's own literals, and rules made at random: for laws that must hold for any rule and any event.

Random values never meet a rule's literals, so a law would be tried on events that match nothing. `solve` picks for each field
a value that the wanted tests accept, made of the literals of these tests; it gives up now and then, never lies: whoever uses
it asks an interpreter for the verdict.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from ruleng.alert import Priority
from ruleng.engine import interpret, operands
from ruleng.errors import InputError
from ruleng.event import Event
from ruleng.fields.record import from_fields
from ruleng.fields.types import Catalogue, Field, FieldType
from ruleng.fields.values import to_json
from ruleng.lang.ast import Modifier
from ruleng.lang.checked import (
    All,
    AnyOf,
    Apply,
    Checked,
    Constant,
    FieldUse,
    Negate,
    Op,
    Operand,
    OperandTuple,
    Output,
    Rule,
    Test,
)
from tests.engine.flat import ENDS, flat_event, made_up

Values = dict[str, Any]
"""Values of fields by the names that rules use; evt.type among them."""


# --- events for a condition ---------------------------------------------------------------------------------------------------


def solve(condition: Checked, wanted: bool, random: Random, types: Sequence[str] = ("open",)) -> Values | None:
    """Values for which the condition is, as far as one field at a time tells, what is wanted; None when tests contradict."""
    duties = _duties(condition, wanted, random)
    values: Values = {"evt.type": random.choice(types)}
    for names, mine in _by_field(duties).items():
        candidates = list(_candidates(mine, tuple(values.get(name) for name in names), random))
        random.shuffle(candidates)
        if random.random() < 0.5:  # bare literals are the likeliest to be values of real events
            candidates.sort(key=lambda value: len(str(value)))
        touching = [duty for duty in duties if not set(names).isdisjoint(_looked_at(duty[0]))]
        fitting = next((tried for chosen in candidates if _hold(touching, tried := values | _assigned(names, chosen))), None)
        if fitting is None:
            return None
        values = fitting
    return values


def _duties(condition: Checked, wanted: bool, random: Random) -> list[tuple[Test, bool]]:
    """Tests, each with the truth that it must have: all parts where all are needed, else one of them."""
    duties: list[tuple[Test, bool]] = []
    waiting = [(condition, wanted)]
    while waiting:
        node, truth = waiting.pop()
        match node:
            case Test():
                duties.append((node, truth))
            case Negate():
                waiting.append((node.child, not truth))
            case All() | AnyOf():
                if isinstance(node, All) is truth:
                    waiting.extend((child, truth) for child in node.children)
                elif node.children:
                    waiting.append((random.choice(node.children), truth))
    return duties


_Duties = list[tuple[Test, bool]]


def _by_field(duties: _Duties) -> dict[tuple[str, ...], _Duties]:
    """The duties of each field; a field with two ends goes by the names of both."""
    found: dict[tuple[str, ...], _Duties] = {}
    for test, truth in duties:
        sides = [test.left] if test.right is None else [test.left, test.right]
        for use in [use for side in sides for use in operands.fields(side)]:
            found.setdefault(_names(use), []).append((test, truth))
    return dict(sorted(found.items(), key=lambda row: (row[0] != ("evt.type",), len(row[0]))))


def _names(use: FieldUse) -> tuple[str, ...]:
    if operands.quantifier(use) == "either":
        return ENDS.get(use.field.name, (f"{use.field.name}.0", f"{use.field.name}.1"))
    return (operands.name(use),)


def _assigned(names: tuple[str, ...], chosen: Any) -> Values:
    if len(names) == 1:
        return {names[0]: chosen}
    return dict(zip(names, chosen if isinstance(chosen, tuple) else (chosen, None), strict=False))


def _hold(duties: _Duties, values: Values) -> bool:
    """Whether the tests of which all fields have their values come out as they must."""
    event = flat_event(values["evt.type"] or "", values)
    return all(interpret.holds(_flat(test), event) is truth for test, truth in duties if _looked_at(test) <= values.keys())


def _looked_at(test: Test) -> set[str]:
    sides = [test.left] if test.right is None else [test.left, test.right]
    return {name for side in sides for use in operands.fields(side) for name in _names(use)}


def _flat(test: Test) -> Test:
    """The test as one of a flat catalogue, whatever catalogue it came from."""
    return replace(test, left=_flat_operand(test.left), right=None if test.right is None else _flat_operand(test.right))


def _flat_operand(operand: Operand) -> Operand:
    match operand:
        case FieldUse():
            names = _names(operand)
            read = f"({', '.join(f'e.extra.get({name!r})' for name in names)})"
            if operand.field.name == "evt.type":
                read = "e.type"
            read_arg = None if operand.arg is None else lambda arg: read
            return replace(operand, field=replace(operand.field, read=read, read_arg=read_arg, event_types=None))
        case Apply():
            return replace(operand, args=tuple(map(_flat_operand, operand.args)))
        case OperandTuple():
            return replace(operand, items=tuple(map(_flat_operand, operand.items)))
        case Constant():
            return operand


# --- values -------------------------------------------------------------------------------------------------------------------

_PLAIN: Mapping[FieldType, tuple[Any, ...]] = {
    FieldType.BYTES: (b"", b"nothing"),
    FieldType.BOOL: (True, False),
    FieldType.DOUBLE: (0.0, 2.5),
    FieldType.IPADDR: (0x7F000001, 0x0A000001, 1 << 128 | 1),
    FieldType.IPNET: (0x7F000001, 0x0A000001, 1 << 128 | 1),
    FieldType.STRING: ("", "nothing-else", "/some/where"),
    FieldType.PATH: ("", "/some/where"),
    FieldType.DYNAMIC: (0, "text"),
}
_NUMBERS = (0, 1, 7, 4711)


def _candidates(duties: _Duties, known: tuple[Any, ...], random: Random) -> Iterator[Any]:
    """Values worth a try for one field: made of the literals of its tests, plain ones, and none at all.

    `known` is what other fields say of it already: one end of two.
    """
    test = duties[0][0]
    use = operands.fields(test.left)[0] if operands.fields(test.left) else operands.fields(test.right or test.left)[0]
    single = [*_of_literals(duties), *_PLAIN.get(use.type, _NUMBERS)]
    if use.type in (FieldType.STRING, FieldType.PATH):
        single += _composed(duties)
    single = [value for value in single if _of_type(value, use.type)]
    if use.is_list or operands.quantifier(use) == "any":
        yield ()
        for value in single:
            yield (value,)
            yield (value, random.choice(single))
    elif operands.quantifier(use) == "either":
        one, other = known
        for value in single:
            yield (one or value, other or random.choice(single))
            yield (one or random.choice(single), other or value)
            yield (one or value, other)
        yield known
    else:
        yield from single
    if use.field.nullable:
        yield None


def _of_type(value: Any, type: FieldType) -> bool:
    kinds: dict[FieldType, Any] = {
        FieldType.BYTES: bytes,
        FieldType.BOOL: bool,
        FieldType.DOUBLE: (int, float),
        FieldType.STRING: str,
        FieldType.PATH: str,
        FieldType.DYNAMIC: (int, str),
    }
    if isinstance(value, bool) and type is not FieldType.BOOL:
        return False
    if type in (FieldType.IPADDR, FieldType.IPNET):
        return isinstance(value, int) and (0 <= value < 1 << 32 or 1 << 128 <= value < 1 << 129)
    if width := type.integer:
        bits, signed = width
        low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
        return isinstance(value, int) and low <= value < high
    return isinstance(value, kinds.get(type, int))


def _of_literals(duties: _Duties) -> Iterator[Any]:
    for test, _ in duties:
        for literal in test.values:
            yield from _near(test.op, literal)


def _near(op: Op, literal: Any) -> Iterator[Any]:
    match literal:
        case bool():
            yield from (literal, not literal)
        case int() | float():
            yield from (literal, literal - 1, literal + 1)
        case tuple():  # a network
            mask, bits = literal
            yield from (bits, bits | 1, bits | (mask ^ ((1 << 129) - 1)) & 0xFF)
        case bytes():
            yield from (literal, b"x" + literal + b"y", literal + b"y", b"x" + literal)
        case str():
            sample = _sample(literal) if op in (Op.GLOB, Op.IGLOB, Op.PMATCH, Op.REGEX) else literal
            yield from (literal, sample, f"x{sample}y", f"{sample}y", f"x{sample}", f"{sample}/y", sample.upper(), sample.lower())
            yield from (literal[:-1], literal.replace("/", "//"))


def _sample(pattern: str) -> str:
    """A text that many a pattern matches: wildcards replaced by something."""
    for wildcard, text in ((".*", "any"), (".+", "any"), ("*", "any"), ("?", "q"), ("\\", ""), ("^", ""), ("$", "")):
        pattern = pattern.replace(wildcard, text)
    while "[" in pattern and "]" in pattern.partition("[")[2]:
        before, _, rest = pattern.partition("[")
        members, _, after = rest.partition("]")
        pattern = before + (members[:1] or "q") + after
    return pattern


def _composed(duties: _Duties) -> Iterator[str]:
    """A text that begins, goes on and ends as several tests want it."""
    wanted: dict[Op, list[str]] = {}
    for test, truth in duties:
        if truth and test.values and all(isinstance(value, str) for value in test.values):
            wanted.setdefault(test.op, []).append(str(test.values[0]))
    start = max(wanted.get(Op.STARTSWITH, []), key=len, default="")
    middle = "-".join(wanted.get(Op.CONTAINS, []) + wanted.get(Op.ICONTAINS, []))
    yield f"{start}{middle}{max(wanted.get(Op.ENDSWITH, []), key=len, default='')}"


# --- events -------------------------------------------------------------------------------------------------------------------


def flat(values: Values) -> Event:
    """An event of a flat catalogue (tests.engine.flat)."""
    return flat_event(values["evt.type"] or "", values, num=values.get("evt.num") or 1)


def real(values: Values, catalogue: Catalogue) -> Event | None:
    """An event of the real catalogue; None where the values cannot all be those of one event."""
    record = {}
    for name, value in values.items():
        found = catalogue.find(name.partition("[")[0])
        if value is not None and found is not None:
            record[name] = to_json(value, found[0].type if found[0].type is not FieldType.IPNET else FieldType.IPADDR)
    record["evt.num"] = 1
    try:
        return from_fields(record, strict=False)
    except InputError:
        return None


# --- conditions ---------------------------------------------------------------------------------------------------------------

TYPES = ("open", "close", "execve", "connect")


def _number(arg: str) -> str:
    return f"e.extra.get('g.any[{int(arg)}]')"


FIELDS: tuple[Field, ...] = (
    Field(name="evt.type", type=FieldType.STRING, doc="", read="e.type", nullable=False),
    Field(name="evt.num", type=FieldType.UINT64, doc="", read="e.num", nullable=False),
    made_up("g.s", FieldType.STRING),
    made_up("g.t", FieldType.STRING),
    made_up("g.path", FieldType.PATH),
    made_up("g.n", FieldType.INT64),
    made_up("g.u", FieldType.UINT32),
    made_up("g.b", FieldType.BOOL),
    made_up("g.ip", FieldType.IPADDR),
    made_up("g.net", FieldType.IPNET, right_side=False),
    made_up("g.bytes", FieldType.BYTES),
    made_up("g.list", FieldType.STRING, is_list=True),
    made_up("g.numbers", FieldType.UINT64, is_list=True),
    Field(
        name="g.any", type=FieldType.STRING, doc="", read="e.extra.get('g.any')", read_arg=_number, argument="optional",
        quantifier="any", right_side=False,
    ),
    Field(
        name="g.ends", type=FieldType.IPADDR, doc="", quantifier="either", right_side=False,
        read="(e.extra.get('g.ends.0'), e.extra.get('g.ends.1'))",
    ),
    Field(
        name="g.nets", type=FieldType.IPNET, doc="", quantifier="either", right_side=False,
        read="(e.extra.get('g.nets.0'), e.extra.get('g.nets.1'))",
    ),
    made_up("g.opens", FieldType.STRING, event_types=frozenset({"open"})),
    Field(
        name="g.sure", type=FieldType.STRING, doc="", read="e.extra.get('g.sure', '')", nullable=False,
        event_types=frozenset({"open", "close"}),
    ),
    Field(name="g.fixed", type=FieldType.BOOL, doc="", read="e.type in ('open', 'close')", nullable=False),
    Field(name="g.nothing", type=FieldType.STRING, doc=""),
    made_up("g.dynamic", FieldType.DYNAMIC, right_side=False),
)  # fmt: skip
"""A field of every kind: missing or never, one value or many, of some event types, fixed by the type, filled by no source."""

CATALOGUE = Catalogue.of(FIELDS, TYPES)

_TEXTS = ("a", "b", "ab", "abc", "/a", "/a/b", "a/b/", "", "A", "*a", "a*", "[ab]c", "ba", "aba", "\udcffa", "日a")
_NETWORKS = ((1 << 128 | 0xFF000000, 0x0A000000), (1 << 128 | 0xFFFF0000, 0x0A000000), (1 << 128 | 0xFFFFFFFF, 0x7F000001))
_LITERALS: Mapping[FieldType, tuple[Any, ...]] = {
    FieldType.STRING: _TEXTS,
    FieldType.PATH: _TEXTS,
    FieldType.BOOL: (True, False),
    FieldType.IPADDR: (0x0A000000, 0x0A000001, 0x7F000001, 1 << 128 | 1),
    FieldType.IPNET: _NETWORKS,
    FieldType.BYTES: (b"a", b"ab", b"\xff", b""),
    FieldType.DYNAMIC: (0, 1),
}
_ORDERED = (Op.LT, Op.LE, Op.GT, Op.GE)
_EQUAL = (Op.EXISTS, Op.EQ, Op.NE, Op.IN, Op.INTERSECTS)
_ON_TEXTS = (Op.CONTAINS, Op.ICONTAINS, Op.STARTSWITH, Op.ENDSWITH, Op.GLOB, Op.IGLOB, Op.REGEX, Op.PMATCH)
_LISTS = (Op.IN, Op.INTERSECTS, Op.PMATCH)
_MODIFIERS: tuple[Modifier, ...] = ("oneof", "anyof", "allof")


def condition(random: Random, depth: int = 4, fields: Sequence[Field] = FIELDS) -> Checked:
    """A checked condition at random, over `fields`."""
    kind = random.randrange(10) if depth else 0
    if kind < 4:
        return test(random, random.choice(fields))
    if kind < 6:
        return Negate(condition(random, depth - 1, fields))
    children = tuple(condition(random, depth - 1, fields) for _ in range(random.randrange(1, 4)))
    return All(children) if kind < 8 else AnyOf(children)


def test(random: Random, field: Field) -> Test:
    """A test of that field with an operator that the checker allows for it."""
    arg = "1" if field.argument == "optional" and random.random() < 0.3 else None
    left: Operand = FieldUse(field, arg)
    texts = field.type in (FieldType.STRING, FieldType.PATH) and not field.is_list
    if texts and operands.quantifier(FieldUse(field, arg)) == "one" and random.random() < 0.15:
        left = Apply(random.choice(("tolower", "toupper", "basename", "b64")), (left,), FieldType.STRING)
    literals = _LITERALS.get(field.type, (0, 1, 2, 7, 300))
    if field.is_list:
        listed = random.choice((Op.EXISTS, Op.IN, Op.INTERSECTS))
        return Test(left, listed, () if listed is Op.EXISTS else _some(random, literals))
    op = random.choice(_operators(field.type, texts))
    if field.right_side and texts and op not in (Op.EXISTS, Op.REGEX, Op.PMATCH) and random.random() < 0.15:
        other = random.choice([row for row in FIELDS if row.name in ("g.s", "g.t")])
        return Test(left, random.choice((op, *_ORDERED)), right=FieldUse(other))
    if op in (Op.EQ, Op.NE, Op.CONTAINS, Op.STARTSWITH, Op.GLOB) and random.random() < 0.2:
        return Test(left, op, _some(random, literals, repeated=True), modifier=random.choice(_MODIFIERS))
    if op is Op.EXISTS:
        return Test(left, op)
    if op in (Op.BCONTAINS, Op.BSTARTSWITH):
        return Test(left, op, (random.choice(_LITERALS[FieldType.BYTES]),))
    usable = [literal for literal in literals if op is not Op.REGEX or ("[" not in literal and not literal.startswith("*"))]
    return Test(left, op, _some(random, usable) if op in _LISTS else (random.choice(usable),))


test.__test__ = False  # type: ignore[attr-defined]  # pytest: no test


def _operators(type: FieldType, texts: bool) -> Sequence[Op]:
    if texts:
        return _EQUAL + _ON_TEXTS
    if type is FieldType.BYTES:
        return (*_EQUAL, Op.CONTAINS, Op.STARTSWITH, Op.ENDSWITH, Op.BCONTAINS, Op.BSTARTSWITH)
    return _EQUAL if type in (FieldType.BOOL, FieldType.IPADDR, FieldType.IPNET) else _EQUAL + _ORDERED


def _some(random: Random, literals: Sequence[Any], *, repeated: bool = False) -> tuple[Any, ...]:
    count = random.randrange(0 if random.random() < 0.1 else 1, 4)
    chosen = [random.choice(literals) for _ in range(count)]
    return tuple(chosen) if repeated else tuple(dict.fromkeys(chosen))


def random_values(random: Random, fields: Iterable[Field] = FIELDS) -> Values:
    """Values for all fields, from the literals that conditions are made of."""
    values: Values = {"evt.type": random.choice((*TYPES, "unknown")), "g.any[1]": random.choice((*_TEXTS, None))}
    for field in fields:
        pool = (*_LITERALS.get(field.type, (0, 1, 2, 7, 300)), None)
        if field.type is FieldType.IPNET:
            pool = (*_LITERALS[FieldType.IPADDR], 0x0A0B0000, None)
        if field.type is FieldType.DYNAMIC:
            pool = (0, 1, "a", None)
        if field.is_list or field.quantifier == "any":
            values[field.name] = random.choice((None, (), tuple(random.choice(pool[:-1]) for _ in range(random.randrange(1, 4)))))
        elif field.quantifier == "either":
            values |= {f"{field.name}.{end}": random.choice(pool) for end in (0, 1)}
        elif field.name == "g.sure":
            values[field.name] = random.choice(pool[:-1])
        elif field.name != "evt.type" and field.name != "evt.num":
            values[field.name] = random.choice(pool)
    return values


def rule(condition: Checked, name: str = "rule", **more: Any) -> Rule:
    return Rule(name, condition, Output(()), Priority.NOTICE, **more)


def word(random: Random, length: int = 6) -> str:
    return "".join(random.choices(string.ascii_lowercase, k=length))

"""The exceptions of a rule in a Falco file, as they are written: whether they fit together is seen where all are known.

`partial`: an append, which may bring values only.
"""

from __future__ import annotations

from ruleng.lang import falco_values
from ruleng.lang.ast import Call, ExceptionDecl, FieldRef, ListLit, Literal, Name
from ruleng.lang.falco_keys import Keys, kind_of
from ruleng.lang.mistakes import falco as mistakes
from ruleng.lang.mistakes import names as name_mistakes
from ruleng.lang.nodes import Mapped, Node, Scalar, Sequenced, name_of, source_of, trimmed_name
from ruleng.lang.parse import parse_operand

_KNOWN = frozenset({"name", "fields", "comps", "values"})


def read_exceptions(keys: Keys, value: Node | None, *, partial: bool) -> tuple[ExceptionDecl, ...]:
    if isinstance(value, Scalar) and value.null:
        return ()
    read = []
    names: set[str] = set()
    for node in keys.sequence("exceptions", value):
        exception = _exception(keys, node, partial=partial)
        if exception is None:
            continue
        if exception.name.text in names:
            keys.complain(mistakes.exception_twice(exception.name.span, exception.name.text))
        names.add(exception.name.text)
        read.append(exception)
    return tuple(read)


def _exception(keys: Keys, node: Node, *, partial: bool) -> ExceptionDecl | None:
    if not isinstance(node, Mapped):
        keys.complain(mistakes.wrong_kind(keys.span(node), "exceptions", "mappings", kind_of(node)))
        return None
    name = keys.text(node, "name")
    if name is None:
        return None
    keys.known_keys(node, _KNOWN, f"exception `{name.text}`")
    given, comps, values = node.get("fields"), node.get("comps"), node.get("values")
    if given is None and not partial:
        keys.complain(mistakes.missing_key(name.span, f"exception `{name.text}`", "fields"))
        return None
    if values is None and partial:
        keys.complain(mistakes.exception_without_values(name.span, name.text))
    fields = _fields(keys, given) if given is not None else None
    if given is not None and fields is None:
        return None
    tuples = keys.sequence("values", values)
    single = isinstance(given, Scalar) if given is not None else all(isinstance(row, Scalar) for row in tuples)
    names = None if comps is None else _comps(keys, comps, single=single)
    if comps is not None and names is None:
        return None
    rows = [row for row in (_row(keys, node, name, single=single) for node in tuples) if row is not None]
    return ExceptionDecl(name, fields, names, None if values is None else tuple(rows), single, name.span)


def _fields(keys: Keys, given: Node) -> tuple[FieldRef | Call, ...] | None:
    scalars = [given] if isinstance(given, Scalar) else keys.sequence("fields", given)
    fields = []
    for scalar in scalars:
        text = keys.scalar("fields", scalar)
        if text is None:
            return None
        operand, found = parse_operand(source_of(keys.source, text))
        if operand is None:
            keys.complain(name_mistakes.not_a_field(keys.span(text), text.text, found))
            return None
        fields.append(operand)
    return tuple(fields)


def _comps(keys: Keys, comps: Node, *, single: bool) -> tuple[Name, ...] | None:
    if single != isinstance(comps, Scalar):
        wanted = "one operator, as `fields` is one field" if single else "a sequence, as `fields` is one"
        keys.complain(name_mistakes.comps_unlike_fields(keys.span(comps), wanted))
        return None
    scalars = [comps] if isinstance(comps, Scalar) else keys.sequence("comps", comps)
    texts = [keys.scalar("comps", scalar) for scalar in scalars]
    read = [_normalised(name_of(keys.source, text)) for text in texts if text is not None]
    return tuple(read) if len(read) == len(texts) else None


def _row(keys: Keys, node: Node, name: Name, *, single: bool) -> tuple[Literal | ListLit | Call, ...] | None:
    """One entry of `values`."""
    if single != isinstance(node, Scalar):
        keys.complain(name_mistakes.values_unlike_fields(keys.span(node), name.text, kind_of(node), single=single))
        return None
    if isinstance(node, Scalar):
        literal = _literal(keys, node)
        return None if literal is None else (literal,)
    # a stand-in for what was complained of, so that the row keeps its length
    return tuple(_cell(keys, cell) or Literal("", True, keys.span(cell)) for cell in keys.sequence("values", node))


def _cell(keys: Keys, node: Node) -> Literal | ListLit | Call | None:
    if isinstance(node, Sequenced):
        items = [_literal(keys, item) for item in node.items]
        kept = tuple(item for item in items if item is not None)
        return ListLit(kept, keys.span(node)) if len(kept) == len(items) else None
    scalar = keys.scalar("values", node)
    if scalar is None:
        return None
    value, found = falco_values.tuple_value(name_of(keys.source, scalar))
    for diagnostic in found:
        keys.complain(diagnostic)
    return value


def _literal(keys: Keys, node: Node) -> Literal | None:
    scalar = keys.scalar("values", node)
    if scalar is None:
        return None
    literal, found = falco_values.item(name_of(keys.source, scalar))
    for diagnostic in found:
        keys.complain(diagnostic)
    return literal


def _normalised(comp: Name) -> Name:
    trimmed = trimmed_name(comp)
    return Name(" ".join(trimmed.text.split()), trimmed.span)

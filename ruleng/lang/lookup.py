"""Names of fields as rules write them, to rows of the catalogue with their argument.

`evt.arg.flags` and `evt.arg[flags]` are both the field `evt.arg` with the argument `flags`; which fields take one, and after
a dot as well, the catalogue says. `evt.rawarg.X` gets the type of the parameter X.
"""

from __future__ import annotations

from dataclasses import replace

from ruleng.fields import params
from ruleng.fields.types import Catalogue, Field, FieldType
from ruleng.lang.checked import FieldUse
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import fields as mistakes
from ruleng.lang.near import nearest
from ruleng.lang.source import Source, Span

MAX_NAME = 512
"""Longer than any name with a Kubernetes label's key after it (253 and 63 characters); looking for a field at the beginning
of a text takes time that grows with its square."""

_PARAMETER_FIELDS = frozenset({"evt.arg", "evt.rawarg"})
_NOWHERE = Span(Source("", ""), 0, 0)


def find(catalogue: Catalogue, name: str) -> tuple[Field, str | None] | None:
    """`Catalogue.find` for names of any length."""
    return catalogue.find(name) if len(name) <= MAX_NAME else None


def lookup(catalogue: Catalogue, name: str, arg: str | None, span: Span) -> FieldUse | Diagnostic:
    """The field that a rule names, or what is wrong with the name."""
    found = find(catalogue, name)
    if found is None:
        return mistakes.unknown_field(span, name, catalogue.fields)
    field, after_dot = found
    if after_dot is not None and arg is not None:  # evt.arg.flags[0]
        return mistakes.argument_unwanted(span, field, arg)
    arg = after_dot if arg is None else arg
    if arg is None:
        return mistakes.argument_missing(span, field) if field.argument == "required" else FieldUse(field, None, span)
    if field.argument == "none":
        return mistakes.argument_unwanted(span, field, arg)
    if field.name == "evt.type.is" and catalogue.event_types and arg not in catalogue.event_types:
        return mistakes.unknown_event_type(span, arg, catalogue.event_types)
    if field.read_arg is not None:
        try:
            field.read_arg(arg)
        except ValueError as problem:
            near = nearest(arg, params.by_name()) if field.name in _PARAMETER_FIELDS else None
            return mistakes.bad_argument(span, field, arg, str(problem), near)
    if field.type is FieldType.DYNAMIC:
        field = replace(field, type=params.raw_type(arg))
    return FieldUse(field, arg, span)


def names_field(catalogue: Catalogue, name: str, arg: str | None) -> bool:
    """Whether `lookup` finds a field of that name. Costs no look for near names, so it may be asked of every value."""
    return find(catalogue, name) is not None and isinstance(lookup(catalogue, name, arg, _NOWHERE), FieldUse)

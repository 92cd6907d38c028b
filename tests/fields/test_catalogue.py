"""The catalogue: its rows are sound, and what they read is pure Python over an event's values."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.event import Event
from ruleng.fields import params, read
from ruleng.fields.catalogue import standard
from ruleng.fields.reading import expression, value
from ruleng.fields.types import Field, FieldType

FIELDS = list(standard())
SAMPLES = {"evt.type.is": "open", "evt.arg": "flags", "evt.rawarg": "flags", "evt.abspath": "src"}
"""An argument that a field takes; the others take 1."""
SOURCES = {"audit", "perf", "bpf", "vmi", "replay", "kafka"}
NAMESPACE = {name: getattr(read, name) for name in read.__all__}


def expressions(field: Field) -> list[str]:
    found = [] if field.read is None else [field.read]
    return found if field.read_arg is None else [*found, field.read_arg(SAMPLES.get(field.name, "1"))]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_row_is_sound(field: Field) -> None:
    assert re.fullmatch(r"[a-z]\w*(\.\w+)+", field.name)
    assert field.doc.endswith(".")
    assert field.cost > 0
    assert field.sources <= SOURCES
    assert (field.argument == "none") == (field.read_arg is None)
    assert bool(field.argument_doc) == (field.argument != "none")
    assert not field.dotted or field.argument != "none"
    assert field.argument == "required" or field.read is not None
    assert field.event_types is None or field.event_types <= standard().event_types
    assert not (field.filter_only and field.print_only)
    for name in (field.ecs, field.ocsf):
        assert name is None or re.fullmatch(r"@?[a-z_]+(\.[a-z_]+)*\d*", name)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_an_expression_names_nothing_but_the_event_and_functions_of_read(field: Field) -> None:
    for text in expressions(field):
        tree = ast.parse(text, mode="eval")
        bound = {
            node.target.id for node in ast.walk(tree) if isinstance(node, ast.comprehension) and isinstance(node.target, ast.Name)
        }
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert names <= {"e", "p", "f", "c", "int", *NAMESPACE} | bound


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_an_event_that_knows_nothing_has_only_the_fields_that_are_never_missing(field: Field) -> None:
    event = Event(type="open", time_ns=0)
    for arg in (None, SAMPLES.get(field.name, "1")):
        if (arg is None and field.argument == "required") or (arg is not None and field.read_arg is None):
            continue
        reads = value(event, field, arg)
        if field.quantifier == "either":
            assert reads == (None, None)
        elif field.quantifier == "any" and arg is None:
            assert reads == []
        elif field.nullable:
            assert reads is None or field.name in {"evt.category", "syscall.type"}
        else:
            assert reads is not None


@given(st.sampled_from([field for field in FIELDS if field.read_arg is not None]), st.text())
def test_an_argument_is_refused_or_stays_a_value(field: Field, arg: str) -> None:
    """Whatever a rule writes in brackets, it is never code."""
    assert field.read_arg is not None
    try:
        text = field.read_arg(arg)
    except ValueError:
        return
    assert shape(text) == shape(field.read_arg(SAMPLES.get(field.name, "1"))) or field.name in BY_LEVEL


BY_LEVEL = {
    "proc.aname",
    "proc.aexe",
    "proc.aexepath",
    "proc.acmdline",
    "proc.aargs",
    "proc.apid",
    "proc.aenv",
    "evt.arg",
    "evt.abspath",
}
"""Whose expression depends on the argument: a chain as long as the level, a place or a name. Their arguments are checked below."""


def shape(text: str) -> str:
    """An expression with its constants blotted out."""
    tree = ast.parse(text, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = None
    return ast.dump(tree)


@pytest.mark.parametrize(
    ("name", "arg", "message"),
    [
        ("proc.aname", "x", "how many generations up"),
        ("proc.aname", "65", "from 0 (the process itself) to 64"),
        ("proc.aname", "-1", "how many generations up"),
        ("proc.aname", "\u0661", "how many generations up"),
        ("proc.args", "x", "place of an argument"),
        ("fd.types", "x", "number of a descriptor"),
        ("evt.arg", "flgs", "no event has a parameter `flgs`"),
        ("evt.rawarg", "0", "no event has a parameter `0`"),
        ("evt.abspath", "x", "is `src` or `dst`"),
        ("evt.around", "x", "nanoseconds since the epoch"),
    ],
)
def test_an_argument_that_cannot_be_says_what_it_must_be(name: str, arg: str, message: str) -> None:
    field = standard().fields[name]
    assert field.read_arg is not None
    with pytest.raises(ValueError, match=re.escape(message)):
        field.read_arg(arg)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("evt.arg.flags", ("evt.arg", "flags")),
        ("evt.args", ("evt.args", None)),
        ("evt.type.is.open", ("evt.type.is", "open")),
        ("evt.abspath.src", ("evt.abspath", "src")),
        ("k8s.pod.label.a.b/c", ("k8s.pod.label", "a.b/c")),
        ("ioctl.arg.flags", ("ioctl.arg", "flags")),
        ("proc.aname.x", None),
        ("evt", None),
    ],
)
def test_a_name_with_a_dotted_argument_is_found(name: str, found: tuple[str, str | None] | None) -> None:
    row = standard().find(name)
    assert (None if row is None else (row[0].name, row[1])) == found


def test_parameters_are_typed_for_raw_arguments() -> None:
    types = {name: params.raw_type(name) for name in ("res", "flags", "name", "data", "uid", "interval", "request", "no_such")}
    assert types == {
        "res": FieldType.INT64,
        "flags": FieldType.INT64,
        "name": FieldType.STRING,
        "data": FieldType.BYTES,
        "uid": FieldType.UINT32,
        "interval": FieldType.RELTIME,
        "request": FieldType.INT64,
        "no_such": FieldType.STRING,
    }


def test_the_expression_of_an_ancestor_is_a_chain() -> None:
    assert expression(standard().fields["proc.aname"], "2") == "p.parent.now.parent.now.name"

"""Rules that can never match on the sources in use."""

from __future__ import annotations

import pytest

from ruleng.fields.types import Catalogue, Field, FieldType
from ruleng.lang.check import check_condition
from ruleng.lang.parse import parse_condition
from ruleng.lang.reach import Reach, lacking
from ruleng.lang.source import Source

CATALOGUE = Catalogue.of(
    [
        Field(name="evt.type", type=FieldType.STRING, doc="", sources=frozenset({"audit", "bpf"})),
        Field(name="proc.name", type=FieldType.STRING, doc="", sources=frozenset({"audit", "bpf"})),
        Field(name="evt.buffer", type=FieldType.BYTES, doc="", sources=frozenset({"bpf"})),
        Field(name="fd.rip", type=FieldType.STRING, doc="", sources=frozenset({"bpf"})),
        Field(name="k8s.name", type=FieldType.STRING, doc=""),
    ],
    ["open", "read", "ioctl"],
)


def lacks(condition: str, *sources: str, types: set[str] | None = None, provided: set[str] | None = None) -> set[str]:
    expr, _ = parse_condition(Source("", condition))
    assert expr is not None
    checked, diagnostics = check_condition(expr, CATALOGUE)
    assert checked is not None, diagnostics
    reach = Reach(frozenset(sources), None if provided is None else frozenset(provided))
    return lacking(checked, None if types is None else frozenset(types), reach)


@pytest.mark.parametrize(
    ("condition", "lacking_on_audit"),
    [
        ("proc.name = x", set()),
        ("evt.buffer contains x", {"evt.buffer"}),
        ("proc.name = x and evt.buffer contains x", {"evt.buffer"}),
        ("proc.name = x or evt.buffer contains x", set()),
        ("evt.buffer contains x or fd.rip = y", {"evt.buffer", "fd.rip"}),
        ("not evt.buffer contains x", set()),
        ("not (proc.name = x or not evt.buffer contains x)", {"evt.buffer"}),
        ("not fd.rip exists and proc.name = x", set()),
        ("fd.rip != x", {"fd.rip"}),
        ("proc.name = val(fd.rip)", {"fd.rip"}),
        ("toupper(fd.rip) = X", {"fd.rip"}),
        ('concat(proc.name, fd.rip) = "x"', {"fd.rip"}),
        ("k8s.name = x", {"k8s.name"}),
    ],
)
def test_a_field_that_no_source_fills_makes_its_check_false(condition: str, lacking_on_audit: set[str]) -> None:
    assert lacks(condition, "audit") == lacking_on_audit


def test_a_field_that_one_of_the_sources_fills_is_there() -> None:
    assert lacks("evt.buffer contains x", "audit", "bpf") == set()


def test_event_types_that_no_source_delivers_keep_a_rule_from_matching() -> None:
    assert lacks("evt.type in (read, ioctl)", "audit", types={"read", "ioctl"}, provided={"open"}) == {"read", "ioctl"}
    assert lacks("evt.type in (read, open)", "audit", types={"read", "open"}, provided={"open"}) == set()
    assert lacks("evt.type = read", "audit", provided={"open"}) == set()  # what the condition is for is not known


def test_a_deep_condition_is_no_recursion() -> None:
    assert lacks("not " * 1001 + "evt.buffer contains x", "audit") == set()

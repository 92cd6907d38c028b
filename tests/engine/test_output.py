"""Outputs: text and fields."""

from __future__ import annotations

import pytest

from ruleng.engine.output import compile_output
from ruleng.event import Container, Event, Fd, Process, Task
from ruleng.fields.address import parse_address
from ruleng.fields.catalogue import standard
from ruleng.fields.types import FieldType
from ruleng.lang.ast import Name
from ruleng.lang.checked import Output
from ruleng.lang.source import Source, Span
from ruleng.lang.template import parse_output
from tests.engine.flat import flat_catalogue, flat_event, made_up

TIME_NS = 1_470_327_477_881_785_348

EVENT = Event(
    type="connect",
    time_ns=TIME_NS,
    num=3,
    result=-13,
    fd=Fd(name="10.0.0.1:1->10.0.0.2:443", sip=parse_address("10.0.0.2"), cip=parse_address("2001:db8::5"), sport=443),
    proc=Process(
        pid=7,
        name="curl",
        args=("-s", "x y"),
        args_text="-s x y",
        exe_upper_layer=True,
        container=Container(id="3f2a", name="web"),
        parent=Task(Process(name="bash", parent=Task(Process(name="sshd")))),
    ),
)


def template(text: str, catalogue=None) -> Output:
    source = Source("test", text)
    output, diagnostics = parse_output(Name(text, Span(source, 0, len(text))), catalogue or standard())
    assert output is not None, [diagnostic.message for diagnostic in diagnostics]
    return output


TEXTS = [
    ("nothing to put in {0} %s", None, None),
    ("%proc.name made it", "curl made it", {"proc.name": "curl"}),
    ("by %user.name", "by <NA>", {"user.name": None}),
    ("<%8proc.name>", "<curl    >", {"proc.name": "curl"}),
    ("<%2proc.name>", "<cu>", {"proc.name": "curl"}),
    ("<%6user.name>", "<<NA>  >", {"user.name": None}),
    ("%evt.num %fd.sport %proc.is_exe_upper_layer", "3 443 true", {"evt.num": 3, "fd.sport": 443, "proc.is_exe_upper_layer": True}),
    ("%fd.sip %fd.cip", "10.0.0.2 2001:db8::5", {"fd.sip": "10.0.0.2", "fd.cip": "2001:db8::5"}),
    ("%toupper(proc.name) %len(proc.name)", "CURL 4", {"toupper(proc.name)": "CURL", "len(proc.name)": 4}),
    ("%proc.aname[1] %proc.aname[9]", "bash <NA>", {"proc.aname[1]": "bash", "proc.aname[9]": None}),
    ("%proc.aname", "bash sshd", {"proc.aname": "bash sshd"}),
    ("%evt.time", "16:17:57.881785348", {}),
    ("%evt.res %evt.rawres", "EACCES -13", {"evt.res": "EACCES", "evt.rawres": -13}),
    ("%proc.name and %proc.name", "curl and curl", {"proc.name": "curl"}),
    ("%container.id=%container.name", "3f2a=web", {"container.id": "3f2a", "container.name": "web"}),
]


@pytest.mark.parametrize(("text", "printed", "fields"), TEXTS[1:])
def test_an_output_prints(text, printed, fields):
    assert compile_output(template(text))(EVENT) == (printed, {"evt.time": TIME_NS} | fields)


def test_braces_and_quotes_are_only_text():
    text = "{e} 'a' \"b\" \\ {}"
    assert compile_output(template(text))(EVENT) == (text, {"evt.time": TIME_NS})


def test_an_empty_output_still_has_the_time():
    assert compile_output(Output(()))(EVENT) == ("", {"evt.time": TIME_NS})


def test_fields_keep_the_order_of_the_output():
    _, fields = compile_output(template("%proc.name %container.id %evt.num"))(EVENT)
    assert list(fields) == ["evt.time", "proc.name", "container.id", "evt.num"]


@pytest.mark.parametrize(
    ("value", "printed", "field"),
    [(("a", "b"), "(a,b)", "(a,b)"), ((), "()", "()"), (None, "<NA>", None), (("\udcff",), "(\udcff)", "(\udcff)")],
)
def test_a_list_prints_in_parentheses(value, printed, field):
    catalogue = flat_catalogue(standard(), [made_up("x.list", FieldType.STRING, is_list=True)])
    output = compile_output(template("%x.list", catalogue))
    assert output(flat_event("open", {"x.list": value})) == (printed, {"evt.time": 0, "x.list": field})


def test_bytes_print_as_ascii_with_dots():
    catalogue = flat_catalogue(standard(), [made_up("x.bytes", FieldType.BYTES)])
    text, fields = compile_output(template("%x.bytes", catalogue))(flat_event("open", {"x.bytes": b"GET /\0\xff\n"}))
    assert text == fields["x.bytes"] == "GET /..."


def test_a_field_that_the_events_type_lacks_is_missing():
    catalogue = flat_catalogue(standard(), [made_up("x.opens", FieldType.STRING, event_types=frozenset({"open"}))])
    output = compile_output(template("%x.opens", catalogue))
    assert output(flat_event("open", {"x.opens": "yes"}))[0] == "yes"
    assert output(flat_event("close", {"x.opens": "yes"})) == ("<NA>", {"evt.time": 0, "x.opens": None})

"""Explanations: as text for people, as JSON for programs."""

from __future__ import annotations

import orjson

from ruleng.engine.explain import explain
from ruleng.event import Event, Fd, Process
from ruleng.fields.catalogue import standard
from ruleng.lang.checked import Rule
from tests.conformance.verdicts import checked, rule_of

EVENT = Event(
    type="openat", time_ns=0, num=1, proc=Process(name="vim", cmdline="vim \udcff"), fd=Fd(name="/etc/shadow", sip=0x0A000001)
)


def rule(text: str, **more: object) -> Rule:
    condition, mistakes = checked(text, standard())
    assert condition is not None, mistakes
    return rule_of(condition, "Shadow read", **more)


FAILING = """
    evt.type in (open, openat) and (fd.name startswith /etc or fd.name = /x) and not proc.name in (cat, vim) and user.name = bob"""
WHY = """\
rule `Shadow read` does not match
  false all of
  true    evt.type in (open, openat)    [evt.type is "openat"]
  true    any of
  true      fd.name startswith /etc    [fd.name is "/etc/shadow"]
  -         fd.name = /x
  false   not    <-- this fails
  true      proc.name in (cat, vim)    [proc.name is "vim"]
  -       user.name = bob"""


def test_a_rule_that_fails_shows_the_conjunct_that_fails_and_what_was_not_asked():
    assert str(explain(rule(FAILING), EVENT)) == WHY


def test_a_rule_that_matches_has_no_failing_part():
    explanation = explain(rule("proc.name = vim"), EVENT)
    assert explanation.verdict
    assert explanation.decisive is None
    assert str(explanation) == 'rule `Shadow read` matches\n  true  proc.name = vim    [proc.name is "vim"]'


def test_what_is_missing_is_said_to_be_missing():
    assert "[user.name is missing]" in str(explain(rule("user.name != bob"), EVENT))


def test_a_transformer_shows_what_it_made_and_of_what():
    text = str(explain(rule("toupper(proc.name) = val(fd.name)"), EVENT))
    assert '[toupper(proc.name) is "VIM"; proc.name is "vim"; fd.name is "/etc/shadow"]' in text


def test_addresses_and_networks_are_written_as_people_write_them():
    text = str(explain(rule("fd.sip = 10.0.0.1 and fd.snet in (10.0.0.0/8, 2001:db8::/32)"), EVENT))
    assert "fd.sip = 10.0.0.1    [fd.sip is 10.0.0.1]" in text
    assert "fd.snet in (10.0.0.0/8, 2001:db8::/32)" in text


def test_a_long_list_is_cut_short():
    many = ", ".join(f"p{number}" for number in range(50))
    assert "proc.name in (p0, p1, p2, p3, p4, p5, p6, p7, and 42 more)" in str(explain(rule(f"proc.name in ({many})"), EVENT))


def test_a_rule_for_another_source_does_not_match_and_says_why():
    explanation = explain(rule("proc.name = vim", source="k8s_audit"), EVENT)
    assert not explanation.verdict
    assert "it is for events of source k8s_audit, this one is of syscall" in str(explanation)


def test_the_rows_name_the_place_in_the_file():
    row = explain(rule("proc.name = vim and\n  proc.name = cat"), EVENT).rows[2]
    assert row.place == "case:2:3"


def test_an_explanation_is_json_whatever_bytes_the_event_has():
    explanation = explain(rule('proc.cmdline contains "\\xff" and fd.sip = 10.0.0.1'), EVENT)
    decoded = orjson.loads(orjson.dumps(explanation.as_json()))
    assert decoded["verdict"] is True
    assert decoded["rows"][1]["seen"] == {"proc.cmdline": {"hex": "76696d20ff"}}
    assert decoded["rows"][2]["seen"] == {"fd.sip": "10.0.0.1"}
    assert str(explanation).encode()

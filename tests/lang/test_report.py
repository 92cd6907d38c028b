"""Diagnostics as people and programs get them. The goldens are named for what they show.

RULENG_UPDATE_GOLDENS=1 rewrites them; review the difference.
"""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.lang.diagnostics import Diagnostic, Label
from ruleng.lang.mistakes import codes
from ruleng.lang.mistakes import fields as field_mistakes
from ruleng.lang.mistakes import types as mistakes
from ruleng.lang.report import render_falco, render_json, render_sarif, render_text, summary
from ruleng.lang.report.text import printable
from ruleng.lang.source import Piece, Source, Span, join

GOLDENS = Path(__file__).with_name("goldens")
FIELDS = ("proc.name", "proc.pname", "fd.name")


def golden(name: str, text: str) -> None:
    path = GOLDENS / name
    if os.environ.get("RULENG_UPDATE_GOLDENS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == path.read_text(encoding="utf-8"), f"{path} differs: see the head of this file"


def place(source: Source, text: str, nth: int = 0) -> Span:
    """Where a text stands in a source."""
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return Span(source, start, start + len(text))


SHELL = Source(
    "rules/shell.rules",
    """# shells

macro spawned: evt.type in (execve, execveat)

rule "Shell" {
  condition: spawned and proc.nam in (bash, zsh)
             and user.uid = 4294967296
  output: "%proc.cmdline"
}
""",
)
MACROS = Source("rules/macros.rules", 'macro spawned: evt.type = "clone"\n')
FALCO = Source("etc/falco_rules.yaml", "- rule: A shell\n  condition: proc.name = proc.pname\n")
WIDE = Source("日本.rules", '\tcondition: proc.name = "日本語"\tand é.ｎ = x # e\u0301nd\n')
LONG = Source("long.rules", "condition: " + "proc.name = a or " * 60 + "proc.nam = b" + " or proc.name = c" * 60 + "\n")
HOSTILE = Source("evil\x1b[2J.rules", "output: \x1b[31mred\x1b[0m \u202ereversed\u202c \x00\x7f \udcff bad\n")
SEVERAL = Source("several.rules", "condition: proc.name contains\n  (a,\n   b)\n")
EMPTY = Source("empty.rules", "")

UNKNOWN = field_mistakes.unknown_field(place(SHELL, "proc.nam"), "proc.nam", FIELDS)
TOO_LARGE = mistakes.number_does_not_fit(place(SHELL, "4294967296"), "4294967296", "uint32", (0, 2**32 - 1), None)
TWICE = Diagnostic(
    code="R0224",
    severity="error",
    message="macro `spawned` is defined twice",
    span=place(SHELL, "spawned"),
    label="here again",
    labels=(Label(place(MACROS, "spawned"), "first defined here"), Label(place(SHELL, "spawned", 1), "used here")),
    notes=("a .rules file defines each name once",),
    help="append to it with `macro spawned +=`",
)
AS_TEXT = mistakes.field_as_text(place(FALCO, "proc.pname"), "proc.pname")
CUT = field_mistakes.unknown_field(place(LONG, "proc.nam ="), "proc.nam", FIELDS)


def of_rule(diagnostic: Diagnostic, *rules: str) -> list[Diagnostic]:
    return [
        Diagnostic(**{slot: getattr(diagnostic, slot) for slot in Diagnostic.__slots__ if slot != "rule"}, rule=rule)
        for rule in rules
    ]


TEXTS: dict[str, list[Diagnostic]] = {
    "an_unknown_field_and_the_nearest_one": [UNKNOWN],
    "all_mistakes_of_a_file_by_place": [TOO_LARGE, TWICE, UNKNOWN],
    "other_places_in_this_and_another_file": [TWICE],
    "a_falco_file_with_the_name_of_the_rule": of_rule(AS_TEXT, "A shell"),
    "a_mistake_of_a_macro_once_with_its_rules": of_rule(AS_TEXT, "One", "Two", "Three", "Four", "Five"),
    "tabs_and_wide_characters": [
        field_mistakes.unknown_event_type(place(WIDE, "é.ｎ"), "é.ｎ", ()),
        mistakes.nul_in_text(place(WIDE, '"日本語"')),
        mistakes.nul_in_text(place(WIDE, "d\n")),
    ],
    "a_long_line_around_the_place": [CUT],
    "a_long_line_at_its_beginning": [mistakes.value_missing(Span(LONG, 0, 9), "=")],
    "a_long_line_at_its_end": [mistakes.value_missing(Span(LONG, len(LONG.text) - 3, len(LONG.text) - 1), "=")],
    "a_place_longer_than_the_line_that_is_shown": [mistakes.one_value_wanted(Span(LONG, 11, len(LONG.text) - 1), "=")],
    "a_place_of_several_lines": [mistakes.one_value_wanted(Span(SEVERAL, 11, len(SEVERAL.text) - 1), "contains")],
    "what_a_terminal_would_act_on": [
        field_mistakes.unknown_field(place(HOSTILE, "red"), "\x1b]0;title\x07", FIELDS),
        mistakes.no_text(place(HOSTILE, "\udcff")),
    ],
    "the_end_of_a_file": [mistakes.value_missing(Span(FALCO, len(FALCO.text), len(FALCO.text)), "=")],
    "an_empty_file": [mistakes.value_missing(Span(EMPTY, 0, 0), "=")],
    "a_file_as_a_whole": [
        Diagnostic(
            code="R0601",
            severity="error",
            message="cannot read it: permission denied",
            path="rules/secret.rules",
            help="read it as root",
        )
    ],
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_for_people(name: str) -> None:
    golden(f"{name}.txt", render_text(TEXTS[name], width=100))


def test_the_shape_is_the_one_of_the_documentation() -> None:
    assert render_text([UNKNOWN]) == (
        "rules/shell.rules:6:26: error[R0203]: unknown field `proc.nam`\n"
        "  6 |   condition: spawned and proc.nam in (bash, zsh)\n"
        "    |                          ^^^^^^^^ did you mean `proc.name`?"
    )


def test_colours_only_when_asked_for_and_without_them_the_text_is_the_same() -> None:
    diagnostics = [UNKNOWN, TWICE, AS_TEXT]
    plain, coloured = render_text(diagnostics), render_text(diagnostics, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1;31merror[R0203]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_carets_stand_below_the_place_whatever_the_width() -> None:
    for width in (40, 60, 100, 1000):
        _, line, carets = render_text([CUT], width=width).splitlines()[:3]
        start = carets.index("^")
        assert line[start : start + len("proc.nam =")] == "proc.nam ="
        assert len(line) <= width


def test_a_line_of_64_megabytes_is_shown_at_once() -> None:
    source = Source("huge.rules", "x" * (64 << 20) + " proc.nam " + "y" * 1000)
    start = time.process_time()
    text = render_text([field_mistakes.unknown_field(place(source, "proc.nam"), "proc.nam", FIELDS)])
    assert len(text) < 1000
    assert time.process_time() - start < 5


def test_a_text_put_together_from_pieces_is_shown_in_its_file() -> None:
    appended = Source("b.yaml", "condition: and proc.nam = a")
    piece = Piece(0, appended, range(11, len(appended.text)))
    condition = join(Source("a.yaml", "evt.type = open"), Source("b.yaml", appended.text[11:], (piece,)))
    text = render_text([field_mistakes.unknown_field(place(condition, "proc.nam"), "proc.nam", FIELDS)])
    assert text.startswith("b.yaml:1:16: error[R0203]")
    assert "  1 | condition: and proc.nam = a" in text


def test_a_summary_counts_mistakes_and_not_their_repetitions() -> None:
    assert summary([]) == "no errors"
    assert summary([UNKNOWN, UNKNOWN, *of_rule(AS_TEXT, "One", "Two")]) == "1 error, 1 warning"
    assert summary([UNKNOWN, TOO_LARGE]) == "2 errors"


# --- for programs -----------------------------------------------------------------------------------------------------

MIXED = [*of_rule(AS_TEXT, "One", "Two"), TWICE, UNKNOWN, *TEXTS["a_file_as_a_whole"], *TEXTS["what_a_terminal_would_act_on"]]


def test_json_lines() -> None:
    golden("json_lines.jsonl", render_json(MIXED))


def test_sarif() -> None:
    log = json.loads(render_sarif(MIXED))
    driver = log["runs"][0]["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == list(codes())
    driver["rules"] = [rule for rule in driver["rules"] if rule["id"] == "R0203"]
    driver["version"] = "VERSION"
    for result in log["runs"][0]["results"]:
        del result["ruleIndex"]  # it moves with every new code
    golden("sarif.json", json.dumps(log, indent=2, ensure_ascii=False))


def test_sarif_results_point_at_the_rule_of_their_code() -> None:
    run = json.loads(render_sarif(MIXED))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [result["ruleId"] for result in run["results"]]
    assert {result["level"] for result in run["results"]} == {"error", "warning"}


def test_sarif_paths_are_uris() -> None:
    diagnostics = [mistakes.value_missing(Span(Source(path, "x"), 0, 1), "=") for path in ("/a b/ü.rules", "rel/100%.rules")]
    results = json.loads(render_sarif(diagnostics))["runs"][0]["results"]
    uris = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results]
    assert uris == ["file:///a%20b/%C3%BC.rules", "rel/100%25.rules"]


def test_falcos_load_results() -> None:
    warning = mistakes.odd_pattern(place(FALCO, "shell"), "[a", "is not Falco's concern")
    results = json.loads(render_falco([*of_rule(AS_TEXT, "A shell"), warning], [FALCO.name, "other.yaml"]))
    golden("falco_load_results.json", json.dumps(results, indent=2, ensure_ascii=False))


def test_falcos_load_results_fail_with_an_error_of_ours_too() -> None:
    entry = json.loads(render_falco([TWICE]))["falco_load_results"][0]
    assert entry["successful"] is False
    assert [error["code"] for error in entry["errors"]] == ["LOAD_ERR_VALIDATE"]


# --- laws -------------------------------------------------------------------------------------------------------------

texts = st.text(st.characters(), max_size=60) | st.text("\t\r\n a日\u0301\x1b\udcff", max_size=30)


@st.composite
def diagnostics(draw: st.DrawFn) -> Diagnostic:
    text = draw(texts)
    start = draw(st.integers(0, len(text)))
    span = Span(Source(draw(texts), text), start, draw(st.integers(start, len(text))))
    return Diagnostic(
        code=draw(st.sampled_from(["R0203", "R9999"])),
        severity=draw(st.sampled_from(["error", "warning"])),
        message=draw(texts),
        span=draw(st.none() | st.just(span)),
        label=draw(texts),
        labels=draw(st.just(()) | st.just((Label(span, "x"),))),
        notes=tuple(draw(st.lists(texts, max_size=2))),
        help=draw(st.none() | texts),
        rule=draw(st.none() | texts),
        path=draw(st.none() | texts),
    )


@given(st.lists(diagnostics(), max_size=5), st.integers(0, 120))
def test_any_diagnostics_are_shown_without_anything_that_a_terminal_acts_on(found: list[Diagnostic], width: int) -> None:
    text = render_text(found, width=width)
    assert all(printable(line) == line for line in text.split("\n"))
    text.encode()
    assert "\x1b" not in text


@given(st.lists(diagnostics(), max_size=5))
def test_any_diagnostics_are_valid_json_in_all_shapes(found: list[Diagnostic]) -> None:
    lines: list[Any] = [json.loads(line) for line in render_json(found).split("\n") if line]
    results = json.loads(render_sarif(found).encode())["runs"][0]["results"]
    assert len(lines) == len(results) <= len(found)
    assert [line["code"] for line in lines] == [result["ruleId"] for result in results]
    assert json.loads(render_falco(found).encode())["falco_load_results"] is not None

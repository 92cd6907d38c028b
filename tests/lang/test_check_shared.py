"""What the real libsinsp accepts and refuses, of ../shared/conformance: verdicts on values are the engine's tests."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ruleng.fields.catalogue import standard
from ruleng.fields.types import Catalogue, Field, FieldType
from ruleng.lang.check import check_condition
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.parse import parse_condition
from ruleng.lang.source import Source
from tests.conftest import SHARED

pytestmark = pytest.mark.shared

WARNED = {"may be optimized": "R0311", "valid field misused": "R0313", "transformer misused": "R0314"}


@cache
def made_up(fields: tuple[tuple[str, str, bool], ...]) -> Catalogue:
    return Catalogue.of([Field(name=name, type=FieldType(type), doc="", is_list=many) for name, type, many in fields], [])


def verdict(condition: str, catalogue: Catalogue) -> tuple[bool, list[Diagnostic]]:
    expr, problems = parse_condition(Source("case", condition))
    if expr is None:
        return False, problems
    checked, problems = check_condition(expr, catalogue, dialect="falco")
    return checked is not None, problems


def read(name: str) -> Any:
    return json.loads(Path(SHARED / "conformance" / name).read_bytes())


def warned_of(problems: list[Diagnostic]) -> list[str]:
    return sorted({problem.code for problem in problems if problem.falco and not problem.is_error})


def expected_warnings(case: dict[str, Any]) -> list[str]:
    return sorted({code for text in case.get("warnings", ()) for sign, code in WARNED.items() if sign in text})


def test_the_truth_table_refuses_what_falco_refuses_and_warns_of_what_falco_warns() -> None:
    wrong = []
    for case in read("eval_truth_table.json")["cases"]:
        fields = tuple((field["name"], field["type"], "IS_LIST" in field.get("flags", ())) for field in case["fields"])
        accepted, problems = verdict(case["cond"], made_up(fields))
        if accepted is not ("error" not in case):
            wrong.append((case["cond"], fields[0][1], case.get("error"), [problem.message for problem in problems]))
        elif accepted and warned_of(problems) != expected_warnings(case):
            wrong.append((case["cond"], fields[0][1], case.get("warnings"), [problem.message for problem in problems]))
    assert wrong == []


def test_conditions_over_the_real_catalogue_compile_as_in_falco() -> None:
    wrong = []
    for case in read("filter_eval_cases.json")["compile"]:
        if "c.true" in case["cond"] or "c.buffer" in case["cond"] or "quote" in case["cond"] or "c.false" in case["cond"]:
            continue  # fields of a mock, which stand for no type
        accepted, problems = verdict(case["cond"], standard())
        if accepted is not case["compiles"] or (accepted and warned_of(problems) != expected_warnings(case)):
            wrong.append((case["cond"], case.get("error"), case.get("warnings"), [problem.message for problem in problems]))
    assert wrong == []


def test_evaluated_conditions_compile_or_fail_as_in_falco() -> None:
    wrong = []
    for case in read("filter_eval_cases.json")["eval"]:
        accepted, problems = verdict(case["cond"], standard())
        if accepted is not ("error" not in case):
            wrong.append((case["cond"], case.get("error"), [problem.message for problem in problems]))
    assert wrong == []

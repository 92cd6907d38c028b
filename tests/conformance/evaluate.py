"""filter_eval_cases.json: conditions on the values that real events had, and conditions that must compile or must not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ruleng.fields.catalogue import standard
from ruleng.fields.types import Catalogue, FieldType
from tests.conformance.cases import Result
from tests.conformance.verdicts import checked, disagreement, values_of
from tests.engine.flat import flat_catalogue, flat_event, made_up

_MOCK = {"c.true": "1", "c.false": "0", "c.buffer": b"", "c.singlequote": "hello 'quoted'", "c.doublequote": 'hello "quoted"'}
"""The compiler's own tests have fields that are always true, or false, when they are compared with 1."""


def run(data: Mapping[str, Any], folder: Path) -> Iterator[Result]:
    for case in data["eval"]:
        values = _with_ancestors({name: _bytes_back(value) for name, value in values_of(case["fields"]).items()})
        event = flat_event(case["evt"], values)
        yield Result(case["cond"], disagreement(case["cond"], _catalogue(), event, case.get("match")))
    for case in data["compile"]:
        yield Result(case["cond"], _compiles(case))


def _bytes_back(value: Any) -> Any:
    """The data show a byte that is no UTF-8 as U+FFFD; it was 0xff in all of Falco's tests."""
    return value.replace("\ufffd", "\udcff") if isinstance(value, str) else value


def _with_ancestors(values: dict[str, Any]) -> dict[str, Any]:
    """The ancestors of which proc.aname without index must find one: those that are given one by one."""
    for name in [name for name in values if f"{name}[1]" in values]:
        numbered = [values.get(f"{name}[{level}]") for level in range(1, 32)]
        values[name] = tuple(value for value in numbered if value is not None)
    return values


@cache
def _catalogue() -> Catalogue:
    mocks = [made_up(name, FieldType.BYTES if name == "c.buffer" else FieldType.STRING) for name in _MOCK]
    return flat_catalogue(standard(), mocks)


def _compiles(case: Mapping[str, Any]) -> str | None:
    condition, mistakes = checked(case["cond"], _catalogue())
    if not case["compiles"]:
        return "accepted" if condition is not None else None
    if condition is None:
        return f"refused: {mistakes}"
    if "match" not in case:
        return None
    return disagreement(case["cond"], _catalogue(), flat_event("open", _MOCK), case["match"])

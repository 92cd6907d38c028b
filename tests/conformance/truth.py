"""eval_truth_table.json: verdicts of libsinsp on made-up fields of every type, with every operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruleng.fields.types import Catalogue, Field
from tests.conformance.cases import Result
from tests.conformance.verdicts import disagreement, type_of, value_of
from tests.engine.flat import flat_event, made_up

_FLAGS: Mapping[str, Mapping[str, Any]] = {
    "IS_LIST": {"is_list": True},
    "FILTER_ONLY": {"filter_only": True},
    "PRINT_ONLY": {"print_only": True},
    "NO_RHS": {"right_side": False},
    "NO_TRANSFORMER": {"transformable": False},
}
"""libsinsp's flags of fields (EPF_...) that say how a condition may use them."""


def run(data: Mapping[str, Any], folder: Path) -> Iterator[Result]:
    for case in data["cases"]:
        catalogue = Catalogue.of([_field(given) for given in case["fields"]], ["open"])
        values = {given["name"]: value_of(type_of(given["type"]), given["value"], hexadecimal=True) for given in case["fields"]}
        shown = ", ".join(f"{given['name']}={given['value']!r}" for given in case["fields"])
        problem = disagreement(case["cond"], catalogue, flat_event("open", values), case.get("match"))
        yield Result(f"{case['cond']} with {case['fields'][0]['type']} {shown}", problem)


def _field(given: Mapping[str, Any]) -> Field:
    type = type_of(given["type"])
    options: dict[str, Any] = {} if type.value != "IPNET" else {"right_side": False}
    for flag in given.get("flags", ()):
        options |= _FLAGS.get(flag, {})
    return made_up(given["name"], type, **options)

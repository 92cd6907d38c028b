"""The table of codes: each mistake is explained once, and nothing is explained that nobody makes."""

from __future__ import annotations

import ast
import pkgutil
import re
from pathlib import Path

import pytest

from ruleng.lang import mistakes
from ruleng.lang.mistakes import codes, explain

CODE = re.compile(r"R\d{4}")
RANGES = {
    "syntax": ["R01"],
    "fields": ["R020", "R021"],
    "names": ["R022", "R023", "R024", "R025", "R026", "R027", "R028", "R029"],
    "sources": ["R06"],
    "types": ["R03"],
    "outputs": ["R04"],
    "falco": ["R05"],
}

MODULES = {
    module.name: ast.parse(Path(mistakes.__path__[0], f"{module.name}.py").read_text())
    for module in pkgutil.iter_modules(mistakes.__path__)
}


def strings(node: ast.AST) -> set[str]:
    """The codes that stand as texts of their own in a piece of source."""
    values = (child.value for child in ast.walk(node) if isinstance(child, ast.Constant))
    return {value for value in values if isinstance(value, str) and CODE.fullmatch(value)}


def explained(module: ast.Module) -> list[str]:
    """The keys of CODES as written, repetitions too."""
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "CODES":
            assert isinstance(node.value, ast.Dict)
            return [key.value for key in node.value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    return []


def made(module: ast.Module) -> set[str]:
    """The codes that the constructors of a module give."""
    return {code for node in module.body if isinstance(node, ast.FunctionDef) for code in strings(node)}


def test_no_code_is_explained_twice() -> None:
    found = [code for module in MODULES.values() for code in explained(module)]
    assert sorted(found) == sorted(set(found))
    assert sorted(found) == list(codes())


@pytest.mark.parametrize("name", MODULES)
def test_every_code_that_a_constructor_gives_is_explained_and_every_explained_code_is_given(name: str) -> None:
    assert made(MODULES[name]) == set(explained(MODULES[name]))


@pytest.mark.parametrize("name", MODULES)
def test_codes_lie_in_the_range_of_their_module(name: str) -> None:
    assert [code for code in explained(MODULES[name]) if not code.startswith(tuple(RANGES[name]))] == []


def test_explanations_are_sentences_and_titles_are_not() -> None:
    for code, explanation in codes().items():
        assert explanation.text.endswith("."), code
        assert not explanation.title.endswith("."), code
        assert explanation.title, code


def test_a_code_is_explained_in_any_case_and_an_unknown_one_not() -> None:
    found = explain("r0203")
    assert found is not None
    assert found.title == "unknown field"
    assert explain("R9999") is None


def test_a_message_repeats_what_was_found_as_far_as_a_line_holds_it() -> None:
    assert mistakes.ticked("proc.nam") == "`proc.nam`"
    assert mistakes.ticked("") == "an empty text"
    assert mistakes.ticked("x" * 1_000_000) == f"`{'x' * 80}…`"

"""The tests beside rules: `execution.test.yaml` beside `execution.rules` says which events must and must not fire.

    - rule: Program in shared memory
      fires:
        a dropper: {evt.type: execve, evt.rawres: 0, proc.exepath: /dev/shm/k}
      silent:
        a file there is only an argument: {evt.type: execve, evt.rawres: 0, proc.exepath: /usr/bin/cat, proc.args: /dev/shm/k}

A case is one event in the catalogue's field names, or a list of them, of which one must match (none, if silent). Only the
rule's condition is asked: not whether another rule matched first, nor the throttle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from ruleng.engine.interpret import holds
from ruleng.errors import InputError, UsageError
from ruleng.event import Event
from ruleng.fields.record import from_fields
from ruleng.lang.checked import Rule

Expectation = Literal["fires", "silent"]
EXPECTATIONS: tuple[Expectation, ...] = ("fires", "silent")
SUFFIXES = (".test.yaml", ".test.yml")
_TIME_NS = 1_700_000_000_000_000_000  # of an event that does not say
_DEEPEST = 100  # levels of a file; what is nested deeper is no test


@dataclass(frozen=True, slots=True)
class Case:
    """One expectation of one rule; `place` is FILE:LINE of its name."""

    rule: str
    expectation: Expectation
    name: str
    events: tuple[Event, ...]
    place: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`problem` is None when the rule did what the case wants; `event` is the one to explain otherwise."""

    case: Case
    problem: str | None = None
    event: Event | None = None


def rules_beside(path: Path) -> Path:
    """The rule file that a test file is beside; other paths as they are. Raises UsageError when there is none."""
    suffix = next((suffix for suffix in SUFFIXES if path.name.endswith(suffix)), None)
    if suffix is None:
        return path
    stem = path.name.removesuffix(suffix)
    found = next((rules for kind in (".rules", ".yaml", ".yml") if (rules := path.with_name(stem + kind)).exists()), None)
    if found is None:
        raise UsageError(f"{path} holds tests, and there are no rules beside it", hint=f"its rules are {stem}.rules or {stem}.yaml")
    return found


def test_files(paths: Iterable[Path]) -> list[Path]:
    """The test files beside these rule files and in these folders, in that order, each once."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            beside = sorted(item for item in path.iterdir() if item.name.endswith(SUFFIXES))
        else:
            named = (path.with_name(path.stem + suffix) for suffix in SUFFIXES)
            beside = [item for item in named if item.exists()]
        found.update(dict.fromkeys(beside))
    return list(found)


def read_cases(path: Path) -> list[Case]:
    """Raises InputError with FILE:LINE for what is not as the module's docstring says."""
    try:
        text = path.read_text(encoding="utf-8")
        _refuse_deep(path, text)
        root = yaml.compose(text, yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{error.problem}", path=f"{path}:{line}") from error
    except yaml.YAMLError as error:  # a character that YAML does not allow; its text has the place
        raise InputError(" ".join(str(error).split()), path=str(path)) from error
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 at byte {error.start}", path=str(path)) from error
    except OSError as error:
        raise InputError(error.strerror or str(error), path=str(path)) from error
    if root is None:
        return []
    if not isinstance(root, yaml.SequenceNode):
        raise _wrong(path, root, "wants a list of rules with their cases")
    return [case for node in root.value for case in _rule_cases(path, node)]


def judge(cases: Sequence[Case], rules: Mapping[str, Rule]) -> Iterator[Verdict]:
    """One verdict a case, in order. A case of an unknown rule fails."""
    for case in cases:
        rule = rules.get(case.rule)
        if rule is None:
            yield Verdict(case, f"there is no rule `{case.rule}`")
            continue
        hit = next((event for event in case.events if holds(rule.condition, event)), None)
        if case.expectation == "fires" and hit is None:
            yield Verdict(case, "must fire, and does not", case.events[-1])
        elif case.expectation == "silent" and hit is not None:
            yield Verdict(case, "must stay silent, and fires", hit)
        else:
            yield Verdict(case)


def untested(cases: Iterable[Case], rules: Iterable[Rule]) -> list[str]:
    """Rules that lack an event that fires or one that does not."""
    have = {(case.rule, case.expectation) for case in cases}
    return [rule.name for rule in rules if any((rule.name, expectation) not in have for expectation in EXPECTATIONS)]


def _rule_cases(path: Path, node: yaml.Node) -> Iterator[Case]:
    keys = _mapping(path, node, "wants a mapping with rule, fires and silent")
    name = keys.pop("rule", None)
    if not isinstance(name, yaml.ScalarNode):
        raise _wrong(path, node, "lacks `rule`: the name of the rule that it tests")
    for key in keys:
        if key not in EXPECTATIONS:
            raise _wrong(path, keys[key], f"unknown key `{key}`: there are rule, fires and silent")
    for expectation in EXPECTATIONS:
        if (cases := keys.get(expectation)) is None:
            continue
        for title, events in _mapping(path, cases, f"`{expectation}` wants a mapping of what a case shows to its event").items():
            items = events.value if isinstance(events, yaml.SequenceNode) else [events]
            if not items:
                raise _wrong(path, events, "wants an event, or several")
            yield Case(
                rule=name.value,
                expectation=expectation,
                name=title,
                events=tuple(_event(path, item) for item in items),
                place=f"{path}:{events.start_mark.line + 1}",
            )


def _event(path: Path, node: yaml.Node) -> Event:
    fields = {key: _value(path, value) for key, value in _mapping(path, node, "wants an event: fields and their values").items()}
    fields.setdefault("evt.rawtime", _TIME_NS)
    try:
        return from_fields(fields)
    except InputError as error:
        raise _wrong(path, node, str(error)) from error


def _value(path: Path, node: yaml.Node) -> Any:
    loader = yaml.CSafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        raise _wrong(path, node, " ".join(str(error).split())) from error
    finally:
        loader.dispose()


def _mapping(path: Path, node: yaml.Node, wanted: str) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(path, node, wanted)
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _wrong(path, key, "wants text before the colon")
        if key.value in found:
            raise _wrong(path, key, f"`{key.value}` is there twice")
        found[key.value] = value
    return found


def _refuse_deep(path: Path, text: str) -> None:
    """YAML's own reader would run out of stack."""
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise InputError(f"is nested more than {_DEEPEST} levels deep", path=str(path))


def _wrong(path: Path, node: yaml.Node, message: str) -> InputError:
    return InputError(message, path=f"{path}:{node.start_mark.line + 1}")

"""Event types and their parameters."""

from __future__ import annotations

import pytest

from ruleng.abi import audit, syscalls
from ruleng.fields import params, words

SPECIAL = {"hex", "octal", "dirfd", "error", "signal", "capabilities", "pid", "uid", "gid", None}
"""Words that need no table."""


@pytest.mark.parametrize("name", sorted(params.EVENT_TYPES))
def test_parameters_have_names_of_their_own_and_words_that_exist(name: str) -> None:
    event = params.event_type(name)
    names = [param.name for param in event.params]
    assert len(names) == len(set(names))
    for param in event.params:
        assert param.kind.words in SPECIAL or words.has_table(param.kind.words)


def test_every_system_call_of_every_architecture_is_an_event_type() -> None:
    for arch in syscalls.ARCHITECTURES:
        assert set((syscalls.names(arch) or {}).values()) <= params.EVENT_TYPES


def test_events_of_audit_are_event_types_with_texts() -> None:
    assert set(audit.EVENTS) <= params.EVENT_TYPES - set(params.event_type("open").name)
    assert {param.kind.type.label for param in params.event_type("user_login").params} == {"string"}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("open", "fd name flags mode dev ino"),
        ("openat", "fd dirfd name flags mode dev ino"),
        ("close", "res fd"),
        ("read", "res data fd size"),
        ("connect", "res tuple fd addr"),
        ("symlinkat", "res target linkdirfd linkpath"),
        ("ptrace", "res addr data request pid"),
        ("ruleng.lost", "count where reason source sample types first last"),
        ("getpid", ""),
    ],
)
def test_parameters_stand_in_falcos_order(name: str, parameters: str) -> None:
    assert [param.name for param in params.event_type(name).params] == parameters.split()


def test_an_unknown_parameter_is_refused() -> None:
    params.require("flags")
    params.require("res_or_fd")
    with pytest.raises(ValueError, match="no event has a parameter `flgs`"):
        params.require("flgs")

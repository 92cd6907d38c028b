"""Event types for which a condition can be true."""

from __future__ import annotations

import pytest

from ruleng.engine.index import event_types
from ruleng.fields.catalogue import standard
from tests.conformance.verdicts import checked

UNIVERSE = frozenset({"open", "close", "execve"})


@pytest.mark.parametrize(
    ("condition", "types"),
    [
        ("evt.type = open", {"open"}),
        ("evt.type != open", {"close", "execve"}),
        ("evt.type in (open, close) and not evt.type = open", {"close"}),
        ("not (evt.type = open and proc.name = cat)", UNIVERSE),
        ("not (evt.type = open or proc.name = cat)", {"close", "execve"}),
        ("evt.type startswith op", UNIVERSE),  # only equality counts, as in Falco
        ("evt.type = oneof (open, close)", UNIVERSE),
        ("evt.num = 0", set()),
        ("not evt.num > 0", set()),
        ("evt.type = open or evt.num < 1", {"open"}),
        ("evt.type in ()", set()),
    ],
)
def test_the_types_of(condition, types):
    tree, mistakes = checked(condition, standard())
    assert tree is not None, mistakes
    assert event_types(tree, UNIVERSE) == types

"""Did you mean."""

from __future__ import annotations

import time

import pytest

from ruleng.lang.near import did_you_mean, nearest

FIELDS = ("proc.name", "proc.pname", "proc.pid", "fd.name", "container.image.repository", "evt.type")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("proc.nam", "proc.name"),
        ("Proc.Name", "proc.name"),
        ("process.name", "proc.name"),
        ("proc.pnmae", "proc.pname"),
        ("container.image.repostiory", "container.image.repository"),
        ("evt.typ", "evt.type"),
        ("zzz", None),
        ("", None),
    ],
)
def test_the_nearest_known_name_is_found_or_none(name: str, found: str | None) -> None:
    assert nearest(name, FIELDS) == found


def test_the_question_is_put_in_back_ticks() -> None:
    assert did_you_mean("fd.nme", FIELDS) == "did you mean `fd.name`?"
    assert did_you_mean("x", FIELDS) is None


def test_a_name_as_long_as_a_book_is_not_compared() -> None:
    start = time.perf_counter()
    assert nearest("proc.name" * 1_000_000, FIELDS) is None
    assert time.perf_counter() - start < 1

"""pmatch, regex and many substrings: from literals to something that matches values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence

import re2

from ruleng.engine import text
from ruleng.engine.globs import glob

# --- pmatch: a path begins with the components of another ------------------------------------------------------------------------


def components(path: str) -> list[str]:
    """Names between slashes; leading, doubled and trailing slashes count for nothing."""
    return [name for name in path.split("/") if name]


def has_wildcards(component: str) -> bool:
    return any(char in component for char in "?*[")


@functools.lru_cache(maxsize=4096)
def _component_matchers(path: str) -> tuple[Callable[[str], object], ...]:
    return tuple(
        glob(component).fullmatch if has_wildcards(component) else functools.partial(str.__eq__, component)
        for component in components(path)
    )


def path_starts_with(value: str, path: str) -> bool:
    """Whether `value` is `path` or lies below it; a component of `path` with ? * or [ is globbed."""
    matchers = _component_matchers(path)
    names = components(value)
    return len(names) >= len(matchers) and all(matches(name) for matches, name in zip(matchers, names, strict=False))


# --- regex: RE2 in POSIX syntax, anchored at both ends ----------------------------------------------------------------------------


def _re2_options(*, posix: bool) -> re2.Options:
    options = re2.Options()
    options.posix_syntax = posix
    options.never_capture = True
    options.log_errors = False
    return options


@functools.lru_cache(maxsize=4096)
def regex(pattern: str) -> Callable[[bytes], object]:
    """Whether the bytes of `text.valid_utf8` match the whole pattern. Raises re2.error; linear in time."""
    matcher: Callable[[bytes], object] = re2.compile(text.valid_utf8(pattern), _re2_options(posix=True)).fullmatch
    return matcher


def substrings(literals: Sequence[str]) -> Callable[[bytes], bool]:
    """Whether any of many literals occurs in the bytes of `text.valid_utf8`."""
    searches = [re2.compile(b"|".join(chunk), _re2_options(posix=False)).search for chunk in _chunks(literals)]
    return lambda data: any(search(data) for search in searches)


_CHUNK = 100_000
"""Bytes of literals in one pattern: RE2 refuses patterns that need more than 8 MiB, which are three times as long."""


def _chunks(literals: Sequence[str]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    size = 0
    for literal in literals:
        chunk.append(re2.escape(text.valid_utf8(literal)))
        size += len(chunk[-1])
        if size > _CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk

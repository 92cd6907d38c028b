"""Where reading goes on after a mistake in a file: the next line that begins an item, or in a rule a key."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

ITEM_WORDS = ("import", "engine_version", "list", "macro", "rule", "append", "override")

KEYS = (
    *("condition", "desc", "output", "priority", "source", "tags", "enabled", "warn_evttypes", "skip-if-unknown-filter"),
    *("capture", "capture_duration", "actions", "exceptions", "throttle"),
)
"""What a rule may say."""

_RESTART = re.compile(
    rf"""^[ \t\ufeff]*(?:
        (?P<item>
            (?:import|engine_version)[ \t]*["']
          | (?:append|override)[ \t]+(?:list|macro|rule)
          | (?:list|macro)[ \t]+ ["']?[^\s"':{{}}]+["']? [ \t]* :
          | rule[ \t]+["']
          | (?<=\n)(?:{"|".join(ITEM_WORDS)})[ \t]
        )
      | (?P<key>{"|".join(map(re.escape, KEYS))})[ \t]*:
    )""",
    re.MULTILINE | re.VERBOSE,
)
_NAMED = re.compile(
    r"""^[ \t\ufeff]*(?:(?:append|override)[ \t]+)?
    (?: (?:list|macro)[ \t]+ ["']?([^\s"':{}]+) | rule[ \t]+ (?:"([^"\n]*)"|'([^'\n]*)'|([^\s"'{]+)) )""",
    re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Restart:
    """Reading can go on at this offset, with an item, or in a rule with a key."""

    offset: int
    in_rule: bool = False


def restarts(text: str) -> Iterator[Restart]:
    """All such places, the end of the text as the last."""
    for match in _RESTART.finditer(text):
        kind = match.lastgroup or ""
        yield Restart(match.start(kind), kind == "key")
    yield Restart(len(text))


def names_at(text: str, offsets: Iterable[int]) -> list[str | None]:
    """The names of the lists, macros and rules in which these places are, or that of the one before."""
    heads = [(match.start(), next(filter(None, match.groups()), "")) for match in _NAMED.finditer(text)]
    starts = [start for start, _ in heads]
    indices = [bisect_right(starts, offset) - 1 for offset in offsets]
    return [(heads[index][1] or None) if index >= 0 else None for index in indices]

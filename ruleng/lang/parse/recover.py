"""Where reading goes on after a mistake in a file: the next line that begins an item, or in a rule a key."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

ITEM_WORDS = ("import", "engine_version", "list", "macro", "rule", "append", "override")

KEYS = {
    "condition": "CONDITION",
    "desc": "TEXT_KEY",
    "output": "TEXT_KEY",
    "priority": "NAME_KEY",
    "source": "NAME_KEY",
    "tags": "TAGS",
    "enabled": "FLAG_KEY",
    "warn_evttypes": "FLAG_KEY",
    "skip-if-unknown-filter": "FLAG_KEY",
    "capture": "FLAG_KEY",
    "capture_duration": "CAPTURE_DURATION",
    "actions": "ACTIONS",
    "exceptions": "EXCEPTIONS",
    "throttle": "THROTTLE",
}
"""What a rule may say, and the grammar's word for it."""

_RESTART = re.compile(
    rf"""^[ \t\ufeff]*(?:
        (?P<item>import|engine_version)[ \t]*["']
      | (?P<change>append|override)[ \t]+(?=list|macro|rule)
      | (?P<named>list|macro)[ \t]+ ["']?[^\s"':{{}}]+["']? [ \t]* :
      | (?P<rule>rule)[ \t]+["']
      | (?<=\n)(?P<word>{"|".join(ITEM_WORDS)})[ \t]
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
    """Reading can go on at this offset where the grammar takes this terminal."""

    offset: int
    terminal: str
    in_rule: bool = False


def restarts(text: str) -> Iterator[Restart]:
    """All such places, the end of the text as the last."""
    for match in _RESTART.finditer(text):
        kind = match.lastgroup or ""
        word = match[kind]
        is_key = kind == "key"
        yield Restart(match.start(kind), KEYS[word] if is_key else word.upper(), is_key)
    yield Restart(len(text), "RULE")


def names_at(text: str, offsets: Iterable[int]) -> list[str | None]:
    """The names of the lists, macros and rules in which these places are, or that of the one before."""
    heads = [(match.start(), next(filter(None, match.groups()), "")) for match in _NAMED.finditer(text)]
    starts = [start for start, _ in heads]
    indices = [bisect_right(starts, offset) - 1 for offset in offsets]
    return [(heads[index][1] or None) if index >= 0 else None for index in indices]

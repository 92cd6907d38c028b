"""The slots of an event while it is put together from fields, and what was claimed of it beside them."""

from __future__ import annotations

from typing import Any

from ruleng.fields.stored import PARTS
from ruleng.fields.types import Field

Claim = tuple[str, Field, str | None, Any]
"""A field as it was named, its row, its argument, and the value that it must have."""

_OTHER_PARTS = ("session", "leader")


class Draft:
    """The slots of an event, part by part, as far as they are known."""

    __slots__ = ("above", "args", "claims", "extra", "parts", "proc_extra", "type")

    def __init__(self, event_type: str) -> None:
        self.type = event_type
        self.parts: dict[str, dict[str, Any]] = {part: {} for part in (*PARTS, *_OTHER_PARTS)}
        self.above: list[dict[str, Any]] = []
        self.args: dict[str, Any] = {}
        self.extra: dict[str, Any] = {}
        self.proc_extra: dict[str, Any] = {}
        self.claims: list[Claim] = []

    def get(self, part: str, slot: str) -> Any:
        return self.parts[part].get(slot)

    def default(self, part: str, slot: str, value: Any) -> None:
        """Sets a slot that nothing was given for."""
        self.parts[part].setdefault(slot, value)

    def ancestor(self, level: int) -> dict[str, Any]:
        """The slots of the process so many generations up; 0 is the process itself."""
        if level == 0:
            return self.parts["proc"]
        while len(self.above) < level:
            self.above.append({})
        return self.above[level - 1]

"""What was worked out for a text, to be found again when the same text comes: bounded, the unused goes first."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """Remembers at least the last `limit` different keys that were used and at most twice as many."""

    __slots__ = ("_limit", "_old", "new")

    def __init__(self, limit: int) -> None:
        self.new: dict[bytes, T] = {}
        """Look here first, for speed; then `find`."""
        self._old: dict[bytes, T] = {}
        self._limit = limit

    def find(self, key: bytes) -> T | None:
        found = self.new.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.keep(key, found)
        return found

    def keep(self, key: bytes, value: T) -> None:
        if len(self.new) >= self._limit:
            self._old = self.new
            self.new = {}
        self.new[key] = value

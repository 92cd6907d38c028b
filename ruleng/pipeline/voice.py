"""What a command tells the person who started it, beside its results: `ruleng.cli.console` is the one that they hear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ruleng.lang.diagnostics import Diagnostic


class Voice(Protocol):
    """None of these may raise: a run goes on when nobody listens any more."""

    def say(self, text: str) -> None:
        """A line about the run itself."""
        ...

    def tell(self, text: str) -> None:
        """Lines as they are: the summary of a run."""
        ...

    def show(self, diagnostics: Sequence[Diagnostic]) -> None:
        """What is odd about the rules, or wrong with them."""
        ...

    def progress(self, events: int, done: int, total: int) -> None:
        """`done` of `total` bytes are read. Called for every batch."""
        ...

    def clear(self) -> None:
        """Make way for results on the same terminal."""
        ...

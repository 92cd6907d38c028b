"""What is wrong with a rule file, as values: collected, sorted, shown all at once.

The mistakes themselves are named constructors in `ruleng.lang.mistakes`; renderers are in `ruleng.lang.report`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ruleng.lang.source import Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that explains the first."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A mistake of a rule author. `code` is stable (R0203); `falco` is Falco's own code for it where Falco has one."""

    code: str
    severity: Severity
    message: str  # lower case, no full stop, names in back-ticks, what was found and what was wanted
    span: Span | None = None  # None: the file as a whole cannot be read
    label: str = ""  # beside the carets
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None  # did you mean `proc.name`?
    falco: str | None = None
    rule: str | None = None  # the rule, macro or list that it stands in
    path: str | None = None  # when there is no span

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

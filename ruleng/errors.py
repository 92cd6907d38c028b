"""The exceptions of a program's failure.

    RulengError
    |-- UsageError        the command line or the configuration asks for something that is not there    exit 2
    |-- RulesError        rules with errors; carries the diagnostics                                     exit 1
    |-- InputError        a file or stream that cannot be read as what it was said to be                 exit 1
    |-- HostError         this host lacks what was asked for: a privilege, a kernel feature, a program   exit 3
    `-- SinkError         a sink that cannot take alerts now
        `-- SinkClosedError   a sink that will never take alerts again: the reader of its pipe is gone

A rule author's mistake is a Diagnostic (ruleng.lang.diagnostics), not an exception. A lost event is a counter and a
`ruleng.lost` event, not an exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from ruleng.lang.diagnostics import Diagnostic


class RulengError(Exception):
    """Base of all; `hint` says what to do about it, in one line."""

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(RulengError):
    exit_status = 2


class RulesError(RulengError):
    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        errors = sum(1 for diagnostic in diagnostics if diagnostic.is_error)
        super().__init__(f"{errors} error{'s' if errors != 1 else ''} in the rules")
        self.diagnostics = tuple(diagnostics)


class InputError(RulengError):
    def __init__(self, message: str, *, path: str | None = None, hint: str | None = None) -> None:
        super().__init__(message if path is None else f"{path}: {message}", hint=hint)
        self.path = path


class HostError(RulengError):
    exit_status = 3

    def __init__(self, message: str, *, errno: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.errno = errno


class SinkError(RulengError):
    """`taken`: so many alerts of the batch, from its front, the sink took all the same: they are not to be given again."""

    def __init__(self, sink: str, message: str, *, hint: str | None = None, taken: int = 0) -> None:
        super().__init__(f"{sink}: {message}", hint=hint)
        self.sink = sink
        self.taken = taken


class SinkClosedError(SinkError):
    pass

"""Signals on their way: signal_generate in the context of the sender, signal_deliver in that of the target.

A delivery does not tell who sent the signal: that is remembered from its generation. Bounded; the oldest is forgotten.
"""

from __future__ import annotations

from ruleng.abi.words import signal_name
from ruleng.event import NO_PROCESS, Process, Signal
from ruleng.ports import Demand
from ruleng.state import State, glance

_IGNORED = 1  # TRACE_SIGNAL_IGNORED of include/trace/events/signal.h
_SIG_DFL, _SIG_IGN = 0, 1  # asm-generic/signal-defs.h
_ALWAYS_DEFAULT = frozenset({9, 19})  # SIGKILL, SIGSTOP: signal(7)
_MOST_SENDERS = 4096
_MOST_SIGNALS = 64


class Signals:
    def __init__(self, state: State) -> None:
        self._processes = state.processes
        self._reader = state.reader
        self._senders: dict[tuple[int, int], Process] = {}
        self._wants_handler = self._wants_pending = True

    def demand(self, demand: Demand | None) -> None:
        self._wants_handler = demand is None or "signal.handler" in demand.fields
        self._wants_pending = demand is None or "signal.pending" in demand.fields

    def generated(self, sender: Process, number: int, code: int, tid: int, result: int) -> Signal:
        """`tid`: the thread that it is meant for; `result`: TRACE_SIGNAL_*."""
        pid = tid
        if self._reader is not None and not self._processes.knows(tid):
            pid = glance.thread_group(self._reader, tid) or tid
        if len(self._senders) >= _MOST_SENDERS:
            del self._senders[next(iter(self._senders))]
        self._senders[pid, number] = sender
        handler, pending = self._masks(pid, number)
        return Signal(
            number=number,
            code=code,
            sender=sender,
            target=self._processes.get(pid) if pid > 0 else NO_PROCESS,
            handler="ignored" if result == _IGNORED else handler,
            pending=pending,
        )

    def delivered(self, target: Process, number: int, code: int, handler: int) -> Signal:
        """`handler`: sa_handler, what the target asked for."""
        sender = NO_PROCESS if target.pid is None else self._senders.pop((target.pid, number), NO_PROCESS)
        what = "default" if handler == _SIG_DFL or number in _ALWAYS_DEFAULT else "ignored" if handler == _SIG_IGN else "caught"
        pending = None if target.pid is None or not self._wants_pending else self._masks(target.pid, number)[1]
        return Signal(number=number, code=code, sender=sender, target=target, handler=what, pending=pending)

    def _masks(self, pid: int, number: int) -> tuple[str | None, tuple[str, ...] | None]:
        """(what the target does with the signal, what waits at it), as /proc says."""
        if not (self._wants_handler or self._wants_pending) or self._reader is None or pid <= 0:
            return None, None
        handler = "default" if number in _ALWAYS_DEFAULT else None
        masks = glance.signal_masks(self._reader, pid)
        if masks is None:
            return handler, None
        bit = 1 << (number - 1) if 0 < number <= _MOST_SIGNALS else 0
        if handler is None:
            handler = "ignored" if masks.ignored & bit else "caught" if masks.caught & bit else "default"
        waiting = tuple(signal_name(n + 1) for n in range(_MOST_SIGNALS) if masks.pending >> n & 1)
        return handler, waiting

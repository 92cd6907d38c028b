"""An event loop whose time stands still while anything runs, and jumps to the next timer when nothing does.

What waits for seconds is tested in no time, and always the same way. For code without threads and sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class FakeTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self._now = 1000.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        if not self._ready:  # type: ignore[attr-defined]
            timers = [timer.when() for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
            if not timers:
                raise AssertionError("everything waits and no timer is set: this would hang for ever")
            self._now = max(self._now, min(timers))
        super()._run_once()  # type: ignore[misc]


def run(test: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=FakeTimeLoop) as runner:
        return runner.run(test)


def now() -> float:
    return asyncio.get_running_loop().time()


async def settle() -> None:
    """Lets all that is ready run, without time passing."""
    for _ in range(50):
        await asyncio.sleep(0)

"""Signals of the process while something runs in the loop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

STOPPING = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def handled(*, stop: Callable[[], object], hang_up: Callable[[], object] | None = None) -> Iterator[None]:
    """SIGTERM and SIGINT mean `stop`, SIGHUP `hang_up` (without it, `stop` as well: the terminal has gone)."""
    loop = asyncio.get_running_loop()
    handlers = {**dict.fromkeys(STOPPING, stop), signal.SIGHUP: hang_up or stop}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)

"""Standard input as it comes: a pipe from auditd's dispatcher, a terminal, or a file. Thin I/O."""

from __future__ import annotations

import asyncio
import os

CHUNK = 262_144


class InputStream:
    """Reads a descriptor without ever blocking the loop, and leaves its flags as they are: others may share it.

    `begun` is what somebody read of it before. After `close` there is nothing more to read.
    """

    def __init__(self, fd: int = 0, begun: bytes = b"") -> None:
        self._fd = fd
        self._begun = begun
        self._came = asyncio.Event()
        self._is_pollable = True
        self._is_closed = False

    def open(self) -> None:
        try:
            asyncio.get_running_loop().add_reader(self._fd, self._ready)
        except PermissionError:  # epoll(7) takes no regular files: those are always ready
            self._is_pollable = False

    def _ready(self) -> None:
        self._came.set()
        asyncio.get_running_loop().remove_reader(self._fd)  # until it has been read

    async def read(self, timeout_s: float) -> bytes | None:
        """What is there; None when nothing came in time; b"" at the end. Raises OSError."""
        if self._begun:
            begun, self._begun = self._begun, b""
            return begun
        if self._is_pollable:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._came.wait()
            except TimeoutError:
                return None
            self._came.clear()
        else:
            await asyncio.sleep(0)
        if self._is_closed:
            return b""
        data = os.read(self._fd, CHUNK)
        if data and self._is_pollable:
            asyncio.get_running_loop().add_reader(self._fd, self._ready)
        return data

    def close(self) -> None:
        """Ends a `read` that waits."""
        self._is_closed = True
        self._came.set()
        if self._is_pollable:
            asyncio.get_running_loop().remove_reader(self._fd)

"""Standard input as it comes: a pipe from auditd's dispatcher, a terminal, or a file. Thin I/O."""

from __future__ import annotations

import asyncio
import os

CHUNK = 262_144


class InputStream:
    """Reads a descriptor without ever blocking the loop, and leaves its flags as they are: others may share it."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._came = asyncio.Event()
        self._is_pollable = True

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
        if not self._is_pollable:
            await asyncio.sleep(0)
            return os.read(self._fd, CHUNK)
        try:
            async with asyncio.timeout(timeout_s):
                await self._came.wait()
        except TimeoutError:
            return None
        self._came.clear()
        data = os.read(self._fd, CHUNK)
        if data:
            asyncio.get_running_loop().add_reader(self._fd, self._ready)
        return data

    def close(self) -> None:
        if self._is_pollable:
            asyncio.get_running_loop().remove_reader(self._fd)

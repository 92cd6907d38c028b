"""ruleng on a terminal, as a person sees it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

from tests.cli.conftest import COMMAND, environment


def on_a_terminal(*arguments: str | Path, **more: str) -> str:
    """What a person sees."""
    parent, child = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdin=child, stdout=child, stderr=child, env=environment(**more)
    ) as process:
        os.close(child)
        seen = b""
        while True:
            try:
                piece = os.read(parent, 65536)
            except OSError:  # EIO: the other side is closed
                break
            if not piece:
                break
            seen += piece
        process.wait(timeout=60)
    os.close(parent)
    return seen.decode()


def rendered(seen: str) -> list[str]:
    """The lines that stay on the screen."""
    screen = []
    for line in seen.replace("\r\n", "\n").split("\n"):
        shown = ""
        for part in re.split(r"(\r|\x1b\[K)", line):
            if part == "\x1b[K":
                shown = ""
            elif part != "\r":
                shown = part + shown[len(part) :]
        screen.append(shown)
    return screen

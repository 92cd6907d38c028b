"""Which container runtime keeps state under a name: the proof for containers whose cgroup is called anything."""

from __future__ import annotations

from pathlib import Path

# directory below /run -> type of the containers that have a directory there. */ stands for the namespace, which is the
# component above the id in the cgroup too.
_STATES = (
    ("runc", "runc"),
    ("crun", "crun"),
    ("youki", "youki"),
    ("docker/runtime-runc/moby", "docker"),
    ("docker/runtime-runc/*", "docker"),
    ("containerd/io.containerd.runtime.v2.task/*", "containerd"),
    ("containerd/runc/*", "containerd"),
)


class RuntimeStates:
    """`run` is the host's /run. Runtimes that were started with a root of their own are not found here."""

    def __init__(self, run: Path = Path("/run")) -> None:
        self._run = run

    def type_of(self, parent: str, name: str) -> str | None:
        """`parent` is the cgroup component above the name."""
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            return None
        for pattern, kind in _STATES:
            if "*" in pattern and (not parent or parent in (".", "..") or "\0" in parent):
                continue
            if (self._run / pattern.replace("*", parent) / name).is_dir():
                return kind
        return None

"""Who may be acted on, and how often: a decision over values, no I/O. Every destructive action passes here.

Never: pid 1 and what is no pid, kernel threads, ruleng with its threads and ancestors, the host's container runtimes, and
what the configuration protects. Never more than so many in a minute: then the fuse blows, and until somebody resets it
ruleng only alerts. A rule that fires on everything must not take the host down.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

MINUTE_NS = 60_000_000_000

RUNTIMES = ("dockerd", "containerd", "containerd-shim*", "podman", "conmon", "crio", "runc", "crun", "kubelet", "systemd-nspawn")
# A runtime counts as one only where its package puts it: else any program could protect itself by its name.
_RUNTIME_PLACES = ("/usr/", "/bin/", "/sbin/", "/opt/", "/snap/", "/nix/store/", "/var/lib/rancher/", "/var/lib/k0s/")
_RUNC_CLONE = "/memfd:runc_cloned:"  # runc runs from a sealed copy of itself (CVE-2019-5736)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A process as it is now, not as it was when the event happened."""

    pid: int
    start_ns: int | None = None
    name: str | None = None
    exepath: str | None = None
    uid: int | None = None
    user: str | None = None
    container_id: str | None = None  # "host" outside of containers
    image: str | None = None
    is_kernel_thread: bool = False

    def __str__(self) -> str:
        return f"pid {self.pid}" + (f" ({self.name})" if self.name is not None else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """What the configuration keeps from harm, beside what is never touched."""

    pids: frozenset[int] = frozenset()
    users: frozenset[str] = frozenset()  # names or numbers
    images: tuple[str, ...] = ()  # globs over a container's image
    exe_paths: tuple[str, ...] = ()  # globs over the executable's path
    runtimes: bool = True  # the host's container runtimes


@dataclass(slots=True)
class Guard:
    """`announce` is called once, with a sentence for people, when the fuse blows."""

    protected: Protected
    announce: Callable[[str], None]
    per_minute: int = 30
    blown: bool = False
    _taken_ns: deque[int] = field(default_factory=deque)

    def refusal(self, target: Target, own_pids: frozenset[int]) -> str | None:
        """Why this process is not to be touched; None when it may be. `own_pids`: ruleng, its threads and its ancestors."""
        return _never(target, own_pids) or _protected(target, self.protected)

    def take(self, now_ns: int) -> str | None:
        """Count one action; why it is one too many, or None. `now_ns` of a clock that only goes forward."""
        if self.blown:
            return "the fuse has blown: alerts only, until it is reset"
        while self._taken_ns and now_ns - self._taken_ns[0] >= MINUTE_NS:
            self._taken_ns.popleft()
        if len(self._taken_ns) >= self.per_minute:
            self.blown = True
            self.announce(
                f"more than {self.per_minute} destructive actions in a minute: the fuse has blown, and ruleng only alerts until "
                f"it is reset; look for a rule that fires too often"
            )
            return f"more than {self.per_minute} actions in a minute: the fuse has blown"
        self._taken_ns.append(now_ns)
        return None

    def reset(self) -> None:
        """Somebody has looked: act again."""
        self.blown = False
        self._taken_ns.clear()


def _never(target: Target, own_pids: frozenset[int]) -> str | None:
    if target.pid <= 0:
        return f"{target.pid} is not the pid of a process"
    if target.pid == 1:
        return "pid 1 keeps the host running"
    if target.is_kernel_thread:
        return "it is a kernel thread"
    if target.pid in own_pids:
        return "it is ruleng itself, or what runs ruleng"
    return None


def _protected(target: Target, protected: Protected) -> str | None:
    if target.pid in protected.pids:
        return "the configuration protects this pid"
    if target.user in protected.users or (target.uid is not None and str(target.uid) in protected.users):
        return "the configuration protects this user"
    if target.image is not None and any(fnmatchcase(target.image, image) for image in protected.images):
        return "the configuration protects this image"
    if target.exepath is not None and any(fnmatchcase(target.exepath, path) for path in protected.exe_paths):
        return "the configuration protects this program"
    if protected.runtimes and _is_runtime(target):
        return "it is a container runtime of the host"
    return None


def _is_runtime(target: Target) -> bool:
    if target.exepath is None or target.container_id not in ("host", None):
        return False
    if target.exepath.startswith(_RUNC_CLONE):
        return target.uid == 0
    program = target.exepath.rpartition("/")[2]
    return target.exepath.startswith(_RUNTIME_PLACES) and any(fnmatchcase(program, runtime) for runtime in RUNTIMES)

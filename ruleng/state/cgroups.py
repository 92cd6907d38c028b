"""Which container a cgroup belongs to: the paths of /proc/PID/cgroup in, a ContainerName out. Pure.

Runtimes name a container's cgroup after its id, in forms of their own (the table below). The form is looked for from the
end of each path, so that a container within a container is the inner one, and cgroups that a container makes for itself
below its own do not hide it. A bare name (`/web`, as runc does it when nobody tells it otherwise) proves nothing: it is
only a candidate, for the caller to confirm from the runtime's state or from the process's root.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from ruleng.state.procfs import CgroupLine

SHORT_ID = 12
_HEX64 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class ContainerName:
    """What a cgroup path says of its container."""

    full_id: str
    type: str
    pod_uid: str | None = None

    @property
    def id(self) -> str:
        """As rules and runtimes print it: 12 characters of a hash, a name whole."""
        return self.full_id[:SHORT_ID] if _HEX64.match(self.full_id) else self.full_id


# One path component -> the container of group 1. Order matters only where one form is part of another.
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern + r"\Z"))
    for kind, pattern in (
        # systemd scopes: PREFIX-ID.scope; without .scope where the cgroupfs driver keeps the prefix
        ("docker", r"docker-([0-9a-f]{64})(?:\.scope)?"),
        ("containerd", r"(?:cri-containerd|nerdctl)-([0-9a-f]{64})(?:\.scope)?"),
        ("cri-o", r"crio-([0-9a-f]{64})(?:\.scope)?"),
        ("podman", r"libpod-(?:payload-)?([0-9a-f]{64})(?:\.scope)?"),
        ("runc", r"runc-(.+)\.scope"),
        ("crun", r"crun-(.+)\.scope"),
        # SLICE:PREFIX:ID, a systemd path given to a cgroupfs driver
        ("containerd", r".+:cri-containerd:([0-9a-f]{64})"),
        ("cri-o", r".+:crio:([0-9a-f]{64})"),
        ("docker", r".+:docker:([0-9a-f]{64})"),
        # lxc and LXD
        ("lxc", r"lxc\.payload\.(.+)"),
        # systemd-nspawn; a virtual machine of libvirt is a machine too, but no container
        ("systemd-nspawn", r"machine-(?!qemu\\x2d)(.+)\.scope"),
        ("systemd-nspawn", r"systemd-nspawn@(.+)\.service"),
    )
)
# A component above a bare 64 digit id -> the container's type; the nearest one counts.
_ANCESTORS = {
    "docker": "docker",
    "moby": "docker",
    "ecs": "docker",
    "actions_job": "docker",
    "libpod_parent": "podman",
    "crio": "cri-o",
}
# A component whose children are containers under any name -> their type.
_NAMED = {"lxc": "lxc", "lxc.payload": "lxc", "buildkit": "buildkit"}
_POD = re.compile(r"(?:.+-)?pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice(?::.*)?)?\Z")
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")  # systemd.unit(5), "string escaping"

_UNIT = re.compile(r"\.(?:slice|scope|service|mount|socket|swap|device|timer|target|path|automount)\Z")
# Components that hosts and runtimes use for themselves.
# fmt: off
_PLAIN_HOST = frozenset({
    "..", "init", "system", "user", "machine", "payload", "supervisor", "container", "conmon", "docker", "lxc", "lxc.payload",
    "lxc.pivot", "kubepods", "burstable", "besteffort", "guaranteed", "libpod_parent", "k8s.io", "moby", "default", "buildkit",
    "ecs", "kubelet", "systemd", "unified",
})
# fmt: on
_HOST_PREFIXES = ("lxc.monitor", "crio-conmon-", "libpod-conmon-", "kubepods-", "pod")


def container_of(lines: Iterable[CgroupLine]) -> ContainerName | None:
    """The container that the cgroup's form proves; of several hierarchies the longest path decides."""
    for path in _longest_first(lines):
        components = path.split("/")
        for index in range(len(components) - 1, 0, -1):
            form = _form(components[index], components[:index])
            if form is None:
                continue
            kind, full_id = form
            if kind == "systemd-nspawn" and components[index + 1 : index + 2] == ["supervisor"]:
                return None  # systemd-nspawn itself, beside its payload
            return ContainerName(full_id, kind, _pod_uid(components[: index + 1]))
    return None


def candidates(lines: Iterable[CgroupLine]) -> Iterator[tuple[str, str]]:
    """(parent component, bare name) pairs that may be containers: from the end of the longest path to the top of the shortest."""
    seen: set[str] = set()
    for path in _longest_first(lines):
        components = path.split("/")
        for index in range(len(components) - 1, 0, -1):
            name = components[index]
            if name in seen or not name or name in _PLAIN_HOST or name.startswith(_HOST_PREFIXES) or _UNIT.search(name):
                continue
            seen.add(name)
            yield components[index - 1], name


def components_of(lines: Iterable[CgroupLine]) -> frozenset[str]:
    """Every component of every path: what of the host's own cgroups is never a container's name."""
    return frozenset(component for line in lines for component in line.path.split("/") if component)


def prefix_of(path: str, full_id: str) -> str | None:
    """The path down to the container's own cgroup, without those that it made below; None when none is named after it."""
    components = path.split("/")
    for index in range(len(components) - 1, 0, -1):
        form = _form(components[index], components[:index])
        if components[index] == full_id or (form is not None and form[1] == full_id):
            return "/".join(components[: index + 1])
    return None


def container_of_supervisor(argv: tuple[str, ...]) -> ContainerName | None:
    """The container that a supervising program was started for: conmon's `-c ID`, a containerd shim's `-id ID`."""
    if not argv:
        return None
    program = argv[0].rpartition("/")[2]
    if program == "conmon":
        flags, kind = ("-c", "--cid"), "podman"
    elif program.startswith("containerd-shim"):
        flags, kind = ("-id", "--id"), "containerd"
    else:
        return None
    for flag, value in pairwise(argv):
        if flag in flags and value:
            return ContainerName(value, kind)
    return None


def _longest_first(lines: Iterable[CgroupLine]) -> list[str]:
    return sorted({line.path for line in lines}, key=lambda path: (-len(path), path))


def _form(component: str, above: list[str]) -> tuple[str, str] | None:
    """(type, full id) when the component has a runtime's form."""
    if _HEX64.match(component):
        for ancestor in reversed(above):
            if ancestor in _ANCESTORS:
                return _ANCESTORS[ancestor], component
        return "runc" if above[-1] in ("", "..") else "containerd", component  # containerd's own form is /NAMESPACE/ID
    for kind, pattern in _FORMS:
        found = pattern.match(component)
        if found is not None:
            return kind, _ESCAPED.sub(lambda code: chr(int(code[1], 16)), found[1])
    if above[-1] in _NAMED and component not in _PLAIN_HOST:
        return _NAMED[above[-1]], component
    return None


def _pod_uid(components: list[str]) -> str | None:
    for component in reversed(components):
        found = _POD.match(component)
        if found is not None:
            return found[1].replace("_", "-")
    return None

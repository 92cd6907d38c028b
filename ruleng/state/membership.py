"""Which container a live process is in: by its cgroup first, and where that is not enough by its root and its parent."""

from __future__ import annotations

from typing import Any

from ruleng.event import HOST, NO_CONTAINER, Container, Task
from ruleng.state.cgroups import container_of_supervisor
from ruleng.state.containers import Containers
from ruleng.state.look import Looker
from ruleng.state.procfs_io import ProcDir


def membership(looker: Looker, containers: Containers, directory: ProcDir, before: Container, parent: Task) -> dict[str, Any]:
    """The attributes `container` and `cgroup`. `before` is its container until now, or its parent's.

    A process that left its container's cgroup is still in the container as long as it has the container's root; and a
    runtime without cgroups of its own (rootless) is known by the supervisor that it started.
    """
    cgroup = directory.read("cgroup")
    found = containers.of_cgroup(cgroup, lambda: looker.is_outside(directory)) if cgroup is not None else None
    if found is None:
        return {"container": before}
    container, path = found
    if container is HOST:
        if before is not HOST and before is not NO_CONTAINER:
            container = HOST if looker.is_outside(directory) is False else before
        else:
            started_for = container_of_supervisor((parent.now.exe or "", *(parent.now.args or ())))
            if started_for is not None and looker.is_outside(directory):
                container = containers.named(started_for)
    return {"container": container, "cgroup": path}

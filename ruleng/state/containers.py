"""The containers that processes belong to: one shared Container each, HOST outside, found from the text of a cgroup file.

What a container is called, which image it runs and so on is not known here: whoever asks the runtime fills it in
afterwards, in the same object.
"""

from __future__ import annotations

from collections.abc import Callable

from ruleng.errors import InputError
from ruleng.event import HOST, Container
from ruleng.ports import Ledger
from ruleng.state.cgroups import ContainerName, candidates, components_of, container_of
from ruleng.state.limits import Limits
from ruleng.state.procfs import parse_cgroup
from ruleng.state.runtimes import RuntimeStates


class Containers:
    """`runtimes` confirms bare names; None (replay) confirms none. Forgets the one that was longest not asked for."""

    def __init__(self, limits: Limits, ledger: Ledger, runtimes: RuntimeStates | None = None) -> None:
        self._limits = limits
        self._ledger = ledger
        self._runtimes = runtimes
        self._host_components: frozenset[str] = frozenset()
        self._by_id: dict[str, Container] = {}
        self._by_text: dict[bytes, tuple[Container, str]] = {}

    def host_is(self, cgroup: bytes) -> None:
        """The content of a cgroup file of the host itself: its components name no container."""
        self._host_components |= components_of(parse_cgroup(cgroup))
        self._by_text.clear()

    def of_cgroup(self, cgroup: bytes, is_outside: Callable[[], bool | None]) -> tuple[Container, str] | None:
        """(the container, the longest path) of a process with this cgroup file; None when it is malformed (counted).

        `is_outside` tells whether the process has another root and mount namespace than the host, if it can. It is asked only
        when the cgroup has a bare name that no runtime known here vouches for.
        """
        known = self._by_text.get(cgroup)
        if known is not None:
            self._touch(known[0])
            return known
        try:
            lines = parse_cgroup(cgroup)
        except InputError as error:
            self._ledger.lost("state.containers", str(error))
            return None
        path = max((line.path for line in lines), key=len, default="/")
        name = container_of(lines)
        if name is not None:
            return self._remember(cgroup, self.named(name), path)
        bare = [pair for pair in candidates(lines) if pair[1] not in self._host_components]
        if not bare:
            return self._remember(cgroup, HOST, path)
        # what follows may be otherwise a moment later (a runtime first joins the cgroup, then changes the root)
        for parent, candidate in bare:
            if (confirmed := self._by_id.get(candidate)) is not None:
                self._touch(confirmed)
                return confirmed, path
            kind = self._runtimes.type_of(parent, candidate) if self._runtimes is not None else None
            if kind is not None:
                return self.named(ContainerName(candidate, kind)), path
        if is_outside():
            return self.named(ContainerName(bare[-1][1], "oci")), path  # not one that the container made below its own
        return HOST, path

    def named(self, name: ContainerName) -> Container:
        """The one object of that container."""
        container = self._by_id.get(name.full_id)
        if container is not None:
            self._touch(container)
            return container
        if len(self._by_id) >= self._limits.containers:
            self._forget(next(iter(self._by_id)))
            self._ledger.lost("state.containers", "the table of containers is full: the one not seen for longest went")
        container = Container(id=name.id, full_id=name.full_id, type=name.type, pod_uid=name.pod_uid)
        self._by_id[name.full_id] = container
        return container

    def get(self, full_id: str) -> Container | None:
        return self._by_id.get(full_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def _touch(self, container: Container) -> None:
        full_id = container.full_id
        if full_id is not None and self._by_id.pop(full_id, None) is not None:
            self._by_id[full_id] = container

    def _forget(self, full_id: str) -> None:
        gone = self._by_id.pop(full_id)
        self._by_text = {text: known for text, known in self._by_text.items() if known[0] is not gone}

    def _remember(self, cgroup: bytes, container: Container, path: str) -> tuple[Container, str]:
        if len(self._by_text) >= self._limits.containers:
            del self._by_text[next(iter(self._by_text))]  # a cache only: nothing is lost
        self._by_text[cgroup] = container, path
        return container, path

"""Processes, users and containers together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ruleng.ports import Clock, Ledger
from ruleng.state.containers import Containers
from ruleng.state.limits import Limits
from ruleng.state.look import Looker
from ruleng.state.needs import needs_of
from ruleng.state.processes import Processes
from ruleng.state.procfs_io import ProcReader
from ruleng.state.runtimes import RuntimeStates
from ruleng.state.users import Users


class State:
    """`proc` None (replay) reads nothing of the host. `fields` are the Demand's: what the rules ask; None is everything.

    `root` is the host's root directory, for its user database and the state of its container runtimes.
    """

    def __init__(
        self,
        proc: ProcReader | None,
        clock: Clock,
        limits: Limits,
        ledger: Ledger,
        *,
        fields: Iterable[str] | None = None,
        root: Path = Path("/"),
    ) -> None:
        looker = None if proc is None else Looker(proc, limits, ledger, needs_of(fields))
        self.users = Users(None if proc is None else root, clock, limits, ledger)
        self.containers = Containers(limits, ledger, None if proc is None else RuntimeStates(root / "run"))
        if looker is not None:
            for cgroup in looker.host.cgroups:
                self.containers.host_is(cgroup)
        self.processes = Processes(looker, self.users, self.containers, clock=clock, limits=limits, ledger=ledger)
        self._looker = looker

    @property
    def reader(self) -> ProcReader | None:
        """The host's /proc; None in replay."""
        return None if self._looker is None else self._looker.reader

    def demand(self, fields: Iterable[str]) -> None:
        """Other rules are in force: what is read from now on follows them."""
        if self._looker is not None:
            self._looker.needs = needs_of(fields)

    def seed(self) -> None:
        """Read every process there is; nothing in replay."""
        self.processes.seed()

    def repair(self) -> Iterator[int]:
        """See `Processes.repair`."""
        return self.processes.repair()

    def counters(self) -> Mapping[str, int]:
        refused = sum(self._looker.reader.refused.values()) if self._looker is not None else 0
        return {**self.processes.counters(), "containers": len(self.containers), "refused": refused}

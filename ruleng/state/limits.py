"""How much is remembered, in one place. Everything in `ruleng.state` is bounded by one of these."""

from __future__ import annotations

from dataclasses import dataclass

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the state. A bound that is hit evicts the least useful entry and counts it; nothing is refused."""

    processes: int = 16_384  # in the table, the exited ones included; about 1.3 KB each
    exited: int = 4_096  # of those, how many that have exited
    exited_grace_ns: int = 120 * SECOND_NS  # how long an exited process can still be found by its pid
    reuse_slack_ns: int = SECOND_NS // 10  # records may arrive this much after the exit and still mean the same process
    lineage: int = 64  # ancestors that a process can name, when they have exited
    args_bytes: int = 131_072  # of argv and of the environment each; MAX_ARG_STRLEN of linux/binfmts.h, the longest single one
    proc_file_bytes: int = 1_048_576  # of any other file below /proc
    users: int = 65_536  # users, and groups
    database_bytes: int = 16_777_216  # of /etc/passwd and /etc/group each
    containers: int = 4_096
    pid_namespaces: int = 4_096

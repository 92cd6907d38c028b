"""Which sources can fill a field: names for the sets that the catalogue's tables use again and again."""

from __future__ import annotations

ANY = frozenset({"audit", "perf", "bpf"})
"""From the event itself, or from /proc and the user database while live: every kernel source."""
GIVEN = frozenset({"audit", "bpf"})
"""What a program passed behind a pointer: paths, addresses. A tracepoint holds the pointer."""
TRACED = frozenset({"perf", "bpf"})
"""What the kernel knows where it happens, and does not write into its audit records."""
SOCKETS = frozenset({"bpf"})
"""Both ends of a connection, and what other descriptors a process has: audit tells only the address that the program passed."""
BPF = frozenset({"bpf"})
"""What only a program inside the kernel sees: data buffers, overlay layers."""
VM = frozenset({"vmi"})
"""A guest watched from outside."""
OURS = frozenset({"audit", "perf", "bpf", "replay", "kafka"})
"""What ruleng itself says of its own work."""
NOBODY: frozenset[str] = frozenset()
"""No source yet; recordings may carry it."""

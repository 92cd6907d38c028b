"""What the normaliser takes: samples of tracepoints, and which of their fields it wants.

`ruleng.sources.perf` makes these from the rings of the kernel, by the layouts that the kernel gives of its tracepoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Record = tuple[int, str, int, tuple[Any, ...]]
"""(time in ns of CLOCK_MONOTONIC, tracepoint, CPU, values): pid and tid of the task that ran, the time again, then the fields
of `FIELDS` in their order, an array's members each as a value; texts as str."""

EXEC = "sched:sched_process_exec"
FORK = "task:task_newtask"
"""Unlike sched_process_fork it tells threads from processes."""
EXIT = "sched:sched_process_exit"
GENERATE = "signal:signal_generate"
DELIVER = "signal:signal_deliver"
ENTER = "raw_syscalls:sys_enter"
LEAVE = "raw_syscalls:sys_exit"

FIELDS: Mapping[str, tuple[str, ...]] = {
    EXEC: ("filename",),
    FORK: ("pid", "clone_flags"),
    EXIT: (),
    GENERATE: ("sig", "code", "pid", "result"),
    DELIVER: ("sig", "code", "sa_handler"),
    ENTER: ("id", "args"),
    LEAVE: ("id", "ret"),
}
"""As include/trace/events/{sched,task,signal,syscalls}.h name them."""

OPTIONAL: Mapping[str, tuple[str, ...]] = {EXIT: ("group_dead",)}
"""Fields that only newer kernels have; they are used in filters."""

WITH_ABI = frozenset({ENTER})
"""Those with one more value at the end: the ABI of the program, enum perf_sample_regs_abi."""

"""Tables of words for parameters that are numbers: which kind of `ruleng.fields.params` is written how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from ruleng.abi import flags as abi
from ruleng.abi.words import Both, Choice, Flags, Words

_ACCESS_MODE_MASK = 0o3  # O_ACCMODE, asm-generic/fcntl.h
_FILE_TYPE_MASK = 0o170000  # S_IFMT, linux/stat.h
_FUTEX_COMMAND_MASK = 0x7F  # FUTEX_CMD_MASK, linux/futex.h


def _only(table: Mapping[str, int], *words: str) -> dict[str, int]:
    return {word: table[word] for word in words}


def _bare(table: Mapping[str, int], prefix: str) -> dict[str, int]:
    """Falco writes mount flags without their prefix: BIND, NOSUID."""
    return {word.removeprefix(prefix): number for word, number in table.items()}


_FD_FLAGS = _only(abi.OPEN, "O_NONBLOCK", "O_EXCL", "O_TRUNC", "O_CLOEXEC")
"""What dup3, pipe2, socket, accept4, eventfd2, inotify_init1, signalfd4 and delete_module take; the SOCK_*, EFD_*, IN_* and SFD_*
of the same meaning are the same bits."""

_AFTER_MODE = frozenset({"O_CLOEXEC"})
"""Falco writes the access mode after the other flags and before this one."""

_UMOUNT = {"FORCE": 1, "DETACH": 2, "EXPIRE": 4, "NOFOLLOW": 8}  # include/linux/fs.h
_CLOSE_RANGE = {"CLOSE_RANGE_UNSHARE": 2, "CLOSE_RANGE_CLOEXEC": 4}  # linux/close_range.h
_ACCESS = {"F_OK": 0, "R_OK": 4, "W_OK": 2, "X_OK": 1}  # access(2)
EXEC = {"EXE_WRITABLE": 1, "EXE_UPPER_LAYER": 2, "EXE_FROM_MEMFD": 4, "EXE_LOWER_LAYER": 8}
"""Falco's own, of the executable that execve started."""
_CREAT = {"FD_UPPER_LAYER_CREAT": 1, "FD_LOWER_LAYER_CREAT": 2}
"""Falco's own, of the file that creat opened."""

_TABLES: dict[str, Callable[[], Words]] = {
    "open": lambda: Both(_ACCESS_MODE_MASK, Choice(abi.ACCESS_MODE), Flags(_open_order()), before=_AFTER_MODE),
    "fd_flags": lambda: Flags(_FD_FLAGS, zero="O_NONE"),
    "resolve": lambda: Flags(abi.RESOLVE),
    "mode": lambda: Flags(abi.MODE),
    "mknod": lambda: Both(_FILE_TYPE_MASK, Choice(abi.FILE_TYPE), Flags(abi.MODE), word_of_zero=False),
    "creat": lambda: Flags(_CREAT),
    "close_range": lambda: Flags(_CLOSE_RANGE),
    "splice": lambda: Flags(abi.SPLICE),
    "fcntl": lambda: Choice(abi.FCNTL),
    "whence": lambda: Choice(abi.WHENCE),
    "at": lambda: Flags(abi.AT),
    "access": lambda: Flags(_only(_ACCESS, "R_OK", "W_OK", "X_OK"), zero="F_OK"),
    "rename": lambda: Flags(abi.RENAME),
    "flock": lambda: Flags(abi.FLOCK, zero="LOCK_NONE"),
    "mount": lambda: Flags(_bare(abi.MOUNT, "MS_")),
    "umount": lambda: Flags(_UMOUNT),
    "move_mount": lambda: Flags(abi.MOVE_MOUNT),
    "open_tree": lambda: Flags(abi.OPEN_TREE | abi.AT),
    "fsopen": lambda: Flags(abi.FSOPEN),
    "fsmount": lambda: Flags(abi.FSMOUNT),
    "fsconfig": lambda: Choice(abi.FSCONFIG),
    "userfaultfd": lambda: Flags(abi.USERFAULTFD | _FD_FLAGS, zero="O_NONE"),
    "domain": lambda: Choice(abi.SOCKET_FAMILY),
    "shutdown": lambda: Choice(abi.SHUTDOWN),
    "sockopt_level": lambda: Choice(abi.SOCKOPT_LEVEL | {"SOL_TCP": 6, "SOL_IP": 0, "SOL_IPV6": 41}),  # include/linux/socket.h
    "sockopt": lambda: Choice(abi.SOCKOPT),
    "futex": lambda: Both(_FUTEX_COMMAND_MASK, Choice(abi.FUTEX), Flags(abi.FUTEX_FLAGS)),
    "epoll": lambda: Flags(abi.EPOLL),
    "exec": lambda: Flags(EXEC),
    "clone": lambda: Flags(abi.CLONE),
    "prctl": lambda: Choice(abi.PRCTL),
    "ptrace": lambda: Choice(abi.PTRACE),
    "rlimit": lambda: Choice(abi.RLIMIT),
    "sem": lambda: Flags(abi.SEM),
    "semctl": lambda: Choice(abi.SEMCTL),
    "semget": lambda: Flags(abi.SEMGET),
    "quota": lambda: Choice(abi.QUOTA_COMMANDS),
    "prot": lambda: Flags(abi.PROT, zero="PROT_NONE"),
    "mmap": lambda: Flags(abi.MAP),
    "mlockall": lambda: Flags(abi.MLOCKALL),
    "mlock2": lambda: Flags(abi.MLOCK2),
    "memfd": lambda: Flags(abi.MEMFD),
    "module": lambda: Flags(abi.MODULE),
    "bpf": lambda: Choice({word: number for word, number in abi.BPF.items() if word != "BPF_PROG_RUN"}),
    "seccomp": lambda: Choice(abi.SECCOMP),
    "seccomp_flags": lambda: Flags(abi.SECCOMP_FLAGS),
    "keyctl": lambda: Choice(abi.KEYCTL),
    "kexec_file": lambda: Flags(abi.KEXEC_FILE),
    "io_uring_setup": lambda: Flags(abi.IO_URING_SETUP),
    "io_uring_enter": lambda: Flags(abi.IO_URING_ENTER),
    "io_uring_features": lambda: Flags(abi.IO_URING_FEATURES),
    "io_uring_register": lambda: Choice(abi.IO_URING_REGISTER),
}


def _open_order() -> dict[str, int]:
    """Falco's order: O_SYNC before its part O_DSYNC, O_TMPFILE with its O_DIRECTORY before that alone."""
    first = {"O_TMPFILE": abi.OPEN["O_TMPFILE"]}
    last = {"O_CLOEXEC": abi.OPEN["O_CLOEXEC"]}
    return first | {word: bit for word, bit in abi.OPEN.items() if word not in (*first, *last)} | last


@cache
def table(name: str) -> Words:
    """The table of a kind's `words`; KeyError for a name that is none."""
    return _TABLES[name]()


def has_table(name: str | None) -> bool:
    return name in _TABLES

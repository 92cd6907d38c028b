"""System calls as audit records them: which of a0..a3 is which parameter, and which descriptor and paths a call works on.

A SYSCALL record holds the first four arguments as numbers; strings behind pointers come in records of their own. The table
names, for each event type, the parameters (of `ruleng.fields.params`) that are numbers, with the argument's position. What
is a descriptor, a directory's descriptor or a path is known from the parameter's kind. Flags and modes of opens stand for
themselves in an Event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from ruleng.fields import params
from ruleng.fields.params import Slot
from ruleng.fields.types import FieldType
from ruleng.normalise.audit.arguments import Numbers

RESULT = -1
"""The position of a descriptor that the call returns."""

_TABLE = """
openat            dirfd=0
openat2           dirfd=0
open_by_handle_at mountfd=0
close             fd=0
close_range       first=0 last=1 flags=2
read              fd=0 size=2
pread             fd=0 size=2 pos=3
readv             fd=0
preadv            fd=0 pos=3
recv              fd=0 size=2
recvfrom          fd=0 size=2
recvmsg           fd=0
recvmmsg          fd=0
write             fd=0 size=2
pwrite            fd=0 size=2 pos=3
writev            fd=0
pwritev           fd=0 pos=3
send              fd=0 size=2
sendto            fd=0 size=2
sendmsg           fd=0
sendmmsg          fd=0
sendfile          out_fd=0 in_fd=1 size=3
splice            fd_in=0 fd_out=2
copy_file_range   fdin=0 fdout=2
ioctl             fd=0 request=1 argument=2
fcntl             fd=0 cmd=1 arg=2
dup               oldfd=0
dup2              oldfd=0 newfd=1
dup3              oldfd=0 newfd=1 flags=2
lseek             fd=0 offset=1 whence=2
llseek            fd=0
fstat             fd=0
fstat64           fd=0
newfstatat        dirfd=0 flags=3
statx             dirfd=0 flags=2
access            mode=1
faccessat         dirfd=0 mode=2
faccessat2        dirfd=0 mode=2 flags=3
readlinkat        dirfd=0
fchdir            fd=0
mkdir             mode=1
mkdirat           dirfd=0 mode=2
unlinkat          dirfd=0 flags=2
renameat          olddirfd=0 newdirfd=2
renameat2         olddirfd=0 newdirfd=2
linkat            olddir=0 newdir=2
symlinkat         linkdirfd=1
chmod             mode=1
fchmod            fd=0 mode=1
fchmodat          dirfd=0 mode=2
fchmodat2         dirfd=0 mode=2 flags=3
chown             uid=1 gid=2
lchown            uid=1 gid=2
fchown            fd=0 uid=1 gid=2
fchownat          dirfd=0 uid=2 gid=3
mknod             mode=1 dev=2
mknodat           dirfd=0 mode=2 dev=3
truncate          length=1
ftruncate         fd=0 length=1
setxattr          size=3
lsetxattr         size=3
fsetxattr         fd=0 size=3
fremovexattr      fd=0
futimesat         dirfd=0
utimensat         dirfd=0 flags=3
flock             fd=0 operation=1
getdents          fd=0
getdents64        fd=0
mount             flags=3
umount2           flags=1
move_mount        from_dirfd=0 to_dirfd=2
open_tree         dirfd=0 flags=2
fsopen            flags=1
fspick            dirfd=0 flags=2
fsmount           fs_fd=0 flags=1 attr_flags=2
fsconfig          fd=0 cmd=1
mount_setattr     dirfd=0 flags=2
name_to_handle_at dirfd=0
swapon            flags=1
fanotify_init     flags=0 event_f_flags=1
fanotify_mark     fd=0 flags=1 mask=2 dirfd=3
inotify_init1     flags=0
inotify_add_watch fd=0 mask=2
userfaultfd       flags=0
socket            domain=0 type=1 proto=2
socketpair        domain=0 type=1 proto=2
bind              fd=0
connect           fd=0
listen            fd=0 backlog=1
accept4           flags=3
shutdown          fd=0 how=1
setsockopt        fd=0 level=1 optname=2
getsockopt        fd=0 level=1 optname=2
pipe2             flags=1
eventfd           initval=0
eventfd2          initval=0 flags=1
futex             addr=0 op=1 val=2
signalfd          fd=0
signalfd4         fd=0 flags=3
kill              pid=0 sig=1
tkill             tid=0 sig=1
tgkill            pid=0 tid=1 sig=2
rt_sigqueueinfo   pid=0 sig=1
rt_tgsigqueueinfo pid=0 tid=1 sig=2
pidfd_send_signal fd=0 sig=1 flags=3
timerfd_create    clockid=0 flags=1
epoll_create      size=0
epoll_create1     flags=0
epoll_wait        maxevents=2
epoll_pwait       maxevents=2
poll              timeout=2
execveat          dirfd=0
clone             flags=0
exit              status=0
exit_group        status=0
setns             fd=0 nstype=1
unshare           flags=0
setpgid           pid=0 pgid=1
prctl             option=0 arg2_int=1
ptrace            request=0 pid=1 addr=2 data=3
process_vm_readv  pid=0
process_vm_writev pid=0
pidfd_open        pid=0 flags=1
pidfd_getfd       pid_fd=0 target_fd=1 flags=2
getrlimit         resource=0
setrlimit         resource=0
prlimit           pid=0 resource=1
semop             semid=0 nsops=2
semctl            semid=0 semnum=1 cmd=2 val=3
semget            key=0 nsems=1 semflg=2
setuid            uid=0
setgid            gid=0
setreuid          ruid=0 euid=1
setregid          rgid=0 egid=1
setresuid         ruid=0 euid=1 suid=2
setresgid         rgid=0 egid=1 sgid=2
setfsuid          uid=0
setfsgid          gid=0
quotactl          id=2
brk               addr=0
mmap              addr=0 length=1 prot=2 flags=3
mmap2             addr=0 length=1 prot=2 flags=3
munmap            addr=0 length=1
mprotect          addr=0 length=1 prot=2
pkey_mprotect     addr=0 length=1 prot=2 pkey=3
mlock             addr=0 len=1
munlock           addr=0 len=1
mlockall          flags=0
mlock2            addr=0 len=1 flags=2
memfd_create      flags=1
memfd_secret      flags=0
init_module       length=1
finit_module      fd=0 flags=2
delete_module     flags=1
bpf               cmd=0
seccomp           op=0 flags=1
perf_event_open   pid=1 cpu=2 group_fd=3
keyctl            option=0
kexec_load        entry=0 nr_segments=1 flags=3
kexec_file_load   kernel_fd=0 initrd_fd=1
reboot            magic1=0 magic2=1 cmd=2
clock_settime     clockid=0
clock_adjtime     clockid=0
personality       persona=0
iopl              level=0
ioperm            from=0 num=1 turn_on=2
io_uring_setup    entries=0
io_uring_enter    fd=0 to_submit=1 min_complete=2 flags=3
io_uring_register fd=0 opcode=1 arg=2 nr_args=3
landlock_restrict_self fd=0 flags=1
"""

STATE = frozenset(
    {"execve", "execveat", "fork", "vfork", "clone", "clone3", "exit_group", "chdir", "fchdir", "setns", "unshare", "capset"}
)
"""Calls that change what is known of a process and that no other record tells: never skipped. (setuid and its kin show in
the next record of the process.)"""

_OPENS = frozenset({"open", "openat", "openat2", "creat", "open_by_handle_at"})
_SOCKETS = frozenset({"socket", "connect", "bind", "accept", "accept4", "sendto", "dup", "dup2", "dup3"})
_COPIES = frozenset({"dup", "dup2", "dup3"})
_SOCKET_USERS = frozenset(
    {"bind", "connect", "listen", "accept", "accept4", "sendto", "send", "sendmsg", "recvfrom", "recvmsg", "shutdown"}
)


def supporting(event_types: Iterable[str]) -> frozenset[str]:
    """The system calls that must be in the stream so that events of these types are complete, those of the state included.

    A connect is told apart from a datagram by the socket call before it, an accept has the address of a bind. For the kernel
    rules of a live source; names are event types.
    """
    wanted = frozenset(event_types)
    found = set(wanted | STATE)
    if wanted & _SOCKET_USERS:
        found.add("socket")
    if wanted & {"listen", "accept", "accept4"}:
        found.add("bind")
    if wanted & _COPIES:
        found |= {"socket", "connect", "accept", "accept4"}
    return frozenset(found)


def remembered(event_types: Iterable[str] | None) -> frozenset[str]:
    """The calls whose descriptors must be remembered so that events of these types (None: all) can say what they work on."""
    if event_types is None:
        return _OPENS | _SOCKETS
    wanted = frozenset(event_types)
    found: set[str] = set()
    if wanted & (_SOCKET_USERS | _COPIES):
        found |= _SOCKETS
    for name in wanted - _SOCKET_USERS:
        known = call(name)
        if (known.fd is not None and known.fd != RESULT) or any(directory is not None for _, directory in known.paths):
            return frozenset(found | _OPENS)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Call:
    """A system call; positions are those of a0..a3."""

    name: str
    numbers: Numbers
    fd: int | None  # position of the descriptor that it works on, RESULT when it returns it
    paths: tuple[tuple[Slot, int | None], ...]  # (which path, position of the directory's descriptor)
    directory: int | None  # of the first path


@cache
def call(name: str) -> Call:
    """The call behind an event type."""
    positions = {key: int(value) for key, _, value in (pair.partition("=") for pair in _rows().get(name, ()))}
    numbers: list[tuple[str, int, bool, int]] = []
    paths: list[tuple[Slot, int | None]] = []
    fd: int | None = None
    directory: int | None = None
    for param in params.event_type(name).params:
        position = positions.get(param.name)
        kind = param.kind
        match kind.role:
            case "newfd":
                fd = RESULT
            case "fd":
                fd = position if position is not None else fd
            case "path" if kind.slot is not None and kind.slot not in [slot for slot, _ in paths]:
                paths.append((kind.slot, directory))
                directory = None
            case "number" | "otherfd" if position is not None:
                signed = kind.type is FieldType.INT64
                mask = 0xFFFFFFFF if kind.type in (FieldType.UINT32, FieldType.UINT8) else 0xFFFFFFFFFFFFFFFF
                numbers.append((param.name, position, signed, mask))
                if kind.words == "dirfd":
                    directory = position
            case _:
                pass
    if name.startswith("symlink"):
        paths.append(("target", None))
    if name in ("execve", "execveat", "chdir"):
        paths = [("name", directory)]
    return Call(name, tuple(numbers), fd, tuple(paths), paths[0][1] if paths else None)


@cache
def _rows() -> dict[str, list[str]]:
    return {name: pairs for name, *pairs in (line.split() for line in _TABLE.strip().splitlines())}


_O_DIFFERENT = 0o40000 | 0o100000 | 0o200000 | 0o400000


def x86_open_flags(flags: int) -> int:
    """O_* of arm64 as x86 numbers them: O_DIRECTORY, O_NOFOLLOW, O_DIRECT and O_LARGEFILE differ (asm/fcntl.h of both)."""
    return (flags & ~_O_DIFFERENT) | (flags & 0o140000) << 2 | (flags & 0o600000) >> 2


def is_open(name: str) -> bool:
    """Whether the call opens a file by its name or handle."""
    return name in _OPENS

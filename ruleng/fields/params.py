"""Event types: the class of each, and its parameters in order, typed, under Falco's names.

`Event.args` holds parameters under these names. What an event holds elsewhere is not repeated there: the result, the number
of the descriptor (`Event.fd_num`) and, where a source resolves them, paths (`Event.paths`); a parameter's kind says which.
Numbers stay numbers: flags, modes and enumerations in the values of x86_64's ABI, user ids unsigned, -1 for no descriptor.

Order and names are those of Falco's event table: what the call returned, then its arguments. Events that only audit has
(user_login, avc) are in `ruleng.abi.audit`; their parameters are texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

import msgspec

from ruleng.abi import audit
from ruleng.abi.syscalls import EVENT_NAMES, UNIMPLEMENTED
from ruleng.fields.types import FieldType as T

Role = Literal["result", "newfd", "fd", "otherfd", "path", "number", "text", "bytes", "texts"]
"""What a parameter stands for, and where its value is when `Event.args` lacks it.

result: Event.result. newfd: a descriptor that the call returned, Event.result too. fd: the descriptor that the call works
on, Event.fd_num. otherfd: another descriptor. path: a path, in Event.paths under `slot` when absolute. number, text, bytes,
texts (a tuple): in Event.args only.
"""

Slot = Literal["name", "source", "target"]


class Kind(msgspec.Struct, frozen=True):
    """How a parameter's value is stored, and how it is put into words."""

    type: T  # of evt.rawarg
    role: Role = "number"
    words: str | None = None  # a table of ruleng.fields.words
    slot: Slot | None = None


class Param(msgspec.Struct, frozen=True):
    name: str
    kind: Kind


class EventType(msgspec.Struct, frozen=True):
    name: str
    category: str
    params: tuple[Param, ...]

    def get(self, name: str) -> Param | None:
        return next((param for param in self.params if param.name == name), None)


KINDS: dict[str, Kind] = {
    # results
    "res": Kind(T.INT64, "result"),
    "newfd": Kind(T.INT64, "newfd"),
    "respid": Kind(T.INT64, "result", "pid"),
    "reshex": Kind(T.INT64, "result", "hex"),
    "resuid": Kind(T.UINT32, "result", "uid"),
    "resgid": Kind(T.UINT32, "result", "gid"),
    # descriptors and paths
    "fd": Kind(T.INT64, "fd"),
    "otherfd": Kind(T.INT64, "otherfd"),
    "dirfd": Kind(T.INT64, "otherfd", "dirfd"),
    "path": Kind(T.PATH, "path", slot="name"),
    "source": Kind(T.PATH, "path", slot="source"),
    "target": Kind(T.PATH, "path", slot="target"),
    # numbers
    "int": Kind(T.INT64),
    "uint": Kind(T.UINT64),
    "hex": Kind(T.UINT64, words="hex"),
    "octal": Kind(T.UINT32, words="octal"),
    "pid": Kind(T.INT64, words="pid"),
    "uid": Kind(T.UINT32, words="uid"),
    "gid": Kind(T.UINT32, words="gid"),
    "error": Kind(T.INT64, words="error"),
    "signal": Kind(T.UINT8, words="signal"),
    "capabilities": Kind(T.UINT64, words="capabilities"),
    "ns": Kind(T.RELTIME),
    "time": Kind(T.ABSTIME),
    # others
    "text": Kind(T.STRING, "text"),
    "bytes": Kind(T.BYTES, "bytes"),
    "texts": Kind(T.BYTES, "texts"),
}
"""Kinds by name. Any other name in the tables below is that of a table of words for a number."""

_EXEC = (
    "res:res exe:text args:texts tid:pid pid:pid ptid:pid cwd:text fdlimit:uint pgft_maj:uint pgft_min:uint vm_size:uint "
    "vm_rss:uint vm_swap:uint comm:text cgroups:texts env:texts tty:uint pgid:pid loginuid:uid flags:exec "
    "cap_inheritable:capabilities cap_permitted:capabilities cap_effective:capabilities exe_ino:uint exe_ino_ctime:time "
    "exe_ino_mtime:time uid:uid trusted_exepath:path"
)
_FORK = (
    "res:respid exe:text args:texts tid:pid pid:pid ptid:pid cwd:text fdlimit:int pgft_maj:uint pgft_min:uint vm_size:uint "
    "vm_rss:uint vm_swap:uint comm:text cgroups:texts flags:clone uid:uid gid:gid vtid:pid vpid:pid "
    "pidns_init_start_ts:uint"
)
_ACCEPT = "fd:newfd tuple:text queuepct:uint queuelen:uint queuemax:uint"
_SEND = "res:res data:bytes fd:fd size:uint tuple:text"
_MEMORY = "vm_size:uint vm_rss:uint vm_swap:uint"
_SOCKOPT = "res:res fd:fd level:sockopt_level optname:sockopt val:int optlen:uint"

_TABLE = f"""
open            file    fd:newfd name:path flags:open mode:octal dev:hex ino:uint
openat          file    fd:newfd dirfd:dirfd name:path flags:open mode:octal dev:hex ino:uint
openat2         file    fd:newfd dirfd:dirfd name:path flags:open mode:octal resolve:resolve dev:hex ino:uint
open_by_handle_at file  fd:newfd mountfd:dirfd flags:open path:path dev:hex ino:uint
creat           file    fd:newfd name:path mode:octal dev:hex ino:uint creat_flags:creat
close           io      res:res fd:fd
close_range     io      res:res first:uint last:uint flags:close_range
read            read    res:res data:bytes fd:fd size:uint
pread           read    res:res data:bytes fd:fd size:uint pos:uint
readv           read    res:res size:uint data:bytes fd:fd
preadv          read    res:res size:uint data:bytes fd:fd pos:uint
recv            read    res:res data:bytes fd:fd size:uint tuple:text
recvfrom        read    res:res data:bytes tuple:text fd:fd size:uint
recvmsg         read    res:res size:uint data:bytes tuple:text msgcontrol:bytes fd:fd
recvmmsg        read    res:res fd:fd data:bytes size:uint tuple:text msgcontrol:bytes
write           write   res:res data:bytes fd:fd size:uint
pwrite          write   res:res data:bytes fd:fd size:uint pos:uint
writev          write   res:res data:bytes fd:fd size:uint
pwritev         write   res:res data:bytes fd:fd size:uint pos:uint
send            write   {_SEND}
sendto          write   {_SEND}
sendmsg         write   {_SEND}
sendmmsg        write   res:res fd:fd size:uint data:bytes tuple:text
sendfile        write   res:res offset:uint out_fd:fd in_fd:otherfd size:uint
splice          io      res:res fd_in:fd fd_out:otherfd size:uint flags:splice
copy_file_range file    res:res fdout:otherfd offout:uint fdin:fd offin:uint len:uint
ioctl           io      res:res fd:fd request:hex argument:hex
fcntl           io      res:res fd:fd cmd:fcntl arg:int
dup             io      res:newfd oldfd:otherfd fd:fd
dup2            io      res:newfd oldfd:otherfd newfd:otherfd fd:fd
dup3            io      res:newfd oldfd:otherfd newfd:otherfd flags:fd_flags fd:fd
lseek           file    res:res fd:fd offset:uint whence:whence
llseek          file    res:res fd:fd offset:uint whence:whence
stat            file    res:res path:path
lstat           file    res:res path:path
stat64          file    res:res path:path
lstat64         file    res:res path:path
fstat           file    res:res fd:fd
fstat64         file    res:res fd:fd
newfstatat      file    res:res dirfd:dirfd path:path flags:at
statx           file    res:res dirfd:dirfd path:path flags:at
access          file    res:res name:path mode:access
faccessat       file    res:res dirfd:dirfd name:path mode:access
faccessat2      file    res:res dirfd:dirfd name:path mode:access flags:at
readlink        file    res:res path:path
readlinkat      file    res:res dirfd:dirfd path:path
getcwd          file    res:res path:text
chdir           file    res:res path:text
fchdir          file    res:res fd:fd
mkdir           file    res:res path:path mode:octal
mkdirat         file    res:res dirfd:dirfd path:path mode:octal
rmdir           file    res:res path:path
unlink          file    res:res path:path
unlinkat        file    res:res dirfd:dirfd name:path flags:at
rename          file    res:res oldpath:source newpath:target
renameat        file    res:res olddirfd:dirfd oldpath:source newdirfd:dirfd newpath:target
renameat2       file    res:res olddirfd:dirfd oldpath:source newdirfd:dirfd newpath:target flags:rename
link            file    res:res oldpath:target newpath:source
linkat          file    res:res olddir:dirfd oldpath:target newdir:dirfd newpath:source flags:at
symlink         file    res:res target:text linkpath:source
symlinkat       file    res:res target:text linkdirfd:dirfd linkpath:source
chmod           file    res:res filename:path mode:mode
fchmod          file    res:res fd:fd mode:mode
fchmodat        file    res:res dirfd:dirfd filename:path mode:mode
fchmodat2       file    res:res dirfd:dirfd filename:path mode:mode flags:at
chown           file    res:res path:path uid:uid gid:gid
lchown          file    res:res path:path uid:uid gid:gid
fchown          file    res:res fd:fd uid:uid gid:gid
fchownat        file    res:res dirfd:dirfd pathname:path uid:uid gid:gid flags:at
mknod           other   res:res path:path mode:mknod dev:uint
mknodat         other   res:res dirfd:dirfd path:path mode:mknod dev:uint
truncate        file    res:res path:path length:uint
ftruncate       file    res:res fd:fd length:uint
setxattr        file    res:res path:path name:text value:bytes size:uint flags:hex
lsetxattr       file    res:res path:path name:text value:bytes size:uint flags:hex
fsetxattr       file    res:res fd:fd name:text value:bytes size:uint flags:hex
removexattr     file    res:res path:path name:text
lremovexattr    file    res:res path:path name:text
fremovexattr    file    res:res fd:fd name:text
utime           file    res:res path:path
utimes          file    res:res path:path
futimesat       file    res:res dirfd:dirfd path:path
utimensat       file    res:res dirfd:dirfd path:path flags:at
flock           file    res:res fd:fd operation:flock
getdents        file    res:res fd:fd
getdents64      file    res:res fd:fd
mount           file    res:res dev:source dir:target type:text flags:mount
umount          file    res:res name:path
umount2         file    res:res name:path flags:umount
pivot_root      file    res:res new_root:source put_old:target
move_mount      file    res:res from_dirfd:dirfd from_path:source to_dirfd:dirfd to_path:target flags:move_mount
open_tree       file    fd:newfd dirfd:dirfd path:path flags:open_tree
fsopen          file    fd:newfd fsname:text flags:fsopen
fspick          file    fd:newfd dirfd:dirfd path:path flags:hex
fsmount         file    fd:newfd fs_fd:otherfd flags:fsmount attr_flags:hex
fsconfig        system  res:res fd:fd cmd:fsconfig key:text value_bytebuf:bytes value_charbuf:text aux:int
mount_setattr   file    res:res dirfd:dirfd path:path flags:at
name_to_handle_at file  res:res dirfd:dirfd path:path flags:at
acct            file    res:res name:path
swapon          system  res:res path:path flags:hex
swapoff         system  res:res path:path
fanotify_init   file    fd:newfd flags:hex event_f_flags:open
fanotify_mark   file    res:res fd:fd flags:hex mask:hex dirfd:dirfd path:path
inotify_init    IPC     res:newfd flags:fd_flags
inotify_init1   IPC     res:newfd flags:fd_flags
inotify_add_watch IPC   res:res fd:fd path:path mask:hex
userfaultfd     file    res:newfd flags:userfaultfd
socket          net     fd:newfd domain:domain type:uint proto:uint flags:fd_flags
socketpair      IPC     res:res fd1:otherfd fd2:otherfd source:hex peer:hex domain:domain type:uint proto:uint flags:fd_flags
bind            net     res:res addr:text fd:fd
connect         net     res:res tuple:text fd:fd addr:text
listen          net     res:res fd:fd backlog:int
accept          net     {_ACCEPT}
accept4         net     {_ACCEPT} flags:fd_flags
shutdown        net     res:res fd:fd how:shutdown
getsockname     net
getpeername     net
setsockopt      net     {_SOCKOPT}
getsockopt      net     {_SOCKOPT}
pipe            IPC     res:res fd1:otherfd fd2:otherfd ino:uint
pipe2           IPC     res:res fd1:otherfd fd2:otherfd ino:uint flags:fd_flags
eventfd         IPC     res:newfd initval:uint flags:hex
eventfd2        IPC     res:newfd flags:fd_flags initval:uint
futex           IPC     res:res addr:hex op:futex val:uint
signalfd        signal  res:newfd fd:fd mask:hex flags:hex
signalfd4       signal  res:newfd flags:fd_flags fd:fd mask:hex
kill            signal  res:res pid:pid sig:signal
tkill           signal  res:res tid:pid sig:signal
tgkill          signal  res:res pid:pid tid:pid sig:signal
rt_sigqueueinfo signal  res:res pid:pid sig:signal
rt_tgsigqueueinfo signal res:res pid:pid tid:pid sig:signal
pidfd_send_signal signal res:res fd:fd sig:signal flags:hex
signaldeliver   signal  spid:pid dpid:pid sig:signal
signal_generate signal  sig:signal
signal_deliver  signal  sig:signal
timerfd_create  time    res:newfd clockid:uint flags:fd_flags
epoll_create    wait    res:newfd size:int
epoll_create1   wait    res:newfd flags:epoll
epoll_wait      wait    res:res maxevents:int
epoll_pwait     wait    res:res maxevents:int
poll            wait    res:res fds:text timeout:int
ppoll           wait    res:res fds:text timeout:ns sigmask:text
select          wait    res:res
nanosleep       sleep   res:res interval:ns
execve          process {_EXEC} filename:path
execveat        process {_EXEC} dirfd:dirfd pathname:path
clone           process {_FORK}
clone3          process {_FORK}
fork            process {_FORK}
vfork           process {_FORK}
procexit        process status:error ret:error sig:signal core:uint reaper_tid:pid
exit            process status:int
exit_group      process status:int
setns           process res:res fd:fd nstype:clone
unshare         process res:res flags:clone
chroot          process res:res path:path
setsid          process res:respid
setpgid         process res:respid pid:pid pgid:pid
capset          process res:res cap_inheritable:capabilities cap_permitted:capabilities cap_effective:capabilities
prctl           process res:res option:prctl arg2_str:text arg2_int:int
ptrace          process res:res addr:hex data:hex request:ptrace pid:pid
process_vm_readv process res:res pid:pid data:bytes
process_vm_writev process res:res pid:pid data:bytes
pidfd_open      process fd:newfd pid:pid flags:hex
pidfd_getfd     process fd:newfd pid_fd:otherfd target_fd:otherfd flags:hex
getrlimit       process res:res cur:int max:int resource:rlimit
setrlimit       process res:res cur:int max:int resource:rlimit
prlimit         process res:res newcur:int newmax:int oldcur:int oldmax:int pid:pid resource:rlimit
semop           process res:res nsops:uint sem_num_0:uint sem_op_0:int sem_flg_0:sem sem_num_1:uint sem_op_1:int sem_flg_1:sem semid:int
semctl          process res:res semid:int semnum:int cmd:semctl val:int
semget          process res:res key:hex nsems:int semflg:semget
setuid          user    res:res uid:uid
setgid          user    res:res gid:gid
setreuid        user    res:res ruid:uid euid:uid
setregid        user    res:res rgid:gid egid:gid
setresuid       user    res:res ruid:uid euid:uid suid:uid
setresgid       user    res:res rgid:gid egid:gid sgid:gid
setfsuid        user    res:resuid uid:uid
setfsgid        user    res:resgid gid:gid
getuid          user    uid:resuid
geteuid         user    euid:resuid
getgid          user    gid:resgid
getegid         user    egid:resgid
getresuid       user    res:res ruid:uid euid:uid suid:uid
getresgid       user    res:res rgid:gid egid:gid sgid:gid
quotactl        user    res:res special:text quotafilepath:text cmd:quota type:uint id:uint
brk             memory  res:reshex {_MEMORY} addr:hex
mmap            memory  res:res {_MEMORY} addr:hex length:uint prot:prot flags:mmap fd:fd offset:uint
mmap2           memory  res:res {_MEMORY} addr:hex length:uint prot:prot flags:mmap fd:fd pgoffset:uint
munmap          memory  res:res {_MEMORY} addr:hex length:uint
mprotect        memory  res:res addr:hex length:uint prot:prot
pkey_mprotect   memory  res:res addr:hex length:uint prot:prot pkey:int
mlock           memory  res:res addr:hex len:uint
munlock         memory  res:res addr:hex len:uint
mlockall        memory  res:res flags:mlockall
munlockall      memory  res:res
mlock2          memory  res:res addr:hex len:uint flags:mlock2
memfd_create    memory  fd:newfd name:text flags:memfd
memfd_secret    memory  fd:newfd flags:fd_flags
init_module     other   res:res img:bytes length:uint uargs:text
finit_module    other   res:res fd:fd uargs:text flags:module
delete_module   other   res:res name:text flags:fd_flags
bpf             other   fd:newfd cmd:bpf
seccomp         other   res:res op:seccomp flags:seccomp_flags
perf_event_open other   fd:newfd type:uint config:hex pid:pid cpu:int group_fd:otherfd flags:hex
keyctl          other   res:res option:keyctl
add_key         other   res:res type:text description:text
request_key     other   res:res type:text description:text
kexec_load      system  res:res entry:hex nr_segments:uint flags:hex
kexec_file_load system  res:res kernel_fd:fd initrd_fd:otherfd cmdline:text flags:kexec_file
reboot          system  res:res magic1:hex magic2:hex cmd:hex
sethostname     system  res:res name:text
setdomainname   system  res:res name:text
settimeofday    time    res:res
clock_settime   time    res:res clockid:uint
adjtimex        time    res:res
clock_adjtime   time    res:res clockid:uint
personality     process res:res persona:hex
iopl            system  res:res level:uint
ioperm          system  res:res from:uint num:uint turn_on:uint
io_uring_setup  io      res:newfd entries:uint sq_entries:uint cq_entries:uint flags:io_uring_setup sq_thread_cpu:uint sq_thread_idle:uint features:io_uring_features
io_uring_enter  io      res:res fd:fd to_submit:uint min_complete:uint flags:io_uring_enter sig:text
io_uring_register io    res:res fd:fd opcode:io_uring_register arg:hex nr_args:uint
landlock_restrict_self process res:res fd:fd flags:hex
switch          scheduler next:pid pgft_maj:uint pgft_min:uint {_MEMORY}
page_fault      other   addr:hex ip:hex error:hex
drop            internal ratio:uint
procinfo        internal cpu_usr:uint cpu_sys:uint
scapevent       internal event_type:uint event_data:uint
cpu_hotplug     system  cpu:uint action:uint
notification    other   id:text desc:text
infra           internal source:text name:text description:text scope:text
container       process json:text
k8s             internal json:text
mesos           internal json:text
tracer          other   id:int tags:texts args:texts
pluginevent     other   plugin_id:uint event_data:bytes
asyncevent      other   plugin_id:uint name:text data:bytes
useradded       process uid:uid gid:gid name:text home:text shell:text container_id:text
userdeleted     process uid:uid gid:gid name:text home:text shell:text container_id:text
groupadded      process gid:gid name:text container_id:text
groupdeleted    process gid:gid name:text container_id:text
ruleng.lost     internal count:uint where:text reason:text source:text sample:text types:texts first:time last:time
"""  # noqa: E501 (a table)
"""Name, category, parameters. The categories io, read and write show as the class of what the descriptor stands for."""

_OTHERS = """
NA _newselect _sysctl alarm arch_prctl bdflush cachestat capget clock_getres clock_gettime clock_nanosleep create_module
epoll_ctl epoll_ctl_old epoll_pwait2 epoll_wait_old fadvise64 fallocate fdatasync fgetxattr file_getattr file_setattr flistxattr
fstatat64 fstatfs fstatfs64 fsync futex_requeue futex_wait futex_waitv futex_wake get_kernel_syms get_mempolicy get_robust_list
get_thread_area getcpu getgroups getitimer getpgid getpgrp getpid getpmsg getppid getpriority getrandom getrusage getsid gettid
gettimeofday getxattr getxattrat idle inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit
ioprio_get ioprio_set ipc kcmp landlock_add_rule landlock_create_ruleset lgetxattr listmount listns listxattr listxattrat
llistxattr lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr madvise map_shadow_stack mbind membarrier
migrate_pages mincore modify_ldt move_pages mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap mseal
msgctl msgget msgrcv msgsnd msync multiplexer nfsservctl nice oldfstat oldlstat oldolduname oldstat olduname open_tree_attr
pause pciconfig_iobase pciconfig_read pciconfig_write pkey_alloc pkey_free preadv2 process_madvise process_mrelease pselect6
pwritev2 query_module quotactl_fd readahead readdir remap_file_pages removexattrat restart_syscall riscv_flush_icache
riscv_hwprobe rseq rseq_slice_yield rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait rtas
s390_guarded_storage s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr s390_sthyi sched_get_priority_max
sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity
sched_setattr sched_setparam sched_setscheduler sched_yield semtimedop set_mempolicy set_mempolicy_home_node set_robust_list
set_thread_area set_tid_address setgroups setitimer setpriority setxattrat sgetmask shmat shmctl shmdt shmget sigaction
sigaltstack signal sigpending sigprocmask sigreturn sigsuspend socketcall spu_create spu_run ssetmask statfs statfs64 statmount
stime subpage_prot swapcontext switch_endian sync sync_file_range sync_file_range2 syncfs sys_debug_setcontext sysfs sysinfo
syslog task task_file_anon_inode task_file_directory task_file_memfd task_file_pipe task_file_regular task_file_socket_inet
task_file_socket_inet6 task_file_socket_netlink task_file_socket_unix tee time timer_create timer_delete timer_getoverrun
timer_gettime timer_settime timerfd timerfd_gettime timerfd_settime times umask uname uprobe uretprobe uselib ustat vhangup vm86
vmsplice wait4 waitid waitpid
"""
"""Types that carry no parameters: Falco's names that the table above lacks."""

NOT_SYSCALLS = frozenset(
    {
        "NA", "asyncevent", "container", "cpu_hotplug", "drop", "groupadded", "groupdeleted", "infra", "k8s", "mesos",
        "notification", "page_fault", "pluginevent", "procexit", "procinfo", "ruleng.lost", "scapevent", "signal_deliver",
        "signal_generate", "signaldeliver", "switch", "task", "task_file_anon_inode", "task_file_directory", "task_file_memfd",
        "task_file_pipe", "task_file_regular", "task_file_socket_inet", "task_file_socket_inet6", "task_file_socket_netlink",
        "task_file_socket_unix", "tracer", "uprobe", "uretprobe", "useradded", "userdeleted",
    }
).union(audit.EVENTS)  # fmt: skip
"""Event types that are no system call."""


AUDIT_TYPES = frozenset(audit.EVENTS)
"""Events that only audit has; they may carry parameters beyond the listed ones."""

OPENS = frozenset({"open", "openat", "openat2", "open_by_handle_at", "creat"})
"""Events whose flags, O_*, are in Event.open_flags too."""


def _rows() -> dict[str, tuple[str, str]]:
    """(category, parameters as written) by event type."""
    rows = {}
    for line in _TABLE.strip().splitlines():
        name, category, *params = line.split(maxsplit=2)
        rows[name] = (category, params[0] if params else "")
    for name, keys in audit.EVENTS.items():
        rows[name] = ("other", " ".join(f"{key}:text" for key in keys))
    return rows


_ROWS = _rows()
EVENT_TYPES = frozenset((*_ROWS, *_OTHERS.split(), *UNIMPLEMENTED))
"""Every name that evt.type can have."""
CATEGORIES: Mapping[str, str] = {name: category for name, (category, _) in _ROWS.items()}
"""The class of each type in the table; the others are `other`. read, write and io: see `ruleng.fields.read.category`."""


@cache
def event_type(name: str) -> EventType:
    """The parameters of an event type; none for a type that is not in the table."""
    category, params = _ROWS.get(name, ("other", ""))
    pairs = (pair.split(":") for pair in params.split())
    return EventType(name, category, tuple(Param(parameter, _kind(kind)) for parameter, kind in pairs))


@cache
def _kind(name: str) -> Kind:
    """A kind of the table, or a number that the word table of that name explains."""
    return KINDS.get(name) or Kind(T.UINT32, words=name)


@cache
def by_name() -> Mapping[str, Mapping[str, Param]]:
    """By parameter name: the event types that have it, and what it is there."""
    found: dict[str, dict[str, Param]] = {}
    for name in _ROWS:
        for param in event_type(name).params:
            found.setdefault(param.name, {})[name] = param
    return found


def require(parameter: str) -> None:
    """Raises ValueError unless some event type has a parameter of that name."""
    if parameter not in by_name() and parameter not in FALCO_ONLY:
        raise ValueError(f"no event has a parameter `{parameter}`")


FALCO_ONLY = frozenset({"res_or_fd", "ID", "nativeID", "queuepct", "tags"})
"""Names that rules for older Falco versions use; no event of today carries them."""


def raw_type(parameter: str) -> T:
    """The type of `evt.rawarg.NAME` for all events that have it: INT64 for numbers of several widths, else that of most events.

    Texts of audit's own events count only when no other event has the parameter.
    """
    types = [param.kind.type for event, param in by_name().get(parameter, {}).items() if event not in AUDIT_TYPES]
    if not types:
        return T.STRING
    if len(set(types)) > 1 and all(type.integer for type in types):
        return T.INT64
    return max(types, key=types.count)


def instant(arg: str) -> str:
    """The argument of evt.around. Raises ValueError."""
    if not (arg.isascii() and arg.isdecimal()):
        raise ValueError("the argument of `evt.around` is a time in nanoseconds since the epoch")
    return "None"


def event_name(syscall: str) -> str:
    """The event type of a system call's name: `pread` of `pread64`, `setuid` of i386's `setuid32`."""
    return EVENT_NAMES.get(syscall, syscall)

"""Writes the tables of this package from the kernel's own headers: `python -m ruleng.abi.generate`.

Needs gcc and linux-libc-dev. In: the headers under /usr/include. Out: names.py, flags.py, ioctls.py and
syscalls/*.py beside this file. Not imported by anything; the tables are committed, so that a run needs no headers.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

HERE = Path(__file__).parent

HEADERS = """
#define _GNU_SOURCE
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/mman.h>
#include <linux/memfd.h>
#include <linux/ptrace.h>
#include <asm/ptrace-abi.h>
#include <linux/bpf.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/capability.h>
#include <linux/module.h>
#include <linux/eventpoll.h>
#include <linux/futex.h>
#include <linux/resource.h>
#include <linux/keyctl.h>
#include <linux/kexec.h>
#include <linux/io_uring.h>
#include <linux/inotify.h>
#include <linux/fanotify.h>
#include <linux/quota.h>
#include <linux/sem.h>
#include <linux/userfaultfd.h>
#include <asm/socket.h>
#include <asm/signal.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <asm/ioctls.h>
#include <linux/serial.h>
#include <linux/fiemap.h>
#include <linux/blktrace_api.h>
#include <linux/blkzoned.h>
#include <linux/sockios.h>
#include <linux/kd.h>
#include <linux/vt.h>
#include <linux/loop.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/nsfs.h>
#include <linux/vfio.h>
#include <linux/usbdevice_fs.h>
#include <scsi/sg.h>
#include <asm/errno.h>
"""
LIBC_HEADERS = """
#define _GNU_SOURCE
#include <stdio.h>
#include <fcntl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/file.h>
#include <sys/stat.h>
"""
"""For what the kernel keeps in headers of its own, as include/linux/socket.h."""
LIBC = (
    "SOCKET_FAMILY",
    "SOCKET_TYPE",
    "SOCKET_FLAGS",
    "SHUTDOWN",
    "WHENCE",
    "MSG",
    "FLOCK",
    "SEM",
    "SEMGET",
    "SEMCTL",
    "SPLICE",
    "SOCKOPT_LEVEL",
)
"""Tables of those."""

TABLES: dict[str, tuple[str, str]] = {
    # name: (what it is and where it is written down, names or a pattern of names)
    "OPEN": (
        "flags of open(2), access mode apart",
        "O_LARGEFILE O_PATH O_NOATIME O_NOFOLLOW O_TMPFILE O_DIRECTORY O_DIRECT O_TRUNC O_SYNC O_NONBLOCK O_EXCL O_DSYNC O_APPEND "
        "O_CREAT O_NOCTTY FASYNC O_CLOEXEC",
    ),
    "ACCESS_MODE": ("the low two bits of the flags of open(2)", "O_RDONLY O_WRONLY O_RDWR"),
    "RESOLVE": ("resolve of struct open_how, openat2(2)", r"RESOLVE_\w+"),
    "MODE": (
        "permission bits, chmod(2)",
        "S_IXOTH S_IWOTH S_IROTH S_IXGRP S_IWGRP S_IRGRP S_IXUSR S_IWUSR S_IRUSR S_ISVTX S_ISGID S_ISUID",
    ),
    "FILE_TYPE": ("file type bits of a mode, inode(7)", "S_IFSOCK S_IFLNK S_IFREG S_IFBLK S_IFDIR S_IFCHR S_IFIFO"),
    "AT": (
        "AT_* flags of the calls with a directory descriptor",
        "AT_SYMLINK_NOFOLLOW AT_REMOVEDIR AT_SYMLINK_FOLLOW AT_NO_AUTOMOUNT AT_EMPTY_PATH AT_STATX_FORCE_SYNC AT_STATX_DONT_SYNC "
        "AT_RECURSIVE",
    ),
    "RENAME": ("flags of renameat2(2)", r"RENAME_\w+"),
    "MOUNT": (
        "flags of mount(2)",
        "MS_RDONLY MS_NOSUID MS_NODEV MS_NOEXEC MS_SYNCHRONOUS MS_REMOUNT MS_MANDLOCK MS_DIRSYNC MS_NOSYMFOLLOW MS_NOATIME "
        "MS_NODIRATIME MS_BIND MS_MOVE MS_REC MS_SILENT MS_POSIXACL MS_UNBINDABLE MS_PRIVATE MS_SLAVE MS_SHARED MS_RELATIME "
        "MS_KERNMOUNT MS_I_VERSION MS_STRICTATIME MS_LAZYTIME",
    ),
    "MOVE_MOUNT": ("flags of move_mount(2)", r"MOVE_MOUNT_(?!_)\w+"),
    "OPEN_TREE": ("flags of open_tree(2)", "OPEN_TREE_CLONE OPEN_TREE_CLOEXEC"),
    "FSMOUNT": ("flags of fsmount(2)", "FSMOUNT_CLOEXEC"),
    "FSOPEN": ("flags of fsopen(2)", "FSOPEN_CLOEXEC"),
    "FSCONFIG": ("commands of fsconfig(2)", r"FSCONFIG_\w+"),
    "CLONE": ("flags of clone(2), unshare(2) and setns(2)", r"CLONE_(?!ARGS)\w+"),
    "PROT": ("protection of mmap(2)", "PROT_READ PROT_WRITE PROT_EXEC PROT_SEM PROT_GROWSDOWN PROT_GROWSUP"),
    "MAP": (
        "flags of mmap(2)",
        "MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANONYMOUS MAP_32BIT MAP_NORESERVE MAP_POPULATE MAP_NONBLOCK MAP_STACK MAP_HUGETLB "
        "MAP_SYNC MAP_FIXED_NOREPLACE MAP_GROWSDOWN MAP_DENYWRITE MAP_EXECUTABLE MAP_LOCKED",
    ),
    "MLOCKALL": ("flags of mlockall(2)", "MCL_CURRENT MCL_FUTURE MCL_ONFAULT"),
    "MLOCK2": ("flags of mlock2(2)", "MLOCK_ONFAULT"),
    "MEMFD": ("flags of memfd_create(2)", "MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB"),
    "PTRACE": ("requests of ptrace(2)", r"PTRACE_(?!O_|EVENT_|PEEKSIGINFO_SHARED|SYSCALL_INFO_|EVENTMSG_)[A-Z_0-9]+"),
    "BPF": (
        "commands of bpf(2)",
        r"BPF_(?:MAP_\w+_ELEM|MAP_\w+_BATCH|MAP_CREATE|MAP_FREEZE|MAP_GET_NEXT_KEY|MAP_GET_NEXT_ID|"
        r"MAP_GET_FD_BY_ID|PROG_LOAD|PROG_ATTACH|PROG_DETACH|PROG_TEST_RUN|PROG_RUN|PROG_GET_NEXT_ID|PROG_GET_FD_BY_ID|PROG_QUERY|"
        r"PROG_BIND_MAP|OBJ_PIN|OBJ_GET|OBJ_GET_INFO_BY_FD|RAW_TRACEPOINT_OPEN|BTF_LOAD|BTF_GET_FD_BY_ID|BTF_GET_NEXT_ID|"
        r"TASK_FD_QUERY|LINK_CREATE|LINK_UPDATE|LINK_GET_FD_BY_ID|LINK_GET_NEXT_ID|LINK_DETACH|ENABLE_STATS|ITER_CREATE)",
    ),
    "PRCTL": (
        "options of prctl(2)",
        r"PR_(?:(?:SET|GET)_(?!MM_|VMA_|PTRACER_ANY)\w+|CAPBSET_\w+|CAP_AMBIENT|TASK_PERF_\w+|MCE_KILL|"
        r"MCE_KILL_GET|PAC_\w+KEYS|SCHED_CORE|S[VM]E_[GS]ET_VL)",
    ),
    "SECCOMP": (
        "operations of seccomp(2)",
        "SECCOMP_SET_MODE_STRICT SECCOMP_SET_MODE_FILTER SECCOMP_GET_ACTION_AVAIL SECCOMP_GET_NOTIF_SIZES",
    ),
    "SECCOMP_FLAGS": ("flags of seccomp(2)", r"SECCOMP_FILTER_FLAG_\w+"),
    "MODULE": ("flags of finit_module(2)", r"MODULE_INIT_\w+"),
    "EPOLL": ("flags of epoll_create1(2)", "EPOLL_CLOEXEC"),
    "FUTEX": (
        "operations of futex(2)",
        "FUTEX_CMP_REQUEUE_PI FUTEX_WAIT_REQUEUE_PI FUTEX_WAKE_BITSET FUTEX_WAIT_BITSET FUTEX_TRYLOCK_PI FUTEX_UNLOCK_PI "
        "FUTEX_LOCK_PI FUTEX_LOCK_PI2 FUTEX_WAKE_OP FUTEX_CMP_REQUEUE FUTEX_REQUEUE FUTEX_FD FUTEX_WAKE FUTEX_WAIT",
    ),
    "FUTEX_FLAGS": ("flags beside the operation of futex(2)", "FUTEX_CLOCK_REALTIME FUTEX_PRIVATE_FLAG"),
    "RLIMIT": ("resources of setrlimit(2)", r"RLIMIT_(?!RTTIME_)\w+"),
    "FCNTL": (
        "commands of fcntl(2)",
        r"F_(?:GETPIPE_SZ|SETPIPE_SZ|NOTIFY|DUPFD_CLOEXEC|CANCELLK|GETLEASE|SETLEASE|GETOWN_EX|"
        r"SETOWN_EX|GETSIG|SETSIG|GETOWN|SETOWN|SETLKW|SETLK|GETLK|SETFL|GETFL|SETFD|GETFD|DUPFD|OFD_GETLK|OFD_SETLK|"
        r"OFD_SETLKW|ADD_SEALS|GET_SEALS|GET_RW_HINT|SET_RW_HINT)",
    ),
    "FLOCK": ("operations of flock(2)", "LOCK_SH LOCK_EX LOCK_NB LOCK_UN"),
    "KEYCTL": ("operations of keyctl(2)", r"KEYCTL_(?!SUPPORTS|CAPS|MOVE_EXCL)\w+"),
    "KEXEC_FILE": ("flags of kexec_file_load(2)", "KEXEC_FILE_UNLOAD KEXEC_FILE_ON_CRASH KEXEC_FILE_NO_INITRAMFS"),
    "IO_URING_SETUP": ("flags of io_uring_setup(2)", r"IORING_SETUP_\w+"),
    "IO_URING_ENTER": ("flags of io_uring_enter(2)", r"IORING_ENTER_\w+"),
    "IO_URING_FEATURES": ("features that io_uring_setup(2) answers", r"IORING_FEAT_\w+"),
    "IO_URING_REGISTER": ("operations of io_uring_register(2)", r"IORING_(?:UN)?REGISTER_(?!LAST|FILES_SKIP|SQE|USE)\w+"),
    "SPLICE": ("flags of splice(2)", "SPLICE_F_MOVE SPLICE_F_NONBLOCK SPLICE_F_MORE SPLICE_F_GIFT"),
    "SEM": ("flags of semop(2)", "IPC_NOWAIT SEM_UNDO"),
    "SEMGET": ("flags of semget(2)", "IPC_EXCL IPC_CREAT"),
    "SEMCTL": (
        "commands of semctl(2)",
        "IPC_STAT IPC_SET IPC_RMID IPC_INFO SEM_INFO SEM_STAT GETALL GETNCNT GETPID GETVAL GETZCNT SETALL SETVAL",
    ),
    "SOCKET_FAMILY": ("address families of socket(2)", r"AF_(?!MAX|FILE)\w+"),
    "SOCKET_TYPE": ("types of socket(2)", "SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET SOCK_DCCP SOCK_PACKET"),
    "SOCKET_FLAGS": ("flags beside the type of socket(2)", "SOCK_NONBLOCK SOCK_CLOEXEC"),
    "SHUTDOWN": ("how of shutdown(2)", "SHUT_RDWR SHUT_WR SHUT_RD"),
    "WHENCE": ("whence of lseek(2)", "SEEK_HOLE SEEK_DATA SEEK_END SEEK_CUR SEEK_SET"),
    "SOCKOPT_LEVEL": ("levels of setsockopt(2)", "SOL_SOCKET SOL_RAW SOL_PACKET SOL_NETLINK SOL_BLUETOOTH"),
    "SOCKOPT": ("options of setsockopt(2) at SOL_SOCKET", r"SO_(?!EE_|\w*_(?:OLD|NEW)$|GET_FILTER)\w+"),
    "MSG": ("flags of send(2) and recv(2)", r"MSG_(?!EXCEPT|STAT|INFO|NOERROR|COPY|PROXY)\w+"),
    "INOTIFY_INIT": ("flags of inotify_init1(2)", "IN_CLOEXEC IN_NONBLOCK"),
    "USERFAULTFD": ("flags of userfaultfd(2)", "UFFD_USER_MODE_ONLY"),
    "QUOTA_COMMANDS": (
        "commands of quotactl(2)",
        r"Q_(?:SYNC|QUOTAON|QUOTAOFF|GETFMT|GETINFO|SETINFO|GETQUOTA|SETQUOTA|GETNEXTQUOTA)",
    ),
    "CAPABILITIES": ("capabilities(7), by bit", r"CAP_(?!LAST_CAP|TO_|VALID)\w+"),
    "SIGNALS": (
        "signal(7); real-time signals are numbered from SIGRTMIN",
        r"SIG(?:HUP|INT|QUIT|ILL|TRAP|ABRT|BUS|FPE|KILL|USR1|"
        r"SEGV|USR2|PIPE|ALRM|TERM|STKFLT|CHLD|CONT|STOP|TSTP|TTIN|TTOU|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|PWR|SYS)",
    ),
    "ERRNO": ("errno(3)", r"E(?!WOULDBLOCK|DEADLOCK$)[A-Z0-9]+"),
    "IOCTL": (
        "commands of ioctl(2) that matter to a defender, or that every program sends",
        r"TC[GS]ETS\w*|TCSB\w+|TCXONC|TCFLSH|TIOC(?!M_|PKT_)[A-Z0-9_]+|FION\w+|FIOCLEX|FIOASYNC|SIOC(?!PROTO|DEV|WAN)\w+|FS_IOC_\w+|FICLONE\w*|"
        r"FIBMAP|FIFREEZE|FITHAW|FITRIM|BLK[A-Z]+|KD[GS]\w+|VT_[A-Z]+|LOOP_[A-Z]\w+|TUN(?:SET|GET)\w+|KVM_(?:CREATE_VM|CREATE_VCPU|RUN|"
        r"GET_API_VERSION|CHECK_EXTENSION|SET_USER_MEMORY_REGION)|NS_GET_\w+|VFIO_(?:GET_API_VERSION|SET_IOMMU|GROUP_\w+_\w+|IOMMU_MAP_DMA)|"
        r"USBDEVFS_[A-Z]+|SG_IO|UFFDIO_[A-Z]+|UFFDIO_API",
    ),
}

FIRST_HEX = 256
"""Larger numbers are masks and magic: people read them in hexadecimal."""
FIRST_IOCTL = 0x100
"""Smaller numbers that the pattern of IOCTL finds are bits and states, not commands."""

MODULES = {"names": ("ERRNO", "SIGNALS", "CAPABILITIES"), "ioctls": ("IOCTL",)}
"""Tables that stand apart because they are needed without the others; the rest is flags.py."""

NEWER_SYSCALLS = """
cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount lsm_get_self_attr
lsm_set_self_attr lsm_list_modules mseal setxattrat getxattrat listxattrat removexattrat open_tree_attr file_getattr
file_setattr listns
"""
"""In order from FIRST_NEWER on; include/uapi/asm-generic/unistd.h of Linux 6.19. Since 424 every architecture has the same."""
FIRST_NEWER = 451

GENERIC = """
#define __ARCH_WANT_RENAMEAT
#define __ARCH_WANT_NEW_STAT
#define __ARCH_WANT_SET_GET_RLIMIT
#define __ARCH_WANT_TIME32_SYSCALLS
#define __ARCH_WANT_SYS_CLONE3
#define __ARCH_WANT_MEMFD_SECRET
#define __BITS_PER_LONG 64
#include <asm-generic/unistd.h>
"""
"""What arch/arm64/include/uapi/asm/unistd.h defines before it includes the generic table."""


def main() -> None:
    words = {name: resolve(pattern, headers(name)) for name, (_, pattern) in TABLES.items()}
    words["IOCTL"] = {word: number for word, number in words["IOCTL"].items() if number >= FIRST_IOCTL}
    for module, names in MODULES.items():
        (HERE / f"{module}.py").write_text(render_numbers({name: words.pop(name) for name in names}))
    (HERE / "flags.py").write_text(render_numbers(words))
    for arch, source in (
        ("x86_64", "#include <asm/unistd_64.h>"),
        ("i386", "#include <asm/unistd_32.h>"),
        ("x32", "#include <asm/unistd_x32.h>"),
        ("aarch64", GENERIC),
    ):
        (HERE / "syscalls" / f"{arch}.py").write_text(render_syscalls(arch, source))


def headers(table: str) -> str:
    if table == "ERRNO":
        return "#include <asm/errno.h>"
    return LIBC_HEADERS if table in LIBC else HEADERS


def resolve(pattern: str, source: str) -> dict[str, int]:
    """Numbers of names given one by one or by a pattern, in the order given or of the numbers."""
    if re.fullmatch(r"[A-Z_0-9 ]+", pattern):
        return evaluate(pattern.split(), source)
    defined = macros(source) | enumerators(source)
    found = evaluate(sorted(name for name in defined if re.fullmatch(pattern, name)), source)
    return dict(sorted(found.items(), key=lambda item: (item[1], item[0])))


def macros(source: str) -> set[str]:
    text = run("gcc", "-E", "-dM", "-x", "c", "-", stdin=source)
    return set(re.findall(r"^#define (\w+) \S", text, re.MULTILINE))


def enumerators(source: str) -> set[str]:
    text = run("gcc", "-E", "-P", "-x", "c", "-", stdin=source)
    bodies = re.findall(r"enum\s*\w*\s*\{(.*?)\}", text, re.DOTALL)
    return {name for body in bodies for name in re.findall(r"(?:^|,)\s*(\w+)", body)}


def evaluate(names: Iterable[str], source: str) -> dict[str, int]:
    """What the compiler makes of each name, as a 64-bit number. Names that are no integer constant are an error of gcc's."""
    prints = "\n".join(f'printf("{name} %lld\\n", (long long)({name}));' for name in names)
    program = f"{source}\nint printf(const char *, ...);\nint main(void) {{\n{prints}\nreturn 0; }}\n"
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder, "numbers")
        run("gcc", "-w", "-x", "c", "-", "-o", str(binary), stdin=program)
        lines = run(str(binary)).splitlines()
    return {name: int(number) for name, number in map(str.split, lines)}


def run(*command: str, stdin: str = "") -> str:
    return subprocess.run(command, input=stdin, stdout=subprocess.PIPE, text=True, check=True).stdout


def render_numbers(words: Mapping[str, Mapping[str, int]]) -> str:
    parts = ['"""Words of the kernel\'s user interface and their numbers, on x86_64. Made by generate.py."""\n']
    for name, table in words.items():
        parts.append(f"{name} = {{  # {TABLES[name][0]}")
        parts += [f'    "{word}": {number if number < FIRST_HEX else hex(number)},' for word, number in table.items()]
        parts.append("}")
    return "\n".join(parts) + "\n"


def render_syscalls(arch: str, source: str) -> str:
    text = run("gcc", "-E", "-dD", "-x", "c", "-", stdin=source)
    found: dict[int, str] = {}
    values: dict[str, str] = dict(re.findall(r"^#define (__NR\w*) (?:\(__X32_SYSCALL_BIT \+ )?(\w+)", text, re.MULTILINE))
    for name, value in values.items():
        number = values.get(value, value)  # __NR_lseek stands for __NR3264_lseek
        if number.isdigit() and (word := re.sub(r"^__NR(?:3264)?_", "", name)) not in ("syscalls", "arch_specific_syscall"):
            found.setdefault(int(number), word)
    found |= {number: name for number, name in enumerate(NEWER_SYSCALLS.split(), FIRST_NEWER) if number not in found}
    lines = [f'    {number}: "{name}",' for number, name in sorted(found.items())]
    head = f'"""System calls of {arch} by number. Made by ../generate.py."""\n\nNAMES = {{\n'
    return head + "\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main()

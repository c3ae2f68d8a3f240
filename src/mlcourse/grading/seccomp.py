"""The system calls that no exercise needs, refused: a seccomp filter, assembled for `bwrap --seccomp`.

What is refused would let a program hold memory that no limit counts, look into other processes, reach the network, or try its luck
with the rarely used parts of the kernel. The program sees "Operation not permitted", as it would without the right to do it.
"""

from __future__ import annotations

import errno
import platform
import struct

# name: (number on x86_64, number on aarch64); None where there is no such call
REFUSED = {
    # memory that belongs to no process, or that is hidden from the system
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195),
    "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180),
    # work that the kernel does on behalf of a process, and faults that a process handles itself
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "userfaultfd": (323, 282),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440),
    # programs inside the kernel, its counters, keys and log
    "bpf": (321, 280), "perf_event_open": (298, 241), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "syslog": (103, 116),
    # file systems and namespaces
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "fanotify_init": (300, 262), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    # the system as a whole
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89),
    "personality": (135, 92), "uselib": (134, None), "modify_ldt": (154, None), "iopl": (172, None), "ioperm": (173, None),
}  # fmt: skip
_CLONE, _CLONE3, _SOCKET = (56, 220), (435, 435), (41, 198)
_NEW_NAMESPACES = 0x7E02_0000  # every CLONE_NEW… flag
_MACHINES = {"x86_64": (0, 0xC000_003E), "aarch64": (1, 0xC000_00B7)}
_X32 = 0x4000_0000
_AF_UNIX = 1

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in what the kernel shows to a filter
_ALLOW, _ERROR = 0x7FFF_0000, 0x0005_0000


def program(machine=None):
    """Return the filter.

    Parameters
    ----------
    machine : str, optional
        The processor as `platform.machine` names it; by default this one.

    Returns
    -------
    bytes
        An array of ``struct sock_filter``; empty for processors whose numbers are not known here.

    Examples
    --------
    >>> len(program("x86_64")) % 8, program("riscv64")
    (0, b'')
    """
    machine = platform.machine() if machine is None else machine
    if machine not in _MACHINES:
        return b""
    column, architecture = _MACHINES[machine]
    numbers = [call[column] for call in REFUSED.values() if call[column] is not None]
    steps = [(_LOAD, _ARCHITECTURE), (_EQUAL, architecture, None, "refuse"), (_LOAD, _NUMBER)]
    if machine == "x86_64":
        steps.append((_AT_LEAST, _X32, "refuse", None))
    steps += [(_EQUAL, number, "refuse", None) for number in numbers]
    steps += [
        (_EQUAL, _CLONE3[column], "unknown", None),  # its flags cannot be seen here; the C library then uses clone
        (_EQUAL, _CLONE[column], "clone", None),
        (_EQUAL, _SOCKET[column], "socket", None),
        (_RETURN, _ALLOW),
        "clone", (_LOAD, _FIRST_ARGUMENT), (_ANY_BIT, _NEW_NAMESPACES, "refuse", "allow"),
        "socket", (_LOAD, _FIRST_ARGUMENT), (_EQUAL, _AF_UNIX, "allow", "refuse"),
        "allow", (_RETURN, _ALLOW),
        "unknown", (_RETURN, _ERROR | errno.ENOSYS),
        "refuse", (_RETURN, _ERROR | errno.EPERM),
    ]  # fmt: skip
    return _assemble(steps)


def _assemble(steps):
    """Turn steps into instructions: (operation, operand), with two labels to go on at where it is a question, None for the next."""
    places, instructions = {}, []
    for step in steps:
        if isinstance(step, str):
            places[step] = len(instructions)
        else:
            instructions.append(step)

    def distance(label, here):
        return 0 if label is None else places[label] - here - 1

    return b"".join(
        struct.pack("HBBI", operation, *(distance(label, here) for label in labels or (None, None)), operand)
        for here, (operation, operand, *labels) in enumerate(instructions)
    )

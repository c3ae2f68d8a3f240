"""Limits that the kernel keeps for a worker and everything it starts: a control group, where the grader may make one.

With version 1 a group is made below the grader's own; with version 2, where a group that has processes cannot have groups below it, beside
its own or further up. It is removed when its worker has ended; what a killed grader left behind is removed by the next one.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_PREFIX = "mlcourse"
_REMOVE_SECONDS = 0.1
_leftover: list[Path] = []


class CgroupError(Exception):
    """No group can be made here; the message says why."""


@dataclass(frozen=True)
class Place:
    """The folders to make groups in, one for each controller; with version 2 they are the same."""

    version: int
    memory: Path
    pids: Path
    cpu: Path


class Group:
    """A control group.

    Parameters
    ----------
    place : Place
    memory : int
        Bytes of all processes together, with their files in memory and what the kernel holds for them.
    processes : int
        How many there may be; threads count.
    """

    def __init__(self, place, memory, processes):
        name = f"{_PREFIX}-{os.getpid()}-{secrets.token_hex(4)}"
        self._version = place.version
        self._memory, self._pids, self._cpu = place.memory / name, place.pids / name, place.cpu / name
        try:
            for folder in self._folders():
                folder.mkdir()
            (self._pids / "pids.max").write_text(str(processes))
            self._limit_memory(memory)
        except OSError:
            self.remove()
            raise

    def _folders(self):
        return {self._memory, self._pids, self._cpu}

    def _limit_memory(self, memory):
        if self._version == 2:
            limit, others = "memory.max", {"memory.swap.max": 0, "memory.oom.group": 1}
        else:
            limit, others = "memory.limit_in_bytes", {"memory.memsw.limit_in_bytes": memory}
        (self._memory / limit).write_text(str(memory))
        for name, value in others.items():
            with contextlib.suppress(OSError):  # not every kernel counts swap
                (self._memory / name).write_text(str(value))

    def add(self, pid):
        """Put a process in; what it starts from now on is in as well."""
        for folder in self._folders():
            (folder / "cgroup.procs").write_text(str(pid))

    def ran_out_of_memory(self):
        """Tell whether the kernel ended a process because all of them together used more than they may."""
        file = "memory.events" if self._version == 2 else "memory.oom_control"
        return _counter(self._memory / file, "oom_kill") > 0

    def seconds(self):
        """CPU time that its processes have used, also those that have ended."""
        if self._version == 2:
            return _counter(self._cpu / "cpu.stat", "usage_usec") / 1e6
        return int((self._cpu / "cpuacct.usage").read_text()) / 1e9

    def remove(self):
        """Wait for the end of its processes, which somebody else must have killed, and remove it; if that takes long, later."""
        _leftover.extend(self._folders())
        _remove_leftover(_REMOVE_SECONDS)


def place():
    """Return where groups can be made, or None."""
    return _place()[0]


def why_no_groups():
    """Return why no group can be made here, or an empty string."""
    return _place()[1]


@functools.cache
def _place():
    own = Path("/proc/self/cgroup")
    try:
        found = _find(ROOT, own.read_text() if own.exists() else "")
        Group(found, 1 << 30, 64).remove()
    except CgroupError as error:
        return None, str(error)
    except OSError as error:
        return None, f"no control group can be made in {found.memory}: {error.strerror}"
    _remove_stale(found)
    atexit.register(_remove_leftover, 1.0)
    return found, ""


def _find(root, memberships):
    """Return the place below `root` for a process whose /proc/self/cgroup reads `memberships`."""
    lines = [line.split(":", 2)[1:] for line in memberships.splitlines()]
    own = {name: path.lstrip("/") for names, path in lines for name in names.split(",")}
    if (root / "cgroup.controllers").exists():
        return _find_version_2(root, own.get("", ""))
    missing = [name for name in ("memory", "pids", "cpuacct") if name not in own or not (root / name).is_dir()]
    if missing:
        raise CgroupError(f"there are no control groups for {', '.join(missing)} in {root}")
    return Place(1, *(root / name / own[name] for name in ("memory", "pids", "cpuacct")))


def _find_version_2(root, own):
    folder = root / own
    for candidate in (folder, *folder.parents):
        if not candidate.is_relative_to(root):
            break
        with contextlib.suppress(OSError):
            shared = (candidate / "cgroup.subtree_control").read_text().split()
            if {"memory", "pids"} <= set(shared) and os.access(candidate / "cgroup.procs", os.W_OK):
                return Place(2, candidate, candidate, candidate)
    raise CgroupError(f"no control group above {folder} that limits memory and processes is ours to write")


def _remove_stale(found):
    """Remove the empty groups of graders that are no longer there."""
    for parent in {found.memory, found.pids, found.cpu}:
        for folder in parent.glob(f"{_PREFIX}-*"):
            grader = folder.name.split("-")[1]
            if grader.isdigit() and not Path(f"/proc/{grader}").exists():
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _remove_leftover(seconds):
    until = time.monotonic() + seconds
    while _leftover:
        for folder in list(_leftover):
            with contextlib.suppress(OSError):
                folder.rmdir()
            if not folder.exists():
                with contextlib.suppress(ValueError):  # another thread was faster
                    _leftover.remove(folder)
        if time.monotonic() >= until:
            return
        if _leftover:
            time.sleep(0.001)


def _counter(file, name):
    pairs = (line.split() for line in file.read_text().splitlines())
    return next((int(value) for key, value in pairs if key == name), 0)

"""A compiled kernel in a process of its own: whatever it does, the notebook lives on."""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import subprocess
import tempfile
import threading
import time
import weakref
from pathlib import Path

import numpy as np

from mlcourse.gpu.errors import KernelError

_MOST_ALIVE = 32
_KEPT_BYTES = 256 << 20
_GRACE = 20  # the limit counts processor time; on a busy machine so many times as much, and a minute, may pass
_alive = []  # workers, the last used at the end
_lock = threading.RLock()


class Worker:
    """The process of one compiled kernel, and the memory that it shares with this one.

    Parameters
    ----------
    path : path-like
        The program.
    """

    def __init__(self, path):
        self.owner = os.getpid()
        self.memory = tempfile.TemporaryFile(dir=_memory_folder())  # noqa: SIM115 (open as long as the process)
        self.output = tempfile.TemporaryFile()  # noqa: SIM115
        weakref.finalize(self, _close, self.memory, self.output)
        self._map = None
        self.ended = None  # its exit code, if it ended itself in the middle of a launch
        receive, send = os.pipe()
        try:
            self.process = subprocess.Popen(
                [path, str(self.memory.fileno()), str(send)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self.output,
                pass_fds=(self.memory.fileno(), send),
                start_new_session=True,
                env={"LC_ALL": "C"},
            )
        except OSError as error:
            os.close(receive)
            raise KernelError(
                f"the compiled kernel cannot be started ({error})\n  hint: is its folder allowed to hold programs?"
            ) from error
        finally:
            os.close(send)
        self.answers = os.fdopen(receive, "rb", buffering=0)
        self._end = weakref.finalize(self, _end, self.process, self.answers)
        self.sizes = [int(word) for word in self.receive(60).split()[1:]]
        self._remember()

    @property
    def alive(self):
        """Whether it can take another launch."""
        return self.owner == os.getpid() and self.process.poll() is None

    def close(self):
        """End the process."""
        self._end()

    def reserve(self, size):
        """Make room in the shared memory.

        Parameters
        ----------
        size : int
            Bytes.

        Returns
        -------
        ndarray of uint8
        """
        if self._map is None or len(self._map) < size:
            self._map = None
            try:
                os.ftruncate(self.memory.fileno(), size)
                self._map = mmap.mmap(self.memory.fileno(), size)
            except (OSError, ValueError) as error:
                raise KernelError(
                    f"there is no room for {size >> 20} MB of arrays in {_memory_folder()} ({error})"
                ) from error
        return np.frombuffer(self._map, np.uint8)

    def release(self):
        """Give back the shared memory if it is large."""
        if self._map is not None and len(self._map) > _KEPT_BYTES:
            self._map = None
            os.ftruncate(self.memory.fileno(), 0)

    def run(self, words, seconds):
        """Send a launch and wait for the answer.

        Parameters
        ----------
        words : list of int
            The launch, as the runtime's ``answer_launch`` reads it.
        seconds : float
            When to give up.

        Returns
        -------
        str or None
            The answer; None if the process ended without one.
        """
        self._remember()
        message = np.array([len(words), *words], np.int64).tobytes()
        try:
            self.process.stdin.write(message)
            self.process.stdin.flush()
            return self.receive(seconds)
        except BrokenPipeError:
            return None
        except BaseException:
            self.close()
            raise

    def receive(self, seconds):
        """Wait for one answer."""
        end = time.monotonic() + 60 + seconds * _GRACE
        head = self._read(end, until=b"\n")
        return None if head is None else (self._read(end, size=int(head)) or b"").decode(errors="replace")

    def printed(self):
        """Return what the kernel has printed since the last call."""
        self.output.seek(0)
        text = self.output.read().decode(errors="replace")
        self.output.seek(0)
        self.output.truncate()
        return text

    def _read(self, end, *, size=None, until=None):
        data = b""
        while (size is None or len(data) < size) and not (until and data.endswith(until)):
            ready, _, _ = select.select([self.answers], [], [], max(end - time.monotonic(), 0))
            if not ready:
                self.close()
                return None
            part = os.read(self.answers.fileno(), 1 if until else min(size - len(data), 1 << 20))
            if not part:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.ended = self.process.wait(5)
                return None
            data += part
        return data

    def _remember(self):
        """Keep the number of processes small: what was not used for longest is ended; its variables are not lost."""
        with _lock:
            _alive[:] = [
                other for other in _alive if (worker := other()) is not None and worker is not self and worker.alive
            ]
            _alive.append(weakref.ref(self))
            for other in _alive[:-_MOST_ALIVE]:
                if worker := other():
                    worker.close()


def _memory_folder():
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() and os.access(shared, os.W_OK) else tempfile.gettempdir()


def _close(*files):
    for file in files:
        file.close()


def _end(process, answers):
    process.kill()
    process.wait()
    answers.close()
    with contextlib.suppress(OSError):
        process.stdin.close()

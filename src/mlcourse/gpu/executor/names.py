"""Names for the numbers of a run: threads, blocks, arrays and their elements."""

from __future__ import annotations

import numpy as np

from mlcourse.gpu.executor.declarations import declared_variables, element

NOTHING, DYNAMIC, DECLARED, VARIABLES = -1, -3, -5, -10  # as in the runtime's ``struct Fault``


class Names:
    """Knows what the threads, arrays and variables of a launch are called.

    Parameters
    ----------
    kernel : mlcourse.gpu.Kernel
        What ran.
    outcome : mlcourse.gpu.executor.launch.Outcome
        How.
    """

    def __init__(self, kernel, outcome):
        self.program, self.config, self.memories = outcome.program, outcome.config, outcome.memories
        self._declared = declared_variables(kernel.source, kernel.name)

    def thread(self, number):
        """Return the place of a thread in its block as (x, y, z)."""
        return _coordinates(number, self.config.block)

    def block(self, number):
        """Return the place of a block in the grid as (x, y, z)."""
        return _coordinates(number, self.config.grid)

    def who(self, thread, block, seen_from=None):
        """Say which thread it is.

        Parameters
        ----------
        thread, block : int
            Their numbers.
        seen_from : int, optional
            The block that was spoken of before.

        Returns
        -------
        str
        """
        where = "the same block" if block == seen_from else f"block {shown(self.block(block), self.config.grid)}"
        return f"thread {shown(self.thread(thread), self.config.block)} of {where}"

    def memory(self, memory):
        """Return the name of an array or variable; None if there is none."""
        if memory in (NOTHING, DECLARED):
            return None
        return self.memories[memory].names[0] if memory >= 0 else self._variable(memory)[0]

    def element(self, memory, offset):
        """Find an element.

        Parameters
        ----------
        memory : int
            Of which array or variable.
        offset : int
            Its byte there.

        Returns
        -------
        tuple of int or None
            Its index.
        str
            How to say it.
        """
        if memory < 0:
            name, kind, size = self._variable(memory)
            index = element(offset, self._declared.get(name), size)
            of = f"byte {offset} of " if index is None else f"element {shown(index)} of " if index else ""
            return index or None, f"{of}the {kind} {name!r}"
        array, name, place = self._array_at(memory, offset)
        position = place // array.itemsize
        if not 0 <= position < array.size:
            return None, repr(name)
        index = tuple(int(i) for i in np.unravel_index(position, array.shape))
        return index, f"element {shown(index)} of {name!r}" if index else f"element 0 of {name!r}"

    def how_far(self, memory, offset, size):
        """Say how far outside of an array argument an access is."""
        array, name, place = self._array_at(memory, offset)
        many = (
            f"which has {array.size} element{'s' * (array.size != 1)}"
            if array.ndim == 1
            else f"which has shape {array.shape}"
        )
        if place < 0:
            return f"{_amount(-place, array.itemsize)} before the beginning of {name!r}, {many}"
        if place < array.nbytes:
            return f"{size} bytes over the end of {name!r}, {many}"
        return f"{_amount(place - array.nbytes, array.itemsize, 1)} past the end of {name!r}, {many}"

    def _array_at(self, memory, offset):
        """Of arguments that share memory, the one that holds this byte: the array, its name, and the place in it."""
        arrays = self.memories[memory].arrays
        for array, start, parameter in arrays:
            if start <= offset < start + array.nbytes:
                return array, parameter.name, offset - start
        array, start, parameter = max(arrays, key=lambda item: item[1] + item[0].nbytes) if offset > 0 else arrays[0]
        return array, parameter.name, offset - start

    def _variable(self, memory):
        """Return the name, the kind and the bytes of a variable of the kernel."""
        if memory == DYNAMIC:
            return self.program.dynamic or "dynamic shared memory", "dynamic shared array", self.config.smem
        number = VARIABLES - memory
        shared = number < len(self.program.shared)
        variables = self.program.shared if shared else self.program.variables
        name, _, size, _ = variables[number if shared else number - len(self.program.shared)]
        declared = self._declared.get(name)
        is_array = declared is not None and declared.shape != ()
        return name, f"{'shared' if shared else 'global'} {'array' if is_array else 'variable'}", size


def shown(index, sizes=None):
    """Write an index; of a thread or block without the axes that have only one place.

    >>> shown((3, 0, 0), (128, 1, 1)), shown((3, 1, 0), (16, 16, 1))
    ('3', '(3, 1)')
    """
    used = len(index) if sizes is None else max((i for i, size in enumerate(sizes) if size != 1), default=0) + 1
    return str(index[0]) if used == 1 else "(" + ", ".join(str(i) for i in index[:used]) + ")"


def _coordinates(number, sizes):
    return (number % sizes[0], number // sizes[0] % sizes[1], number // sizes[0] // sizes[1])


def _amount(offset, step, plus=0):
    elements = offset // step + plus
    return f"{elements} element{'s' * (elements != 1)}" if offset % step == 0 else f"{offset} bytes"

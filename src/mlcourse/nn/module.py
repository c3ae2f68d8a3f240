"""Module: what every layer and model shares. It finds parameters by looking at the attributes, also in lists and dicts."""

from __future__ import annotations

import numpy as np

from mlcourse.autograd import Tensor
from mlcourse.shapes import ShapeError


class Parameter(Tensor):
    """A tensor that is trained: it always requires a gradient, and it owns its numbers."""

    __slots__ = ()

    def __init__(self, data, dtype=np.float32):
        super().__init__(np.array(data, dtype), requires_grad=True, dtype=dtype)


class Module:
    """A layer or a model: parameters, other modules, and how they turn inputs into an output.

    A subclass assigns parameters and modules to attributes and writes ``forward``; calling the module calls it.

    Attributes
    ----------
    training : bool
        Whether dropout drops and batch normalization measures; see `train` and `eval`.
    buffers : tuple of str
        Names of arrays that are saved with the parameters though they are not trained.

    Examples
    --------
    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Parameter([2.0])
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> model = Scale()
    >>> model(Tensor([1.0, 3.0])).data
    array([2., 6.], dtype=float32)
    >>> dict(model.named_parameters())
    {'factor': Tensor([2.], dtype=float32, requires_grad=True)}
    """

    training = True
    buffers = ()

    def forward(self, *inputs):
        raise NotImplementedError(f"{type(self).__name__} has no forward: write what it does with its inputs")

    def __call__(self, *inputs, **options):
        try:
            return self.forward(*inputs, **options)
        except Exception as error:
            name = type(self).__name__
            if any(self._members(Module)) and not str(error).startswith(name):
                error.add_note(f"  inside {name}")  # a layer names itself; what contains it adds where it is
            raise

    # ------------------------------------------------------------------------------------------------ what it consists of

    def _members(self, kind):
        """Names and values of the attributes of a kind, those in lists, tuples and dicts included."""
        for name, value in vars(self).items():
            yield from _find(name, value, kind)

    def named_modules(self, prefix="", seen=None):
        """Yield the name and the module for this module (its name is empty) and every one inside it, each once."""
        seen = set() if seen is None else seen
        if self not in seen:
            seen.add(self)
            yield prefix, self
            for name, module in self._members(Module):
                yield from module.named_modules(f"{prefix}.{name}" if prefix else name, seen)

    def named_parameters(self):
        """Yield the name and the parameter for every parameter; one that is used in two places comes once."""
        seen = set()
        for prefix, module in self.named_modules():
            for name, parameter in module._members(Parameter):
                if parameter not in seen:
                    seen.add(parameter)
                    yield f"{prefix}.{name}" if prefix else name, parameter

    def parameters(self):
        """Return the list of all parameters."""
        return [parameter for _, parameter in self.named_parameters()]

    # ------------------------------------------------------------------------------------------------------- its state

    def state_dict(self):
        """Return copies of all parameters and buffers by name. ``np.savez(path, **model.state_dict())`` saves them."""
        return {name: array.copy() for name, array in self._state().items()}

    def load_state_dict(self, state):
        """Copy arrays into the parameters and buffers of the same names.

        Parameters
        ----------
        state : mapping of str to ndarray
            From `state_dict` or ``np.load(path)``.

        Raises
        ------
        KeyError
            If a name is missing or there is one too many.
        ShapeError
            If an array has another shape than the parameter. Nothing has been changed then.
        """
        own = self._state()
        missing, unknown = [name for name in own if name not in state], [name for name in state if name not in own]
        if missing or unknown:
            raise KeyError(
                f"load_state_dict: missing {missing or 'nothing'}, unknown {unknown or 'nothing'}; was it saved from another model?"
            )
        for name, array in own.items():
            if np.shape(state[name]) != array.shape:
                raise ShapeError(
                    f"load_state_dict: {name} has shape {np.shape(state[name])}, the model needs {array.shape}"
                )
        for name, array in own.items():
            array[...] = state[name]

    def _state(self):
        state = {name: parameter.data for name, parameter in self.named_parameters()}
        for prefix, module in self.named_modules():
            state |= {f"{prefix}.{name}" if prefix else name: getattr(module, name) for name in module.buffers}
        return state

    # ---------------------------------------------------------------------------------------------------- its mode

    def train(self, training=True):
        """Switch this module and all inside it to training, or with False to evaluation; return the module."""
        for _, module in self.named_modules():
            module.training = training
        return self

    def eval(self):
        """Switch to evaluation: dropout lets everything through, batch normalization uses its running averages."""
        return self.train(False)

    def zero_grad(self):
        """Forget all gradients."""
        for parameter in self.parameters():
            parameter.grad = None

    def to(self, dtype):
        """Convert all parameters and buffers, for example to ``np.float64`` for `gradient_check`; return the module."""
        for parameter in self.parameters():
            parameter.data, parameter.grad = parameter.data.astype(dtype), None
        for _, module in self.named_modules():
            for name in module.buffers:
                setattr(module, name, getattr(module, name).astype(dtype))
        return self

    def __repr__(self):
        inside = [f"{name}: {module!r}".replace("\n", "\n  ") for name, module in self._members(Module)]
        return f"{type(self).__name__}({''.join(map(_indented, inside))}" + ("\n)" if inside else ")")


def _find(name, value, kind):
    if isinstance(value, kind):
        yield name, value
    elif isinstance(value, (list, tuple, dict)):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _find(f"{name}.{key}", entry, kind)


def _indented(text):
    return f"\n  {text}"

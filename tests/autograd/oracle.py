"""The two oracles of every operation: PyTorch, and finite differences."""

import numpy as np
import torch

from mlcourse.autograd import Tensor, gradient_check


def equals_torch(ours, theirs, *arrays, differences=True, places=10, note=""):
    """Check that both functions give the same numbers and the same gradients for all arrays, in 64 bits.

    The gradients are those of the results multiplied by random numbers, so that no two elements count the same. Then the gradients
    are compared with finite differences, unless `differences` is False (at kinks there are none).
    """
    rng = np.random.default_rng(len(arrays))
    x = [Tensor(array.copy(), requires_grad=True, dtype=np.float64) for array in arrays]
    t = [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in arrays]
    y, z = ours(*x), theirs(*t)
    assert y.shape == tuple(z.shape), note
    np.testing.assert_allclose(y.data, z.detach().numpy(), atol=10.0**-places, err_msg=f"result {note}")
    weights = rng.normal(size=y.shape)
    y.backward(weights)
    if z.requires_grad:
        z.backward(torch.tensor(weights))
    for number, (ours_, theirs_) in enumerate(zip(x, t, strict=True)):
        assert (ours_.grad is None) == (theirs_.grad is None), note
        if ours_.grad is not None:
            assert (ours_.grad.shape, ours_.grad.dtype) == (ours_.shape, np.float64), note
            expected = theirs_.grad.numpy()
            np.testing.assert_allclose(ours_.grad, expected, atol=10.0**-places, err_msg=f"gradient {number} {note}")
    if differences:
        gradient_check(ours, *x)

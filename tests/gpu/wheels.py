"""What tests need that only run with NVIDIA's packages, or only with a GPU."""

import importlib.util

import pytest


def _found(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _has_gpu():
    import torch

    return torch.cuda.is_available()


needs_wheels = pytest.mark.skipif(
    not _found("cuda.bindings.nvrtc"),
    reason="NVIDIA's packages are not installed: pip install -r requirements-gpu.lock",
)
needs_gpu = pytest.mark.skipif(not _has_gpu(), reason="there is no GPU here")

"""Neural networks on `mlcourse.autograd`: layers, losses, optimizers and a training loop.

>>> import numpy as np
>>> from mlcourse import nn
>>> rng = np.random.default_rng(0)
>>> model = nn.Sequential(nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, 10, rng=rng))
>>> loss = nn.cross_entropy(model(np.zeros((5, 64))), [3, 1, 4, 1, 5])
>>> loss.backward()
>>> nn.Adam(model.parameters()).step()
"""

from mlcourse.nn.attention import Block, MultiHeadAttention
from mlcourse.nn.data import DataLoader
from mlcourse.nn.layers import (
    GELU,
    AveragePool,
    BatchNorm,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
)
from mlcourse.nn.losses import binary_cross_entropy, cross_entropy, kl_divergence, mse_loss
from mlcourse.nn.module import Module, Parameter
from mlcourse.nn.optim import (
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Optimizer,
    RMSProp,
    clip_gradients,
    exponential_decay,
    step_decay,
    warmup_cosine,
)
from mlcourse.nn.recurrent import GRU, LSTM, RNN
from mlcourse.nn.training import accuracy, evaluate, fit

__all__ = [
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "AveragePool",
    "BatchNorm",
    "Block",
    "Conv2d",
    "DataLoader",
    "Dropout",
    "Embedding",
    "Flatten",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MaxPool",
    "Module",
    "MultiHeadAttention",
    "Optimizer",
    "Parameter",
    "RMSProp",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "accuracy",
    "binary_cross_entropy",
    "clip_gradients",
    "cross_entropy",
    "evaluate",
    "exponential_decay",
    "fit",
    "kl_divergence",
    "mse_loss",
    "step_decay",
    "warmup_cosine",
]

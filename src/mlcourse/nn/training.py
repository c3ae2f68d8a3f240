"""The training loop: epochs of batches, a validation after each, and the best model kept."""

from __future__ import annotations

import math

import numpy as np

from mlcourse.autograd import no_grad
from mlcourse.nn.losses import check_labels
from mlcourse.nn.optim import clip_gradients


def accuracy(logits, labels):
    """Fraction of the rows whose largest logit is that of the label.

    Parameters
    ----------
    logits : Tensor or array_like of shape (..., classes)
    labels : array_like of int, shape (...,)

    Returns
    -------
    float

    Raises
    ------
    ShapeError
        If the labels do not have the shape of the logits without its last axis.

    Examples
    --------
    >>> accuracy(np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([0, 0]))
    0.5
    """
    logits, labels = np.asarray(logits), np.asarray(labels)
    check_labels("accuracy", logits, labels)
    return float((logits.argmax(axis=-1) == labels).mean())


def fit(
    model,
    loss,
    optimizer,
    batches,
    *,
    epochs,
    validation=None,
    metrics=None,
    patience=None,
    schedule=None,
    clip=None,
    progress=True,
):
    """Train a model.

    Parameters
    ----------
    model : Module
        Takes the inputs of a batch.
    loss : callable
        Takes the model's output and the targets of a batch, returns a scalar Tensor.
    optimizer : Optimizer
    batches : iterable
        Yields (inputs, targets) anew for every epoch, as a `DataLoader` does.
    epochs : int
    validation : iterable, optional
        Like `batches`, not trained on.
    metrics : dict of str to callable, optional
        What else to compute from output and targets of the validation batches, such as ``{"accuracy": accuracy}``.
    patience : int, optional
        Stop when the validation loss has not fallen for so many epochs, and return to the parameters of the best one.
    schedule : callable, optional
        The learning rate as a multiple of the first one, by the number of steps done; see `warmup_cosine`. Afterwards the
        optimizer has its first learning rate again.
    clip : float, optional
        Largest norm of the gradients; see `clip_gradients`.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    list of dict
        For each epoch its number, the mean ``"loss"`` while it was trained, and with validation the mean ``"validation_loss"`` and
        the metrics. Means count every example once.

    Raises
    ------
    FloatingPointError
        If the loss becomes NaN or infinite.
    ValueError
        If an epoch has no batches, as when `batches` is a generator that has been used up.

    Examples
    --------
    >>> from mlcourse import nn
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = (X[:, 0] > X[:, 1]).astype(int)
    >>> model = nn.Sequential(nn.Linear(2, 8, rng=rng), nn.Tanh(), nn.Linear(8, 2, rng=rng))
    >>> optimizer, batches = nn.Adam(model.parameters(), lr=0.05), nn.DataLoader(X, y, rng=rng)
    >>> history = fit(model, nn.cross_entropy, optimizer, batches, epochs=10, progress=False)
    >>> history[0]["loss"] > 0.3 > 0.1 > history[-1]["loss"]
    True
    """
    from tqdm.auto import tqdm  # slow to import

    if (patience is not None or metrics) and validation is None:
        raise ValueError("fit: patience and metrics look at validation batches; give it some")
    history, best, best_epoch, best_state, first_lr = [], math.inf, 0, None, optimizer.lr
    try:
        with tqdm(range(1, epochs + 1), desc="epochs", disable=not progress) as bar:
            for epoch in bar:
                row = {"epoch": epoch, "loss": _train(model, loss, optimizer, batches, first_lr, schedule, clip)}
                if validation is not None:
                    row |= evaluate(model, {"validation_loss": loss, **(metrics or {})}, validation)
                history.append(row)
                bar.set_postfix({name: f"{value:.4g}" for name, value in row.items() if name != "epoch"})
                if patience is not None and row["validation_loss"] < best:
                    best, best_epoch, best_state = row["validation_loss"], epoch, model.state_dict()
                elif patience is not None and epoch - best_epoch >= patience:
                    break
    finally:
        optimizer.lr = first_lr
    if best_state is not None:
        model.load_state_dict(best_state)
    return history


def evaluate(model, metrics, batches):
    """Return the mean of each metric over all examples; the model is in evaluation mode for it, and remembers nothing.

    Parameters
    ----------
    model : Module
    metrics : dict of str to callable
        Each takes the model's output and the targets of a batch, and returns the mean over them.
    batches : iterable
        Yields (inputs, targets).

    Returns
    -------
    dict of str to float
    """
    training = model.training
    model.eval()
    found, counts = {name: [] for name in metrics}, []
    try:
        with no_grad():
            for inputs, targets in batches:
                outputs = model(inputs)
                counts.append(len(targets))
                for name, metric in metrics.items():
                    found[name].append(float(np.asarray(metric(outputs, targets))))
    finally:
        model.train(training)
    return {name: _mean(values, counts) for name, values in found.items()}


def _train(model, loss, optimizer, batches, first_lr, schedule, clip):
    """One epoch; returns the mean loss of its examples."""
    model.train()
    losses, counts = [], []
    for inputs, targets in batches:
        if schedule is not None:
            optimizer.lr = first_lr * schedule(optimizer.steps)
        losses.append(_step(model, loss, optimizer, inputs, targets, clip))
        counts.append(len(targets))
    return _mean(losses, counts)


def _step(model, loss, optimizer, inputs, targets, clip):
    optimizer.zero_grad()
    value = loss(model(inputs), targets)
    if not math.isfinite(value.item()):
        raise FloatingPointError(
            f"fit: the loss is {value.item()} after {optimizer.steps} steps; try a lower learning rate"
        )
    value.backward()
    if clip is not None:
        clip_gradients(optimizer.parameters, clip)
    optimizer.step()
    return value.item()


def _mean(values, counts):
    """Mean over all examples of what are means over batches."""
    if not counts:
        raise ValueError(
            "there are no batches; a generator gives its batches only once, so pass a DataLoader or a list for several epochs"
        )
    return float(np.average(values, weights=counts))

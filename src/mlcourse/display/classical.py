"""Figures of the part on classical machine learning."""

from __future__ import annotations

import numpy as np

from mlcourse.display.style import GRID, INK


def draw_line_fit(ax, x, y, slope, intercept, show_residuals=True):
    """Draw points, a line, and the vertical distance from each point to the line.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x, y : ndarray of shape (n,)
    slope, intercept : float
    show_residuals : bool
    """
    ends = np.array([x.min(), x.max()])
    if show_residuals:
        ax.vlines(x, y, intercept + slope * x, color="C1", linewidth=1, alpha=0.8, label="residuals")
    ax.plot(x, y, "o", color="C0", markersize=4, label="patients")
    ax.plot(ends, intercept + slope * ends, color=INK, label="least-squares line")


def draw_shapes(ax, n, d):
    """Draw the shapes in ``y ≈ X w + b``: a tall column, a tall table times a short column, and a number.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    n, d : int
        Rows and columns; the drawing is not to scale.
    """
    from matplotlib.patches import Rectangle

    tall, wide, narrow = 4.0, 2.6, 0.5
    parts = [
        ("y", f"({n},)", 0.0, narrow, tall, "C1"),
        ("X", f"({n}, {d})", 1.7, wide, tall, "C0"),
        ("w", f"({d},)", 4.9, narrow, wide, "C2"),
        ("b", "()", 6.6, narrow, narrow, "C3"),
    ]
    for name, shape, left, width, height, color in parts:
        ax.add_patch(Rectangle((left, tall - height), width, height, facecolor=color, alpha=0.3))
        ax.add_patch(Rectangle((left, tall - height), width, height, fill=False, edgecolor=color))
        ax.text(left + width / 2, tall - height / 2, name, ha="center", va="center", weight="bold", fontsize=14)
        ax.text(left + width / 2, tall - height - 0.15, shape, ha="center", va="top", family="monospace", fontsize=9)
    for left in np.linspace(1.7, 1.7 + wide, d + 1)[1:-1]:
        ax.plot([left, left], [0, tall], color="C0", linewidth=0.5)
    ax.add_patch(Rectangle((1.7, 2.6), wide, 0.25, facecolor="C4", alpha=0.7))
    ax.add_patch(Rectangle((0.0, 2.6), narrow, 0.25, facecolor="C4", alpha=0.7))
    pointers = [
        ("one patient", (1.7, 2.72), (-1.15, 2.72), "C4"),
        ("one feature", (1.7 + wide * 2.5 / d, tall), (2.2, tall + 0.85), "C0"),
    ]
    for text, tip, place, color in pointers:
        arrow = {"arrowstyle": "->", "color": color}
        ax.annotate(text, tip, place, ha="center", va="center", fontsize=10, color=color, arrowprops=arrow)
    for x, sign in ((1.1, "≈"), (4.6, "·"), (6.0, "+")):
        ax.text(x, tall - 0.28 if sign == "+" else tall / 2, sign, ha="center", va="center", fontsize=16)
    ax.set(xlim=(-2.0, 7.4), ylim=(-0.7, tall + 1.2), aspect="equal")
    ax.axis("off")


_CAMERA = np.array([[0.92, -0.58, 0.0], [0.22, 0.36, 1.0]])


def draw_projection(ax):
    """Draw a target vector, the plane of two columns, the projection on it and the residual, seen in perspective.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    """
    x1, x2 = np.array([2.6, 0.3, 0]), np.array([0.5, 2.4, 0])
    y_hat, residual = np.array([2.2, 1.9, 0]), np.array([0, 0, 2.0])
    flat = lambda point: _CAMERA @ np.asarray(point)  # noqa: E731
    corners = np.array([flat((a, b, 0)) for a, b in ((-0.5, -0.5), (3.6, -0.5), (3.6, 3.2), (-0.5, 3.2))])
    ax.fill(*corners.T, color="C0", alpha=0.12)
    ax.text(*flat((3.5, 3.3, 0)), "column space of X", color="C0", ha="left", va="center", fontsize=10)
    arrows = [
        ((0, 0, 0), x1, "C0", r"$\mathbf{x}_1$", (0.12, -0.18)),
        ((0, 0, 0), x2, "C0", r"$\mathbf{x}_2$", (-0.3, -0.02)),
        ((0, 0, 0), y_hat, "C2", r"$\hat{\mathbf{y}} = \mathbf{X}\hat{\mathbf{w}}$", (0.12, -0.2)),
        ((0, 0, 0), y_hat + residual, INK, r"$\mathbf{y}$", (-0.1, 0.14)),
        (y_hat, y_hat + residual, "C1", r"$\mathbf{r} = \mathbf{y} - \hat{\mathbf{y}}$", (0.14, -0.9)),
    ]
    for start, end, color, name, offset in arrows:
        arrow = {"arrowstyle": "-|>", "color": color, "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", flat(end), flat(start), arrowprops=arrow)
        ax.text(*(flat(end) + offset), name, color=color, fontsize=13)
    step, up = 0.28 * y_hat / np.linalg.norm(y_hat), np.array([0, 0, 0.28])
    ax.plot(*np.array([flat(y_hat - step), flat(y_hat - step + up), flat(y_hat + up)]).T, color=INK, linewidth=1)
    ax.set(aspect="equal", xlim=(-2.4, 4.3), ylim=(-0.6, 4.0))
    ax.axis("off")


def draw_bowl(ax, loss, center, width, height, labels):
    """Draw the contour lines of a loss of two coefficients and mark its minimum.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    loss : callable
        ``loss(a, b)``, for arrays of the two coefficients.
    center : tuple of float
        The minimum.
    width, height : float
        Half the extent of the picture.
    labels : tuple of str
        Of the axes.
    """
    a, b = np.meshgrid(center[0] + np.linspace(-width, width, 120), center[1] + np.linspace(-height, height, 120))
    values = loss(a, b)
    lowest = loss(*center)
    levels = lowest + (values.max() - lowest) * np.linspace(0.08, 1, 9) ** 2
    ax.contour(a, b, values, levels=levels, colors=GRID, linewidths=1)
    ax.plot(*center, "+", color=INK, markersize=11, markeredgewidth=2, label="minimum")
    ax.set(xlabel=labels[0], ylabel=labels[1], xlim=(a.min(), a.max()), ylim=(b.min(), b.max()))


def draw_residuals(ax, fitted, residual, bins=8):
    """Draw residuals against fitted values, with mean and spread in slices that hold equally many points.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    fitted, residual : ndarray of shape (n,)
    bins : int
        Slices; each shows its mean and one standard deviation above and below.
    """
    ax.axhline(0, color=INK, linewidth=1)
    ax.plot(fitted, residual, "o", color="C0", markersize=3, alpha=0.5)
    slices = np.array_split(np.argsort(fitted), bins)
    middle = np.array([fitted[s].mean() for s in slices])
    mean, spread = np.array([residual[s].mean() for s in slices]), np.array([residual[s].std() for s in slices])
    ax.plot(middle, mean, "s-", color="C1", markersize=5, label="mean of a slice")
    ax.plot(middle, mean + spread, "--", color="C2", linewidth=1.5, label="± 1 standard deviation")
    ax.plot(middle, mean - spread, "--", color="C2", linewidth=1.5)


def draw_qq(ax, residual):
    """Draw the sorted standardized residuals against the quantiles of the normal distribution.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    residual : ndarray of shape (n,)
    """
    from scipy.stats import norm

    n = len(residual)
    expected = norm.ppf((np.arange(n) + 0.5) / n)
    ax.plot(expected, expected, color=INK, linewidth=1, label="exactly normal")
    found = np.sort((residual - residual.mean()) / residual.std())
    ax.plot(expected, found, "o", color="C0", markersize=3, label="residuals")
    ax.set(xlabel="quantile of the normal distribution", ylabel="standardized residual", aspect="equal")


def draw_influence(ax, leverage, residual, n_parameters, levels=(0.5, 1.0)):
    """Draw standardized residuals against leverage, with lines of equal Cook's distance.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    leverage : ndarray of shape (n,)
    residual : ndarray of shape (n,)
        Internally studentized: divided by ``s √(1 - h)``.
    n_parameters : int
    levels : sequence of float
        Cook's distances to draw, where they fit into the picture.
    """
    right = 1.15 * leverage.max()
    h = np.linspace(1e-3, min(right, 1), 200)
    limit = 1.15 * abs(residual).max()
    for level, style in zip(levels, ("--", "-", ":"), strict=False):
        curve = np.sqrt(level * n_parameters * (1 - h) / h)
        ax.plot(h, curve, style, color="C1", linewidth=1.2, label=f"Cook's distance {level:g}")
        ax.plot(h, -curve, style, color="C1", linewidth=1.2)
    ax.axhline(0, color=INK, linewidth=1)
    ax.plot(leverage, residual, "o", color="C0", markersize=3, alpha=0.6)
    ax.set(xlabel="leverage", ylabel="standardized residual", xlim=(0, right), ylim=(-limit, limit))


def draw_intervals(ax, names, estimates, low, high):
    """Draw estimates with their intervals, one line each, and a line at zero.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    names : sequence of str
    estimates, low, high : ndarray of shape (k,)
    """
    rows = np.arange(len(names))[::-1]
    ax.axvline(0, color=INK, linewidth=1)
    for outside, color, marker in ((True, "C1", "o"), (False, "C0", "s")):
        show = ((low > 0) | (high < 0)) == outside
        ax.errorbar(
            estimates[show], rows[show], xerr=[(estimates - low)[show], (high - estimates)[show]], fmt=marker, color=color, capsize=3,
            markersize=5, linewidth=1.5, label="interval leaves out 0" if outside else "interval contains 0",
        )  # fmt: skip
    ax.set_yticks(rows, names)

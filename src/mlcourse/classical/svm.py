"""Support vector machines, solved by sequential minimal optimization (SMO).

Both machines have the same dual problem. With a sign ``s = ±1`` for each variable ``a`` and a kernel matrix ``K``::

    minimize   ½ Σᵢⱼ aᵢ sᵢ aⱼ sⱼ Kᵢⱼ + Σᵢ pᵢ aᵢ     subject to   Σᵢ sᵢ aᵢ = 0   and   0 ≤ aᵢ ≤ C

A classifier has one variable for each row, with ``s`` the class and ``p = -1``. Regression has two: how hard the row pulls the function up
(``s = 1``, ``p = ε - y``) and down (``s = -1``, ``p = ε + y``).

References
----------
Platt, J. (1998). Sequential minimal optimization: a fast algorithm for training support vector machines. Microsoft Research MSR-TR-98-14.
Fan, R.-E., Chen, P.-H. and Lin, C.-J. (2005). Working set selection using second order information for training support vector
machines. Journal of Machine Learning Research 6.
"""

from __future__ import annotations

import warnings
from itertools import combinations

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning

from mlcourse.classical.base import Estimator
from mlcourse.classical.distances import blocks, squared_distances

MOST_STEPS = 1_000_000
WHOLE = (
    1 << 24
)  # numbers of the largest kernel matrix that is computed at once; of a larger one, lines as they are needed


class SupportVectorMachine(Estimator):
    """What both machines share: the kernel, and the function ``Σ coef · k(support vector, x) + intercept``."""

    def _start(self, X):
        self._check_choice("kernel", ("linear", "poly", "rbf", "sigmoid"))
        self._check_positive("C")
        self._check_positive("tol")
        self._check_integer("degree", at_least=0)
        self._check_integer("max_iter", at_least=-1)
        if isinstance(self.gamma, str):
            self._check_choice("gamma", ("scale", "auto"))
            spread = X.var() if self.gamma == "scale" else 1
            self._gamma = 1 / (X.shape[1] * spread) if spread > 0 else 1.0
        else:
            self._check_positive("gamma")
            self._gamma = float(self.gamma)

    def _kernel(self, A, B):
        """Return the kernel of every row of `A` with every row of `B`."""
        if self.kernel == "rbf":
            K = squared_distances(A, B)
            K *= -self._gamma
            return np.exp(K, out=K)
        K = A @ B.T
        if self.kernel == "linear":
            return K
        K = self._gamma * K + self.coef0
        return np.tanh(K) if self.kernel == "sigmoid" else K**self.degree

    def _solve(self, X, sign, p):
        rows = KernelRows(lambda A: self._kernel(A, X), X)
        a, b, steps, done = smo(rows, sign, p, float(self.C), self.tol, self.max_iter)
        if not done:
            warnings.warn(
                f"{type(self).__name__}: SMO stopped after {steps} steps, before tol={self.tol} was reached; "
                "raise max_iter, or scale the features (StandardScaler)",
                ConvergenceWarning,
                stacklevel=3,
            )
        return a * sign, b, steps

    def _values(self, X):
        """Return the functions' values, (n, functions)."""
        cut = blocks(len(X), len(self.support_))
        if not len(self.support_):
            return np.tile(self.intercept_, (len(X), 1))
        parts = [self._kernel(X[block], self.support_vectors_) @ self.dual_coef_.T for block in cut]
        return np.concatenate(parts) + self.intercept_

    @property
    def coef_(self):
        """The weights of the features, (functions, n_features), where the kernel is linear."""
        if self.kernel != "linear":
            raise AttributeError(f"coef_ exists only with kernel='linear'; the kernel is {self.kernel!r}")
        return self.dual_coef_ @ self.support_vectors_


class SVC(ClassifierMixin, SupportVectorMachine):
    """Between two classes, the boundary with the widest margin in the space of the kernel; for more, one for each pair, and a vote.

    Parameters
    ----------
    C : float
        The price of a row on the wrong side of its margin; the larger, the fewer there are.
    kernel : {"rbf", "linear", "poly", "sigmoid"}
        ``exp(-gamma ‖x - z‖²)``, ``x·z``, ``(gamma x·z + coef0)^degree``, ``tanh(gamma x·z + coef0)``.
    degree : int
    gamma : float or {"scale", "auto"}
        ``"scale"`` is 1 / (n_features × variance of all values), ``"auto"`` is 1 / n_features.
    coef0 : float
    tol : float
        By how much the best pair of variables may still violate the optimality conditions.
    max_iter : int
        Most steps of SMO; -1 for a million.

    Attributes
    ----------
    support_ : ndarray of int
        The rows on or beyond their margin.
    support_vectors_ : ndarray of shape (n_support, n_features)
    dual_coef_ : ndarray of shape (pairs, n_support)
        One line for each pair of classes, in the order (0, 1), (0, 2), …, (1, 2), …; positive for rows of the second class.
    intercept_ : ndarray of shape (pairs,)
    classes_ : ndarray of shape (n_classes,)
    n_iter_ : ndarray of int of shape (pairs,)
    n_features_in_ : int

    References
    ----------
    Cortes, C. and Vapnik, V. (1995). Support-vector networks. Machine Learning 20.

    Examples
    --------
    >>> X, y = [[-2.0, 0.0], [-1.0, 1.0], [1.0, -1.0], [2.0, 0.0]], ["left", "left", "right", "right"]
    >>> model = SVC(kernel="linear").fit(X, y)
    >>> print(model.coef_.round(3), model.support_, model.predict([[0.5, 0.0]]))
    [[ 0.5 -0.5]] [1 2] ['right']
    """

    def __init__(self, C=1.0, kernel="rbf", degree=3, gamma="scale", coef0=0.0, tol=1e-3, max_iter=-1):
        self.C = C
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X, y):
        """Find the margins between the classes `y` (n,) of the rows of `X` (n, d)."""
        X, codes = self._training_classes(X, y, at_least=2)
        self._start(X)
        self._pairs = list(combinations(range(len(self.classes_)), 2))
        coef, self.intercept_ = np.zeros((len(self._pairs), len(X))), np.zeros(len(self._pairs))
        self.n_iter_ = np.zeros(len(self._pairs), int)
        for line, (first, second) in enumerate(self._pairs):
            rows = np.flatnonzero((codes == first) | (codes == second))
            sign = np.where(codes[rows] == second, 1.0, -1.0)[None]
            found, self.intercept_[line], self.n_iter_[line] = self._solve(X[rows], sign, -np.ones_like(sign))
            coef[line, rows] = found[0]
        self.support_ = np.flatnonzero(coef.any(axis=0))
        self.support_vectors_, self.dual_coef_ = X[self.support_], coef[:, self.support_]
        return self

    def decision_function(self, X):
        """Return for two classes the signed distance from the boundary in units of the margin, (n,); positive: the second class.

        For more classes: the votes of the pairs for each class, (n, n_classes), and a fraction that says how clear they were.
        """
        X = self._new_data(X)
        values = self._values(X)
        if len(self.classes_) == 2:
            return values[:, 0]
        votes, clear = self._votes(values), np.zeros((len(X), len(self.classes_)))
        for value, (first, second) in zip(values.T, self._pairs, strict=True):
            clear[:, first] -= value
            clear[:, second] += value
        return votes + clear / (3 * (abs(clear) + 1))

    def predict(self, X):
        """Return the class of each row, (n,)."""
        X = self._new_data(X)
        votes = self._votes(self._values(X))
        return self.classes_[votes.argmax(axis=1)]

    def _votes(self, values):
        votes = np.zeros((len(values), len(self.classes_)))
        for value, (first, second) in zip(values.T, self._pairs, strict=True):
            votes[:, second] += value > 0
            votes[:, first] += value <= 0
        return votes


class SVR(RegressorMixin, SupportVectorMachine):
    """The flattest function, in the space of the kernel, that stays within epsilon of the targets, or pays for what is beyond.

    Parameters
    ----------
    kernel, degree, gamma, coef0, tol, max_iter
        As in `SVC`.
    C : float
        The price of a target one unit beyond epsilon.
    epsilon : float
        Errors up to this size cost nothing.

    Attributes
    ----------
    support_ : ndarray of int
        The rows on the edge of the tube or outside.
    support_vectors_ : ndarray of shape (n_support, n_features)
    dual_coef_ : ndarray of shape (1, n_support)
    intercept_ : ndarray of shape (1,)
    n_iter_ : int
    n_features_in_ : int

    References
    ----------
    Drucker, H., Burges, C., Kaufman, L., Smola, A. and Vapnik, V. (1997). Support vector regression machines. NIPS 9.

    Examples
    --------
    >>> model = SVR(kernel="linear", C=100, epsilon=0.5).fit([[0.0], [1.0], [2.0]], [0.0, 2.0, 4.0])
    >>> model.predict([[0.0], [1.0], [2.0]]).round(3)
    array([0.5, 2. , 3.5])
    """

    def __init__(self, kernel="rbf", degree=3, gamma="scale", coef0=0.0, tol=1e-3, C=1.0, epsilon=0.1, max_iter=-1):
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.tol = tol
        self.C = C
        self.epsilon = epsilon
        self.max_iter = max_iter

    def fit(self, X, y):
        """Find the tube around the targets `y` (n,) of the rows of `X` (n, d)."""
        X, y = self._training_data(X, y)
        self._start(X)
        self._check_between("epsilon", 0, np.inf)
        sign = np.array([[1.0], [-1.0]]) * np.ones(len(y))  # the two pulls of each row
        pulls, b, self.n_iter_ = self._solve(X, sign, self.epsilon - sign * y)
        coef = pulls.sum(axis=0)
        self.support_, self.intercept_ = np.flatnonzero(coef), np.array([b])
        self.support_vectors_, self.dual_coef_ = X[self.support_], coef[None, self.support_]
        return self

    def predict(self, X):
        """Return the function's values, (n,)."""
        X = self._new_data(X)
        return self._values(X)[:, 0]


class KernelRows:
    """The lines of a kernel matrix: all at once if they fit, else as they are asked for, the latest ones remembered."""

    def __init__(self, kernel, X):
        self.kernel, self.X, self.known = kernel, X, {}
        self.whole = kernel(X) if len(X) ** 2 <= WHOLE else None
        if self.whole is not None:
            self.diagonal = self.whole.diagonal().copy()
        else:
            self.diagonal = np.array([self[i][i] for i in range(len(X))])

    def __getitem__(self, i):
        if self.whole is not None:
            return self.whole[i]
        if i not in self.known:
            if len(self.known) * len(self.X) >= WHOLE:
                self.known.pop(next(iter(self.known)))
            self.known[i] = self.kernel(self.X[i : i + 1])[0]
        return self.known[i]


def smo(K, sign, p, C, tol, max_iter=-1):
    """Solve the dual problem two variables at a time.

    The equality constraint lets no variable move alone. A step takes the variable that wants most to move up (``s a`` rising), and the
    partner with which the objective falls most, and moves both to the best point between them, or to the edge of the box.

    Parameters
    ----------
    K : indexable, with ``K[i]`` of shape (n,), and an attribute ``diagonal`` of shape (n,)
    sign, p : ndarray of shape (v, n)
        One line for each of the `v` variables of a row.
    C, tol : float
    max_iter : int

    Returns
    -------
    a : ndarray of shape (v, n)
    b : float
        The intercept.
    steps : int
    done : bool
    """
    max_iter = MOST_STEPS if max_iter == -1 else max_iter
    n, s = sign.shape[1], sign.ravel()
    a, pull = np.zeros(len(s)), -s * p.ravel()  # pull: minus the slope of the objective along s a
    pulls = pull.reshape(sign.shape)  # the same numbers, below each other where they belong to one row
    up, down = np.where(s > 0, 0, -np.inf), np.where(s < 0, 0, np.inf)  # 0 where s a may rise; where it may fall
    edge, steps, gain = 1e-12 * C, 0, np.empty(sign.shape)
    while True:
        i = int((pull + up).argmax())
        top = pull[i]
        violation = top - (pull + down)  # -inf for those that cannot fall
        if violation.max() < tol or steps == max_iter:
            break
        steps += 1
        row = K[i % n]
        curvature = np.maximum(K.diagonal[i % n] + K.diagonal - 2 * row, 1e-12)  # (n,)
        np.maximum(violation.reshape(sign.shape), 0, out=gain)
        gain *= gain
        gain /= curvature  # by how much a free step lowers the objective, times 2
        j = int(gain.argmax())
        step = (top - pull[j]) / curvature[j % n]
        room_i = C - a[i] if s[i] > 0 else a[i]
        room_j = a[j] if s[j] > 0 else C - a[j]
        step = min(step, room_i, room_j)
        for v, change in ((i, step), (j, -step)):
            moved = a[v] + s[v] * change
            moved = a[v] = 0.0 if moved < edge else C if moved > C - edge else moved
            grows, shrinks = moved < C, moved > 0
            up[v] = 0 if (grows if s[v] > 0 else shrinks) else -np.inf
            down[v] = 0 if (shrinks if s[v] > 0 else grows) else np.inf
        pulls -= step * (row - K[j % n])
    free = (up == 0) & (down == 0)
    b = pull[free].mean() if free.any() else ((pull + up).max() + (pull + down).min()) / 2
    return a.reshape(sign.shape), float(b), steps, bool(violation.max() < tol)

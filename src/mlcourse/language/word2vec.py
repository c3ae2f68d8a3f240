"""Word vectors by skip-gram with negative sampling: words that occur among the same words get similar vectors.

References
----------
Mikolov, T., Sutskever, I., Chen, K., Corrado, G. and Dean, J. (2013). Distributed representations of words and phrases and their
compositionality. NeurIPS.
"""

from __future__ import annotations

from collections import Counter

import numpy as np


class Word2Vec:
    """Vectors of words, and which words are near which.

    Parameters
    ----------
    words : list of str
    vectors : ndarray of shape (words, d)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sentences = [rng.choice(list(group), 8).tolist() for group in ["abcd", "wxyz"] * 200]
    >>> model = Word2Vec.train(sentences, d=8, subsample=1, rng=0)
    >>> sorted(word for word, _ in model.nearest("x", 3))
    ['w', 'y', 'z']
    """

    def __init__(self, words, vectors):
        self.words, self.vectors = list(words), vectors
        self._row = {word: row for row, word in enumerate(self.words)}

    @classmethod
    def train(
        cls,
        sentences,
        d=64,
        window=5,
        negatives=5,
        epochs=5,
        lr=0.025,
        min_count=5,
        subsample=1e-3,
        batch_size=256,
        rng=None,
    ):
        """Learn vectors from sentences.

        Parameters
        ----------
        sentences : iterable of list of str
        d : int
            Length of a vector.
        window : int
            Largest distance of a word and its context; each word draws its own from 1 to this, so that near words count more.
        negatives : int
            How many random words each pair is told from.
        epochs : int
        lr : float
            Learning rate; it falls in a straight line.
        min_count : int
            Rarer words are left out.
        subsample : float
            Words that make up more than this fraction of the text are left out at random, the more the more frequent they are.
        batch_size : int
            Pairs that are worked on at once, with the vectors as they were before.
        rng : Generator or int, optional

        Returns
        -------
        Word2Vec

        Raises
        ------
        ValueError
            If no word occurs `min_count` times.
        TypeError
            If a sentence is a str, whose letters would be taken for words.
        """
        rng, sentences = np.random.default_rng(rng), list(sentences)
        if any(isinstance(sentence, str) for sentence in sentences):
            raise TypeError("Word2Vec.train: a sentence is a list of words, not a str; cut it with sentence.split()")
        counts = Counter(word for sentence in sentences for word in sentence)
        words = [word for word, n in counts.most_common() if n >= min_count]
        if not words:
            raise ValueError(
                f"Word2Vec.train: no word occurs min_count={min_count} times; give more text or lower min_count"
            )
        row = {word: number for number, word in enumerate(words)}
        known = [[row[word] for word in sentence if word in row] for sentence in sentences]
        tokens = np.concatenate([np.array(sentence, dtype=np.int64) for sentence in known])
        sentence_of = np.repeat(np.arange(len(known)), [len(sentence) for sentence in known])
        frequency = np.bincount(tokens) / len(tokens)
        keep = np.minimum(1, np.sqrt(subsample / frequency) + subsample / frequency)
        urn = _urn(frequency**0.75)
        W = ((rng.random((len(words), d)) - 0.5) / d).astype(np.float32)
        C = np.zeros_like(W)
        for epoch in range(epochs):
            chosen = rng.random(len(tokens)) < keep[tokens]
            centers, contexts = _pairs(tokens[chosen], sentence_of[chosen], window, rng)
            order = rng.permutation(len(centers))
            for start in range(0, len(order), batch_size):
                batch = order[start : start + batch_size]
                done = (epoch + start / len(order)) / epochs
                strangers = urn[rng.integers(0, len(urn), (len(batch), negatives))]
                targets = np.concatenate([contexts[batch, None], strangers], axis=1)
                skip_gram_step(W, C, centers[batch], targets, lr * max(1 - done, 1e-4))
        return cls(words, W)

    def __getitem__(self, word):
        if word not in self._row:
            raise KeyError(
                f"{word!r} has no vector: it is not among the {len(self.words)} words that were frequent enough"
            )
        return self.vectors[self._row[word]]

    def nearest(self, word, n=10):
        """Return the `n` words with the largest cosine to a word, or to a vector, and the cosines; the word itself is left out."""
        vector = self[word] if isinstance(word, str) else np.asarray(word)
        lengths = np.linalg.norm(self.vectors, axis=1) * np.linalg.norm(vector)
        cosines = self.vectors @ vector / np.maximum(lengths, np.finfo(np.float32).tiny)
        itself = self._row[word] if isinstance(word, str) else None
        order = [row for row in np.argsort(-cosines)[: n + 1] if row != itself]
        return [(self.words[row], float(cosines[row])) for row in order[:n]]


def skip_gram_step(W, C, centers, targets, lr):
    """One step of gradient descent, in place, on the sum over a batch of

    ``-log σ(w · c₀) - log σ(-w · c₁) - … - log σ(-w · cₖ)``

    with w the vector of a word, c₀ that of a word near it, the others those of random words.

    Parameters
    ----------
    W, C : ndarray of shape (words, d)
        Vectors of words, and of words as context.
    centers : ndarray of int, shape (n,)
    targets : ndarray of int, shape (n, 1 + negatives)
        First the word that was near.
    lr : float

    Examples
    --------
    >>> W, C = np.ones((2, 1)), np.zeros((2, 1))
    >>> skip_gram_step(W, C, np.array([0]), np.array([[0, 1]]), lr=1.0)
    >>> C.ravel()
    array([ 0.5, -0.5])
    """
    w, c = W[centers], C[targets]  # (n, d), (n, 1 + negatives, d)
    error = 0.5 * np.tanh(0.5 * np.matmul(c, w[:, :, None])[..., 0]) + 0.5  # σ(w · c), (n, 1 + negatives)
    error[:, 0] -= 1
    error *= -lr
    dw = np.matmul(error[:, None], c)[:, 0]
    dc = error[:, :, None] * w[:, None]
    add_rows(C, targets.ravel(), dc.reshape(-1, C.shape[1]))
    add_rows(W, centers, dw)


def add_rows(table, rows, values):
    """``np.add.at(table, rows, values)``, several times faster: only its one-dimensional form has a fast loop.

    Examples
    --------
    >>> table = np.zeros((2, 2))
    >>> add_rows(table, np.array([1, 1]), np.ones((2, 2)))
    >>> table
    array([[0., 0.],
           [2., 2.]])
    """
    d = table.shape[1]
    np.add.at(table.reshape(-1), (rows[:, None] * d + np.arange(d)).ravel(), values.ravel())


def _pairs(tokens, sentence_of, window, rng):
    """Every word with every word of its sentence that is within its reach, a random distance up to the window."""
    reach = rng.integers(1, window + 1, len(tokens))
    centers, contexts = [], []
    for distance in range(1, min(window, len(tokens) - 1) + 1):
        left, right = slice(None, -distance), slice(distance, None)
        together = sentence_of[left] == sentence_of[right]
        for center, context in ((left, right), (right, left)):
            found = together & (reach[center] >= distance)
            centers.append(tokens[center][found])
            contexts.append(tokens[context][found])
    return (np.concatenate(part) if part else np.zeros(0, np.int64) for part in (centers, contexts))


def _urn(weights, size=1_000_000):
    """Rows, each as often as its weight says: a random element is a random row by weight."""
    ends = np.round(np.cumsum(weights) / weights.sum() * size).astype(int)
    return np.repeat(np.arange(len(weights)), np.diff(ends, prepend=0))

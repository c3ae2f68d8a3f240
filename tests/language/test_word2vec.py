"""The step equals torch's gradient, pairs are those of the definition, and training finds what belongs together."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mlcourse.language import Word2Vec
from mlcourse.language.word2vec import _pairs, _urn, add_rows, skip_gram_step


def test_the_step_equals_torch_on_200_batches_with_repeated_words():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        words, d, n, negatives = (int(size) for size in rng.integers(1, 6, 4))
        W, C = rng.normal(size=(words, d)), rng.normal(size=(words, d))
        centers, targets = rng.integers(0, words, n), rng.integers(0, words, (n, 1 + negatives))
        w, c = torch.tensor(W, requires_grad=True), torch.tensor(C, requires_grad=True)
        scores = (w[centers][:, None] * c[targets]).sum(-1)
        loss = -F.logsigmoid(scores[:, 0]).sum() - F.logsigmoid(-scores[:, 1:]).sum()
        loss.backward()
        skip_gram_step(W, C, centers, targets, 0.1)
        np.testing.assert_allclose(W, (w - 0.1 * w.grad).detach().numpy(), atol=1e-12, err_msg=f"seed {seed}")
        np.testing.assert_allclose(C, (c - 0.1 * c.grad).detach().numpy(), atol=1e-12, err_msg=f"seed {seed}")


def test_pairs_are_those_of_the_plain_loop():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        lengths, window = rng.integers(0, 6, 5), int(rng.integers(1, 5))
        sentence_of = np.repeat(np.arange(5), lengths)
        tokens = rng.integers(0, 9, len(sentence_of))
        centers, contexts = _pairs(tokens, sentence_of, window, np.random.default_rng(seed))
        reach = np.random.default_rng(seed).integers(1, window + 1, len(tokens))
        plain = [
            (tokens[i], tokens[j])
            for i in range(len(tokens))
            for j in range(len(tokens))
            if i != j and sentence_of[i] == sentence_of[j] and abs(i - j) <= reach[i]
        ]
        assert sorted(zip(centers, contexts, strict=True)) == sorted(plain), seed


def test_the_urn_holds_rows_by_their_weights():
    assert np.bincount(_urn(np.array([1.0, 2.0, 5.0]), 80)).tolist() == [10, 20, 50]


def test_adding_rows_equals_numpy():
    rng = np.random.default_rng(0)
    rows, values = rng.integers(0, 4, 50), rng.normal(size=(50, 3))
    ours, numpys = np.zeros((4, 3)), np.zeros((4, 3))
    add_rows(ours, rows, values)
    np.add.at(numpys, rows, values)
    np.testing.assert_allclose(ours, numpys)


def topics(seed):
    rng = np.random.default_rng(seed)
    groups = [[f"{name}{i}" for i in range(10)] for name in ("animal", "tool", "city")]
    return [[*rng.choice(groups[n % 3], 5), "the", *rng.choice(groups[n % 3], 5)] for n in range(900)]


def test_words_of_one_topic_come_together_and_the_seed_repeats_it():
    model = Word2Vec.train(topics(0), d=16, rng=0)
    for word in ("animal3", "tool0", "city9"):
        assert all(near.rstrip("0123456789") == word[:-1] for near, _ in model.nearest(word, 9)), word
    again, other = Word2Vec.train(topics(0), d=16, rng=0), Word2Vec.train(topics(0), d=16, rng=1)
    np.testing.assert_array_equal(model.vectors, again.vectors)
    assert not np.array_equal(model.vectors, other.vectors)
    assert model.vectors.dtype == np.float32
    assert model.vectors.shape == (31, 16)


def test_nearest_leaves_the_word_itself_out_and_takes_vectors():
    model = Word2Vec(["a", "b", "c"], np.array([[1.0, 0.0], [1.0, 0.1], [-1.0, 0.0]]))
    assert [word for word, _ in model.nearest("a")] == ["b", "c"]
    assert model.nearest(np.array([-2.0, 0.0]), 1) == [("c", 1.0)]


def test_unknown_words_and_too_little_text():
    model = Word2Vec(["a"], np.ones((1, 2)))
    with pytest.raises(KeyError, match="'dog' has no vector"):
        model["dog"]
    for sentences in ([], [[]], [["a", "b"]]):
        with pytest.raises(ValueError, match="min_count"):
            Word2Vec.train(sentences)
    with pytest.raises(TypeError, match="a list of words"):
        Word2Vec.train(["one sentence", "another"], min_count=1)
    assert Word2Vec.train([["a"], ["a"]], min_count=1).words == ["a"]  # no pairs to learn from

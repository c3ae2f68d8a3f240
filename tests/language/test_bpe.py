"""The tokenizer equals HuggingFace's: same merges, same tokens, on prose, code and hundreds of random texts with many ties."""

import json
import random
import sys
import unicodedata
from collections import Counter
from itertools import pairwise
from pydoc_data.topics import topics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from mlcourse.language import BPETokenizer
from mlcourse.language.bpe import split

PROSE = "".join(topics.values())
ALPHABETS = [
    "ab",
    "a ",
    "abc ",
    "abcdefgh '",
    "aé漢1\n\t!",
    "ab\x1c\x85\u3000 x",
    "a²½Ⅷ٣5 _-",
    "'s tllve",
    "👋🏽e\u0301 ",
]


def huggingface(text, vocab_size):
    """A byte-level tokenizer trained on the same text, and its merges as pairs of tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        [text], trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
    )
    model = json.loads(tokenizer.to_str())["model"]
    return tokenizer, [tuple(model["vocab"][part] for part in merge) for merge in model["merges"]]


def plain_train(text, vocab_size):
    """The lesson's loop: count all pairs of all words anew for every merge."""
    tokenizer = BPETokenizer()
    token = {byte[0]: number for number, byte in enumerate(tokenizer.vocabulary)}
    words = [[token[byte] for byte in word.encode()] for word in split(text)]
    while len(tokenizer) < vocab_size:
        count = Counter(pair for word in words for pair in pairwise(word))
        if not count:
            break
        best = min(count, key=lambda pair: (-count[pair], pair))
        tokenizer = BPETokenizer([*tokenizer.merges, best])
        new = tokenizer.vocabulary.index(b"".join(tokenizer.vocabulary[token] for token in best))
        for word in words:
            i = 0
            while i < len(word) - 1:
                if (word[i], word[i + 1]) == best:
                    word[i : i + 2] = [new]
                i += 1
    return tokenizer


@pytest.mark.parametrize("vocab_size", [256, 300, 2000])
def test_equals_huggingface_on_prose(vocab_size):
    ours = BPETokenizer.train(PROSE[:200_000], vocab_size)
    theirs, merges = huggingface(PROSE[:200_000], vocab_size)
    assert ours.merges == merges
    other = PROSE[200_000:300_000]  # not trained on
    assert ours.encode(other) == theirs.encode(other).ids
    assert ours.decode(ours.encode(other)) == other


def test_equals_huggingface_on_300_random_texts_with_ties():
    for seed in range(300):
        choose = random.Random(seed)
        text = "".join(choose.choice(choose.choice(ALPHABETS)) for _ in range(choose.randint(0, 200)))
        vocab_size = 256 + choose.randint(0, 60)
        ours, (theirs, merges) = BPETokenizer.train(text, vocab_size), huggingface(text, vocab_size)
        assert ours.merges == merges, seed
        other = "".join(choose.choice("".join(ALPHABETS)) for _ in range(50))
        for sample in (text, other):
            assert ours.encode(sample) == theirs.encode(sample).ids, (seed, sample)


def test_equals_the_plain_loop():
    for seed in range(100):
        choose = random.Random(seed)
        text = "".join(choose.choice(choose.choice(ALPHABETS[:5])) for _ in range(choose.randint(0, 80)))
        assert BPETokenizer.train(text, 280).merges == plain_train(text, 280).merges, seed


@given(st.text(), st.text(max_size=30))
def test_every_text_comes_back(text, trained_on):
    tokenizer = BPETokenizer.train(trained_on, 300)
    tokens = tokenizer.encode(text)
    assert tokenizer.decode(tokens) == text
    assert tokenizer.encode(text) == tokens
    assert all(0 <= token < len(tokenizer) for token in tokens)
    assert "".join(split(text)) == text


@given(st.lists(st.text(alphabet="ab c", max_size=20), max_size=6))
def test_several_texts_are_trained_on_as_if_each_stood_alone(texts):
    merges = BPETokenizer.train(iter(texts), 270).merges
    assert merges == huggingface(texts, 270)[1]
    assert merges == BPETokenizer.train(texts[::-1], 270).merges
    assert merges == BPETokenizer.train(texts * 2, 270).merges  # only proportions matter


def test_it_is_saved_by_its_merges():
    tokenizer = BPETokenizer.train(PROSE[:20_000], 400)
    again = BPETokenizer(json.loads(json.dumps(tokenizer.merges)))
    assert again.vocabulary == tokenizer.vocabulary
    assert again.encode(PROSE[:5000]) == tokenizer.encode(PROSE[:5000])


def test_every_character_is_cut_as_its_unicode_category_says():
    """The pattern relies on this: what Python calls alphanumeric is what Unicode calls letters and numbers."""
    for code in range(sys.maxunicode + 1):
        sign = chr(code)
        assert sign.isalnum() == (unicodedata.category(sign)[0] in "LN"), hex(code)


def test_the_vocabulary_spells_the_merges():
    tokenizer = BPETokenizer.train("the theme of the theory " * 3, 264)
    assert sorted(tokenizer.vocabulary[:256]) == [bytes([byte]) for byte in range(256)]
    assert len(set(tokenizer.vocabulary)) == len(tokenizer) == 264
    for first, second in tokenizer.merges:
        assert tokenizer.vocabulary[first] + tokenizer.vocabulary[second] in tokenizer.vocabulary


def test_short_and_empty_texts_end_early():
    assert BPETokenizer.train("", 300).merges == []
    assert BPETokenizer.train([], 300).merges == []
    assert len(BPETokenizer.train("ab", 300)) == 257
    assert BPETokenizer().encode("") == []
    assert BPETokenizer().decode([]) == ""


def test_a_very_long_word_takes_no_forever():
    tokenizer = BPETokenizer.train(PROSE[:20_000], 500)
    word = "".join(random.Random(0).choice("abcdefghij") for _ in range(100_000))
    assert tokenizer.decode(tokenizer.encode(word)) == word


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: BPETokenizer.train("text", 255), ValueError, "256 bytes"),
        (lambda: BPETokenizer().decode([256]), IndexError, "from 0 to 255; got 256"),
        (lambda: BPETokenizer().decode([-1]), IndexError, "got -1"),
        (lambda: BPETokenizer().encode(b"text"), TypeError, "must be a str; got bytes"),
        (lambda: BPETokenizer.train([1, 2], 300), TypeError, "must be a str; got int"),
    ],
)
def test_errors_say_what_came(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_half_a_character_becomes_a_replacement():
    tokenizer = BPETokenizer()
    assert tokenizer.decode(tokenizer.encode("é")[:1]) == "�"

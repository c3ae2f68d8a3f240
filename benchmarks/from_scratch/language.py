"""Text: byte-pair encoding beside HuggingFace's tokenizers (Rust), word vectors beside PyTorch."""

from benchmarks.from_scratch.runner import Case


def _text(size):
    """Prose and code that every machine with Python has: the modules of the standard library."""
    import sysconfig
    from pathlib import Path

    text = ""
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        text += path.read_text(encoding="utf-8", errors="replace")
        if len(text) >= size:
            return text[:size]
    raise RuntimeError(f"the standard library holds {len(text)} characters only")


def _huggingface():
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def train_ours(size, vocab_size):
    from mlcourse.language import BPETokenizer

    text = _text(size)
    return lambda: len(BPETokenizer.train(text, vocab_size).encode(text[:10_000]))


def train_huggingface(size, vocab_size):
    from tokenizers import pre_tokenizers, trainers

    text, alphabet = _text(size), pre_tokenizers.ByteLevel.alphabet()

    def train():
        tokenizer = _huggingface()
        trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
        tokenizer.train_from_iterator([text], trainer)
        return len(tokenizer.encode(text[:10_000]).ids)

    return train


def encode_ours(size, vocab_size):
    from mlcourse.language import BPETokenizer

    text = _text(size)
    merges = BPETokenizer.train(text, vocab_size).merges
    return lambda: len(BPETokenizer(merges).encode(text))  # anew each time, for it remembers words


def encode_huggingface(size, vocab_size):
    from tokenizers import pre_tokenizers, trainers

    text, tokenizer = _text(size), _huggingface()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        [text], trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
    )
    saved = tokenizer.to_str()

    def encode():
        return len(type(tokenizer).from_str(saved).encode(text).ids)

    return encode


def encode_tiktoken(size, vocab_size):
    import tiktoken

    from mlcourse.language import BPETokenizer

    text = _text(size)
    ranks = {token: rank for rank, token in enumerate(BPETokenizer.train(text, vocab_size).vocabulary)}
    pattern = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    encoding = tiktoken.Encoding("course", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return lambda: len(encoding.encode_ordinary(text))


def _pairs(words, d, pairs=20_480, batch=256, negatives=5):
    """Pairs of words whose frequencies fall as those of language do (Zipf), and batches of them with random words."""
    import numpy as np

    rng = np.random.default_rng(0)
    near = np.minimum(rng.zipf(1.3, (2, pairs)), words) - 1
    strangers = rng.integers(0, words, (pairs, negatives))
    W = ((rng.random((words, d)) - 0.5) / d).astype(np.float32)
    C = rng.normal(0, 0.1, (words, d)).astype(np.float32)
    targets = np.concatenate([near[1][:, None], strangers], axis=1)
    return W, C, [(near[0][i : i + batch], targets[i : i + batch]) for i in range(0, pairs, batch)]


def vectors_ours(words, d):
    from mlcourse.language.word2vec import skip_gram_step

    W, C, batches = _pairs(words, d)

    def work():
        for centers, targets in batches:
            skip_gram_step(W, C, centers, targets, 0.001)
        return abs(W).sum()

    return work


def vectors_torch(words, d):
    import torch
    import torch.nn.functional as F

    W, C, batches = _pairs(words, d)
    w, c = (torch.nn.Embedding(words, d, sparse=True, _weight=torch.tensor(array)) for array in (W, C))
    optimizer = torch.optim.SGD([w.weight, c.weight], lr=0.001)
    batches = [(torch.tensor(centers), torch.tensor(targets)) for centers, targets in batches]
    right = torch.zeros(batches[0][1].shape)
    right[:, 0] = 1

    def work():
        for centers, targets in batches:
            scores = (w(centers)[:, None] * c(targets)).sum(-1)
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(scores, right, reduction="sum").backward()
            optimizer.step()
        return w.weight.detach().abs().sum()

    return work


SIZES = {"200 kB": {"size": 200_000, "vocab_size": 512}, "1 MB": {"size": 1_000_000, "vocab_size": 512}}

CASES = [
    Case("BPE train, 256 merges", SIZES, {"mlcourse": train_ours, "tokenizers": train_huggingface}, "tokenizers", 1.0),
    Case(
        "BPE encode",
        SIZES,
        {"mlcourse": encode_ours, "tokenizers": encode_huggingface, "tiktoken": encode_tiktoken},
        "tokenizers",
        1.0,
    ),
    Case(
        "word2vec, 20,480 pairs",
        {"1,000 words of 64": {"words": 1000, "d": 64}, "5,000 words of 128": {"words": 5000, "d": 128}},
        {"mlcourse": vectors_ours, "torch": vectors_torch},
        "torch",
        2.0,
    ),
]

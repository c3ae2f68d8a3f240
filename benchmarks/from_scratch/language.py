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
]

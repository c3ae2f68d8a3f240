"""Byte-pair encoding: a vocabulary grown from the 256 bytes by merging, again and again, the most frequent pair of neighbors.

Text is first cut into words, and merges never cross a cut. So each distinct word is worked on once, however often it occurs, and
for each pair we keep the words that contain it: a merge touches these alone. The most frequent pair is on top of a heap whose
entries may be out of date; they are corrected when they come up. A word in the making is a string whose characters stand for
tokens, ``chr(token)``, for then a merge of the pair "ab" into "c" is ``word.replace("ab", "c")``, which Python does very fast.

References
----------
Gage, P. (1994). A new algorithm for data compression. C Users Journal 12(2).
Sennrich, R., Haddow, B. and Birch, A. (2016). Neural machine translation of rare words with subword units. ACL.
Radford, A. et al. (2019). Language models are unsupervised multitask learners (GPT-2: bytes, and the pattern that cuts).
"""

from __future__ import annotations

import heapq
import re
import unicodedata
from collections import Counter, defaultdict
from functools import cache
from operator import add

# The first 256 tokens are the bytes in GPT-2's order: those that print, then the others. Of equally frequent pairs the first wins.
PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTES = bytes(PRINTABLE + [byte for byte in range(256) if byte not in PRINTABLE])
LETTER_OF_BYTE = [chr(BYTES.index(byte)) for byte in range(256)]  # the byte's token, as a character


class BPETokenizer:
    """Turns text into token numbers and back, for every text: what is not in its vocabulary is spelled in bytes.

    Parameters
    ----------
    merges : sequence of (int, int)
        Pairs of tokens, in the order in which they are merged. A tokenizer is saved by saving its ``merges``.

    Attributes
    ----------
    merges : list of (int, int)
    vocabulary : list of bytes
        What each token stands for.

    Examples
    --------
    >>> tokenizer = BPETokenizer.train("low lower lowest slow slower", vocab_size=259)
    >>> tokenizer.vocabulary[256:]
    [b'lo', b'low', b'lowe']
    >>> tokens = tokenizer.encode("slower")
    >>> [tokenizer.vocabulary[token] for token in tokens]
    [b's', b'lowe', b'r']
    >>> tokenizer.decode(tokens)
    'slower'
    """

    def __init__(self, merges=()):
        self.merges = []
        self.vocabulary = [bytes([byte]) for byte in BYTES]
        self._number = {token: number for number, token in enumerate(self.vocabulary)}
        self._merged = {}  # pair -> (place in the order of merges, result), all as characters
        self._words = {}  # tokens of the words that were encoded before
        for first, second in merges:
            self._add(chr(first) + chr(second))

    @classmethod
    def train(cls, text, vocab_size):
        """Learn merges from a text.

        Parameters
        ----------
        text : str or iterable of str
        vocab_size : int
            At least 256, the bytes. A short text may have fewer pairs to merge.

        Returns
        -------
        BPETokenizer
        """
        if vocab_size < 256:
            raise ValueError(f"BPETokenizer.train: vocab_size counts the 256 bytes too; got {vocab_size}")
        tokenizer, spelled = cls(), Counter()
        for part in [text] if isinstance(text, str) else text:
            spelled.update(split(part))
        words, times = [_spell(word) for word in spelled], list(spelled.values())
        count, where = _count_pairs(words, times)
        heap = [(-n, pair) for pair, n in count.items()]
        heapq.heapify(heap)
        while len(tokenizer.vocabulary) < vocab_size and (pair := _most_frequent(heap, count)):
            new, grown = tokenizer._add(pair), set()
            for number in where.pop(pair):
                for gone, made in _changes(words[number], pair, new):
                    count[gone] -= times[number]
                    count[made] += times[number]
                    where[made].add(number)
                    grown.add(made)
                words[number] = words[number].replace(pair, new)
            count[pair] = 0
            for made in grown:
                heapq.heappush(heap, (-count[made], made))
        return tokenizer

    def encode(self, text):
        """Return the tokens of a text.

        Parameters
        ----------
        text : str

        Returns
        -------
        list of int
        """
        tokens, known = [], self._words
        for word in split(text):
            found = known.get(word)
            if found is None:
                found = known[word] = self._encode_word(word)
            tokens += found
        return tokens

    def decode(self, tokens):
        """Return the text of tokens; bytes that are no UTF-8, as a cut in the middle of a character leaves them, become �.

        Parameters
        ----------
        tokens : iterable of int

        Returns
        -------
        str

        Raises
        ------
        IndexError
            If a token is not in the vocabulary.
        """
        tokens = list(tokens)
        if tokens and not 0 <= min(tokens) <= max(tokens) < len(self.vocabulary):
            raise IndexError(
                f"decode: tokens are from 0 to {len(self.vocabulary) - 1}; got {min(tokens)} to {max(tokens)}"
            )
        return b"".join(self.vocabulary[token] for token in tokens).decode(errors="replace")

    def __len__(self):
        return len(self.vocabulary)

    def _add(self, pair):
        """Take a merge into the vocabulary and return its token; two merges may make the same bytes and then share a token."""
        first, second = map(ord, pair)
        token = self.vocabulary[first] + self.vocabulary[second]
        if token not in self._number:
            self._number[token] = len(self.vocabulary)
            self.vocabulary.append(token)
        self._merged[pair] = len(self.merges), chr(self._number[token])
        self.merges.append((first, second))
        return chr(self._number[token])

    def _encode_word(self, word):
        """Merge as in training: always the pair that was learned first."""
        word, merged = _spell(word), self._merged
        while found := [merged[pair] + (pair,) for pair in _pairs(word) if pair in merged]:
            _, new, pair = min(found)
            word = word.replace(pair, new)
        return list(map(ord, word))


def split(text):
    """Cut a text into words as GPT-2 does: letters, digits or other signs, each with the space before; endings such as 's; spaces.

    Examples
    --------
    >>> split("It's 42,  really!")
    ['It', "'s", ' 42', ',', ' ', ' really', '!']
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a str; got {type(text).__name__}. Bytes become a str with .decode()")
    other_digits = {sign for sign in set(text) if unicodedata.category(sign) in ("Nl", "No")}  # such as ² and Ⅷ
    return _pattern("".join(sorted(other_digits))).findall(text)


@cache
def _pattern(other_digits):
    r"""GPT-2's pattern in the words of `re`, which knows \w (letters and all digits) and \d, but has no name for letters alone."""
    letter, digit = rf"[^\W\d_{other_digits}]", rf"[\d{other_digits}]"
    space, no_space = r"[^\S\x1c-\x1f]", r"[\S\x1c-\x1f]"  # four controls are space for Python, not for Unicode
    sign = r"(?:[^\s\w]|[_\x1c-\x1f])"
    return re.compile(f"'(?:[sdmt]|ll|ve|re)| ?{letter}+| ?{digit}+| ?{sign}+|{space}+(?!{no_space})|{space}+")


def _count_pairs(words, times):
    """How often each pair of neighbors occurs, and the numbers of the words that it occurs in."""
    count, where = defaultdict(int), defaultdict(set)
    for number, word in enumerate(words):
        for pair in _pairs(word):
            count[pair] += times[number]
            where[pair].add(number)
    return count, where


def _most_frequent(heap, count):
    """Take the most frequent pair off the heap; None if there is none. Entries whose count has changed go back, corrected."""
    while heap:
        n, pair = heapq.heappop(heap)
        if count[pair] > 0:
            if -n == count[pair]:
                return pair
            heapq.heappush(heap, (-count[pair], pair))
    return None


def _changes(word, pair, new):
    """For every neighbor of every occurrence of a pair: the pair that goes and the one that comes when `new` takes the place.

    Examples
    --------
    >>> _changes("xabaab", "ab", "N")
    [('xa', 'xN'), ('ba', 'Na'), ('aa', 'aN')]
    """
    (first, second), end, changes = pair, 0, []
    while (begin := word.find(pair, end)) >= 0:
        if begin > 0:
            left = new if begin == end else word[begin - 1]
            changes.append((left + first, left + new))
        end = begin + 2
        if end < len(word):
            changes.append((second + word[end], new + word[end]))
    return changes


def _spell(word):
    """A word as the tokens of its bytes, each a character."""
    return "".join([LETTER_OF_BYTE[byte] for byte in word.encode()])


def _pairs(word):
    """All pairs of neighbors: _pairs("abc") gives "ab" and "bc"."""
    return map(add, word, word[1:])

"""Language: how text becomes numbers.

>>> from mlcourse.language import BPETokenizer
>>> tokenizer = BPETokenizer.train("low lower lowest slow slower", vocab_size=260)
>>> tokenizer.decode(tokenizer.encode("slowest"))
'slowest'
"""

from mlcourse.language.bpe import BPETokenizer
from mlcourse.language.word2vec import Word2Vec

__all__ = ["BPETokenizer", "Word2Vec"]

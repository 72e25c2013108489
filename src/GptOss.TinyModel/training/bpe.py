"""Byte-level BPE: learns merges from texts, writes tokenizer.json as Hugging Face does, and encodes."""

import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict

MARKERS = (
    "<|startoftext|> <|endoftext|> <|return|> <|constrain|> <|channel|> <|start|> <|end|> <|message|> <|call|>"
).split()

# The split of o200k, the tokenizer of gpt-oss: words with what stands before them, up to three digits, signs, space.
SPLIT = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _with_classes(pattern):
    """The pattern with \\p{..} spelled out as ranges of characters, which Python's re knows no name for."""
    members = {}
    for code in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        for name in (category, category[0]):
            ranges = members.setdefault(name, [])
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])

    def spelled(name):
        return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in members[name])

    pattern = pattern.replace(r"|\p{N}{1,3}", rf"|[{spelled('N')}]{{1,3}}")
    return re.sub(r"\\p\{(\w+)\}", lambda found: spelled(found[1]), pattern)


def _letters_of_bytes():
    """The letter that stands for each byte in tokenizer.json: itself where it is visible, else one from 256 on."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in visible]
    return {b: chr(b) for b in visible} | {b: chr(256 + n) for n, b in enumerate(hidden)}


LETTERS = _letters_of_bytes()
BYTES = {letter: b for b, letter in LETTERS.items()}


class Tokenizer:
    """Text with markers to ids and back; the markers are taken as ids wherever they stand."""

    def __init__(self, vocabulary, merges):
        self.ids = dict(vocabulary)
        self.ranks = {tuple(pair): rank for rank, pair in enumerate(merges)}
        first = len(vocabulary)
        self.markers = {marker: first + n for n, marker in enumerate(MARKERS)}
        self._texts = {i: bytes(BYTES[c] for c in token) for token, i in self.ids.items()}
        self._texts |= {i: marker.encode() for marker, i in self.markers.items()}
        self._split = re.compile(_with_classes(SPLIT))
        self._marker = re.compile("(" + "|".join(map(re.escape, MARKERS)) + ")")
        self._words = {}

    @staticmethod
    def load(path):
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        pairs = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in content["model"]["merges"]]
        return Tokenizer(content["model"]["vocab"], pairs)

    def words(self, text):
        """The pieces of the split, in the letters that stand for their bytes."""
        for found in self._split.finditer(text):
            yield "".join(LETTERS[b] for b in found[0].encode())

    def encode(self, text):
        ids = []
        for part in self._marker.split(text):
            if part in self.markers:
                ids.append(self.markers[part])
            else:
                for word in self.words(part):
                    if word not in self._words:
                        self._words[word] = [self.ids[token] for token in self._merged(word)]
                    ids += self._words[word]
        return ids

    def decode(self, ids):
        return b"".join(self._texts.get(int(i), b"") for i in ids).decode("utf-8", "replace")

    def _merged(self, word):
        tokens = list(word)
        while True:
            ranks = [self.ranks.get(pair, sys.maxsize) for pair in zip(tokens, tokens[1:])]
            if not ranks or min(ranks) == sys.maxsize:
                return tokens
            at = ranks.index(min(ranks))
            tokens[at : at + 2] = [tokens[at] + tokens[at + 1]]

    def save(self, path):
        added = [
            dict(id=i, content=marker, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
            for marker, i in self.markers.items()
        ]
        byte_level = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=False)
        split = dict(type="Split", pattern={"Regex": SPLIT}, behavior="Isolated", invert=False)
        model = dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None)
        model |= dict(end_of_word_suffix=None, fuse_unk=False, byte_fallback=False, ignore_merges=False)
        model |= dict(vocab=self.ids, merges=[list(pair) for pair in self.ranks])
        content = dict(version="1.0", truncation=None, padding=None, added_tokens=added, normalizer=None)
        content |= dict(pre_tokenizer=dict(type="Sequence", pretokenizers=[split, byte_level]))
        content |= dict(post_processor=None, decoder=byte_level, model=model)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1)


def train(texts, size=944):
    """Learns `size` tokens: the 256 bytes, then the pair that is seen most often, again and again.

    Digits are never merged: sums are done column by column, and a column is then a token.
    """
    letters = [LETTERS[b] for b in range(256)]
    tokenizer = Tokenizer({letter: i for i, letter in enumerate(letters)}, [])
    seen = Counter()
    for text in texts:
        for part in tokenizer._marker.split(text):
            if part not in tokenizer.markers:
                seen.update(tokenizer.words(part))
    words = [(list(word), count) for word, count in seen.items() if len(word) > 1 and not word[0].isdigit()]
    pairs, holders = Counter(), defaultdict(set)  # how often each pair is seen, and the words that hold it
    for n, (tokens, count) in enumerate(words):
        for pair in zip(tokens, tokens[1:]):
            pairs[pair] += count
            holders[pair].add(n)
    vocabulary, merges = dict(tokenizer.ids), []
    while len(vocabulary) < size:
        best = max(pairs, key=lambda pair: (pairs[pair], pair), default=None)
        if best is None or pairs[best] < 1:
            raise ValueError(f"The texts give {len(vocabulary)} tokens of the {size} asked for: bring more texts.")
        merges.append(best)
        vocabulary.setdefault("".join(best), len(vocabulary))
        for n in holders.pop(best):
            tokens, count = words[n]
            for pair in zip(tokens, tokens[1:]):
                pairs[pair] -= count
            _merge(tokens, best)
            for pair in zip(tokens, tokens[1:]):
                pairs[pair] += count
                holders[pair].add(n)
    return Tokenizer(vocabulary, merges)


def _merge(tokens, pair):
    """Makes one token of every place where the pair stands."""
    at = 0
    while at < len(tokens) - 1:
        if (tokens[at], tokens[at + 1]) == pair:
            tokens[at : at + 2] = ["".join(pair)]
        at += 1

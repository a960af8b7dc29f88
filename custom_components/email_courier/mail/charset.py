"""Text in a character set that nobody names: UTF-8, else the one in which it reads most plausibly.

Servers may answer in the language and the character set of their home (RFC 6531 section 3.7.4.2
allows UTF-8 alone, and only after SMTPUTF8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
import re

_LEAST = 0.6
"""How plausible a reading has to be."""
_FEWEST = 3
"""Letters that tell an alphabet."""

# Compiled when they are first used: few servers have anything to say that is not UTF-8.
_MIXED_WORD = r"[A-Za-z][\u0370-\u04ff]|[\u0370-\u04ff][A-Za-z]"
_WORD_WITH_HIGH = r"[A-Za-z]*[^\x00-\x7f][A-Za-z]*(?:[^\x00-\x7f]+[A-Za-z]*)*"
_KANA = "[\u3040-\u30ff]"
_HALF_WIDTH = "[\uff61-\uff9f]"
_IDEOGRAPH = "[\u3400-\u9fff]"
_INSIDE_WORD = "[A-Za-z][\u3400-\u9fff][A-Za-z]"
_HANGUL = "[\uac00-\ud7a3]"
_WIDE = "[\u2e80-\ud7ff\uf900-\uffef]"
_COMMON_HANGUL = frozenset(
    "가간거게결계고과관구그기까나내는니다대더데도되드들등디때라러로록류르를리마만메며면명모못무문물"
    "바발밀받방번법보부비사상서성세소송수스습시신실아안않알야어없에여연오와요용우운원위으은을의이인"
    "일입있자잘잠장재저전접정제조주중증지차처청초추출치크키트패하한할합해호확황후회"
)
"""Syllables that most Korean words of a mail server are made of."""
_SIGNS = frozenset(
    "\u00a0\u00a7\u00a9\u00ab\u00b0\u00bb\u2013\u2014\u2018\u2019\u201c\u201d\u201e\u2026\u20ac"
)
"""What any of the single-byte character sets may have between its words."""
_SINGLE_BYTE = (
    (
        "windows-1252",
        "ßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿœšžÀÁÂÃÄÅÆÇÈÉÊËÍÎÑÓÔÕÖØÙÚÛÜŒŠŽ¿¡",
    ),
    ("windows-1250", "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽőűŐŰăâîşŞ"),
    ("windows-1254", "çğıöşüÇĞİÖŞÜâîû"),
)
"""Latin letters and signs that texts in a character set are made of, the more widely used first."""
_SCRIPTS = (
    ("windows-1251", "[\u0401-\u045f\u0490\u0491№]"),
    ("windows-1253", "[\u0384-\u03ce]"),
)


def decode(raw: bytes) -> str:
    """Return the text of bytes; what no reading makes sense of becomes replacement characters."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass
    best, text = _LEAST, None
    for charset, measure in _READINGS:
        try:
            reading = raw.decode(charset)
        except UnicodeDecodeError:
            continue
        if (plausibility := measure(reading)) > best:
            best, text = plausibility, reading
    return raw.decode("utf-8", "replace") if text is None else text


def _share(letters: Iterable[str], count: Callable[[str], bool]) -> float:
    """Return which share of letters counts; 0 without any."""
    every = list(letters)
    return sum(map(count, every)) / len(every) if every else 0.0


def _not_ascii(text: str) -> list[str]:
    return [letter for letter in text if letter > "\x7f" and letter not in _SIGNS]


def _chinese(charset: str, most_common: range) -> Callable[[str], float]:
    """Return the share of the ideographs that a charset has among the most common ones."""

    def is_common(letter: str) -> bool:
        try:
            return letter.encode(charset)[0] in most_common
        except UnicodeEncodeError:
            return False

    def measure(text: str) -> float:
        if (
            not re.search(_IDEOGRAPH, text)
            or re.search(_INSIDE_WORD, text)
            or re.search(_HALF_WIDTH, text)
        ):
            return 0.0
        return _share(re.findall(_WIDE, text), is_common) * _share(_not_ascii(text), _is_wide)

    return measure


def _is_wide(letter: str) -> bool:
    return re.match(_WIDE, letter) is not None


def _japanese(text: str) -> float:
    """Japanese has kana between its ideographs, and nobody uses the narrow ones."""
    if re.search(_HALF_WIDTH, text) or not re.search(_KANA, text):
        return 0.0
    kana = _share(re.findall(_WIDE, text), lambda letter: re.match(_KANA, letter) is not None)
    return min(1.0, 0.7 + kana) * _share(_not_ascii(text), _is_wide)


def _korean(text: str) -> float:
    if not re.search(_HANGUL, text):
        return 0.0
    common = _share(re.findall(_WIDE, text), lambda letter: letter in _COMMON_HANGUL)
    return 1.0 if common > 0.5 else 0.0


def _latin(letters: str) -> Callable[[str], float]:
    """Return the share of known letters, in words that are mostly ASCII."""

    def measure(text: str) -> float:
        words = "".join(re.findall(_WORD_WITH_HIGH, text))
        plain = _share(words, str.isascii)
        return _share(_not_ascii(text), letters.__contains__) if plain >= 0.4 else 0.0

    return measure


def _of_script(script: str) -> Callable[[str], float]:
    """Return the share of a script's letters, where no capital follows a small one."""

    def measure(text: str) -> float:
        known = _share(_not_ascii(text), lambda letter: re.match(script, letter) is not None)
        is_odd = any(
            small.islower() and capital.isupper() and min(small, capital) > "\x7f"
            for small, capital in pairwise(text)
        )
        is_odd = is_odd or re.search(_MIXED_WORD, text) is not None
        return 0.0 if is_odd or len(_not_ascii(text)) < _FEWEST else known

    return measure


_READINGS = (
    ("euc_kr", _korean),
    ("gb18030", _chinese("gb2312", range(0xA1, 0xD8))),
    ("big5", _chinese("big5", range(0xA1, 0xC7))),
    ("shift_jis", _japanese),
    *((charset, _of_script(script)) for charset, script in _SCRIPTS),
    *((charset, _latin(letters)) for charset, letters in _SINGLE_BYTE),
)
"""Of readings that are as plausible as each other, the first one counts."""

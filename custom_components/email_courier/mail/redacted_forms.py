"""The forms in which a secret can come back: as it is, in capitals, misread, in hex and base64."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
import re
from typing import Final
import unicodedata

SHORTEST: Final = 4
"""Characters below which blotting out would only make a reply unreadable, and show the secret.

A secret that is shorter is looked for together with its username.
"""
SHORT: Final = 8
"""Characters below which ordinary words, put together, may happen to be the same."""

BLANKS: Final = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+"
)
"""What is seen as a blank or not at all."""

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Form:
    """What to look for in a folded text without blanks.

    is_word: only where it is no part of a longer word. is_encoded: the secret is but a part of
    what was encoded, and the rest is to be hidden with it.
    """

    text: str
    is_word: bool = False
    is_encoded: bool = False


def fold(text: str) -> str:
    """Return a text in small letters, with as many characters as it had."""
    return text.replace("\u0130", "i").lower()


def forms_of(secret: str, username: str) -> Iterator[Form]:
    """Return every form of a secret that is long enough to be told from anything else."""
    yield from (Form(text) for text in _written(secret))
    for data in _bytes_of(secret):
        encoded = [data.hex(), *_inside_base64(data)]
        yield from (Form(fold(text), is_encoded=True) for text in encoded if len(text) >= SHORTEST)
    if len(BLANKS.sub("", secret)) < SHORTEST:
        yield from _with_username(secret, username)


def _with_username(secret: str, username: str) -> Iterator[Form]:
    """Return the forms of a short secret: beside its username, and encoded as a whole."""
    yield from (Form(text, is_word=True) for text in _written(f"{username}:{secret}"))
    encoded = (
        secret,
        f"{username}:{secret}",
        f"\0{username}\0{secret}",
        f"{username}\0{username}\0{secret}",
    )
    for whole in encoded:
        text = base64.b64encode(whole.encode("utf-8", "replace")).decode().rstrip("=")
        if len(text) >= SHORTEST:
            yield Form(fold(text), is_word=True, is_encoded=True)


def hint_of(words: str) -> Iterator[Form]:
    """Return the forms of what is no secret, but private."""
    yield from (Form(text, is_word=True) for text in _written(words))
    if len(words) >= SHORT:
        for data in _bytes_of(words):
            yield from (Form(fold(text), is_encoded=True) for text in _inside_base64(data))


def _written(secret: str) -> Iterator[str]:
    """Return how it may be written, also where its characters are misread."""
    texts = {secret, *(unicodedata.normalize(form, secret) for form in ("NFC", "NFD", "NFKC"))}
    if not secret.isascii():
        texts.add(secret.encode("utf-8", "replace").decode("latin-1"))
        if len(BLANKS.sub("", _NOT_ASCII.sub("", secret))) >= SHORTEST:
            texts |= {_NOT_ASCII.sub(lost, secret) for lost in ("\ufffd", "?", "")}
    texts |= {text.upper() for text in texts}
    for text in sorted({fold(BLANKS.sub("", text)) for text in texts}):
        if len(text) >= SHORTEST:
            yield text


def _bytes_of(secret: str) -> list[bytes]:
    """Return its bytes in the character sets of mail."""
    # Servers and people leave out blanks before it is encoded.
    texts = dict.fromkeys((secret, secret.strip(), BLANKS.sub("", secret)))
    data = [text.encode("utf-8", "replace") for text in texts if text]
    if not secret.isascii() and _NOT_ASCII.sub("", secret) and max(secret) <= "\xff":
        data.append(secret.encode("latin-1"))
    return data


def _inside_base64(data: bytes) -> Iterator[str]:
    """Return what base64 of anything that holds these bytes has in it (RFC 4648 section 4).

    Three bytes are four characters, so there are three ways for them to come to stand; the
    characters at both ends depend on the bytes beside them.
    """
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data + bytes(2)).decode()
        first = (before * 8 + 5) // 6
        last = (before + len(data)) * 8 // 6
        inner = encoded[first:last]
        yield inner
        yield inner.translate({ord("+"): "-", ord("/"): "_"})

"""Inputs for parsers that nobody sane would write, made of sane ones."""

from collections.abc import Callable
import json
from random import Random
from typing import Any

INPUTS = 10_000
"""So many each parser is given."""

_ODD = (
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "\u0663".encode(),
    "\u202e\uff15".encode(),
    b"-1",
    b"9" * 20,
    b"9" * 400,
    b"9" * 5000,
    b"1e999",
    b"\n",
    b"\r",
    b" ",
    b"<" * 30,
    b"[" * 30,
    b"%",
)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    -10,
    2**31,
    2**64,
    10**400,
    1.5,
    -1e308,
    float("inf"),
    float("nan"),
    "",
    "\u0663",
    "\0",
    "\ud800",
    "9" * 5000,
    "1e999",
    "x" * 3000,
    [],
    [[]],
    {},
    {"version": 1},
)


def bent(chance: Random, sample: bytes) -> bytes:
    """Return a sample after one to four accidents; now and then bytes that are none of it."""
    if chance.random() < 0.1:
        return chance.randbytes(chance.randrange(80))
    for _ in range(chance.randint(1, 4)):
        sample = chance.choice(_ACCIDENTS)(chance, sample)
    return sample


def _flip(chance: Random, sample: bytes) -> bytes:
    if not sample:
        return sample
    place = chance.randrange(len(sample))
    return sample[:place] + bytes((sample[place] ^ 1 << chance.randrange(8),)) + sample[place + 1 :]


def _cut(chance: Random, sample: bytes) -> bytes:
    return sample[: chance.randint(0, len(sample))]


def _leave_out(chance: Random, sample: bytes) -> bytes:
    start, end = _range(chance, sample)
    return sample[:start] + sample[end:]


def _double(chance: Random, sample: bytes) -> bytes:
    start, end = _range(chance, sample)
    return sample[:end] + sample[start:]


def _insert(chance: Random, sample: bytes) -> bytes:
    place = chance.randint(0, len(sample))
    return sample[:place] + chance.choice(_ODD) + sample[place:]


def _range(chance: Random, sample: bytes) -> tuple[int, int]:
    start = chance.randint(0, len(sample))
    return start, min(len(sample), start + chance.randint(1, 40))


_ACCIDENTS: tuple[Callable[[Random, bytes], bytes], ...] = (
    _flip,
    _flip,
    _cut,
    _leave_out,
    _double,
    _insert,
)


def bent_value(chance: Random, value: Any) -> Any:
    """Return plain data of which a part has become something else, or is missing."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        if chance.random() < 0.1:
            return {name: one for name, one in value.items() if name != key}
        return value | {key: bent_value(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.9:
        place = chance.randrange(len(value))
        return [*value[:place], bent_value(chance, value[place]), *value[place + 1 :]]
    return chance.choice(_VALUES)


def bent_json(chance: Random, value: Any) -> bytes:
    """Return JSON of other values, JSON with accidents, or what nests without an end."""
    kind = chance.random()
    if kind < 0.002:
        return b"[" * 50_000
    if kind < 0.3:
        return bent(chance, json.dumps(value).encode())
    for _ in range(chance.randint(1, 2)):
        value = bent_value(chance, value)
    return json.dumps(value).encode()

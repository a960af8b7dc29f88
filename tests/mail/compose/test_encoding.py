"""Bodies as 7-bit lines."""

import base64
from collections.abc import Callable
import quopri

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.compose.encoding import (
    base64_lines,
    base64_size,
    body_text,
    encode_text,
)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("", "7bit"),
        ("The laundry is done.\n", "7bit"),
        ("a\ttab\n", "7bit"),
        ("x" * 78 + "\n", "7bit"),
        ("x" * 79 + "\n", "quoted-printable"),
        (".\n", "quoted-printable"),
        ("From here\n", "quoted-printable"),
        ("blank \n", "quoted-printable"),
        ("Grüße aus dem Keller\n", "quoted-printable"),
        ("日本語\n", "base64"),
    ],
)
def test_text_stays_as_legible_as_it_can_safely_be(text: str, encoding: str) -> None:
    assert encode_text(text)[0] == encoding


@given(st.text().map(body_text))
def test_text_survives_its_encoding(text: str) -> None:
    encoding, data = encode_text(text)
    decoders: dict[str, Callable[[bytes], bytes]] = {
        "7bit": bytes,
        "quoted-printable": quopri.decodestring,
        "base64": base64.b64decode,
    }

    assert decoders[encoding](data) == text.replace("\n", "\r\n").encode()
    assert data.isascii()
    assert all(len(line) <= 78 for line in data.split(b"\r\n"))
    assert b"\n" not in data.replace(b"\r\n", b"")


@pytest.mark.parametrize("length", [0, 1, 2, 3, 56, 57, 58, 57 * 1024 - 1, 57 * 1024, 150_001])
def test_base64_has_the_size_foretold_and_the_standard_form(length: int) -> None:
    data = bytes(i % 251 for i in range(length))
    encoded = b"".join(base64_lines([data]))

    assert encoded == base64.encodebytes(data).replace(b"\n", b"\r\n")
    assert base64_size(length) == len(encoded)

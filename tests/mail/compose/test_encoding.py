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


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("From here\n", b"=46rom here\r\n"),
        ("a\nFrom \nFrom: b\n>From c\n", b"a\r\nFrom=20\r\nFrom: b\r\n>From c\r\n"),
        ("From " + "x" * 70 + "\n", b"=46rom =\r\n" + b"x" * 70 + b"\r\n"),
        ("x" * 75 + "From here\n", b"x" * 75 + b"=\r\n=46rom here\r\n"),
        ("x" * 71 + "From \n", b"x" * 71 + b"From=\r\n=20\r\n"),
        (".\n..\n", b"=2E\r\n..\r\n"),
    ],
)
def test_no_line_is_taken_for_another_mail_or_for_the_end(text: str, quoted: bytes) -> None:
    assert encode_text(text) == ("quoted-printable", quoted)


@given(
    st.lists(st.sampled_from(["From ", ".", "\n", "x" * 71, "é", " "])).map("".join).map(body_text)
)
def test_no_text_makes_such_a_line(text: str) -> None:
    encoding, data = encode_text(text)

    assert not any(line == b"." or line.startswith(b"From ") for line in data.split(b"\r\n"))
    if encoding == "quoted-printable":
        assert quopri.decodestring(data) == text.replace("\n", "\r\n").encode()
        assert all(len(line) <= 76 for line in data.split(b"\r\n"))


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


@pytest.mark.parametrize(
    "length", [0, 1, 2, 3, 56, 57, 58, 57 * 256 - 1, 57 * 256, 57 * 256 + 1, 150_001]
)
def test_base64_has_the_size_foretold_and_the_standard_form(length: int) -> None:
    data = bytes(i % 251 for i in range(length))
    encoded = b"".join(base64_lines([data]))

    assert encoded == base64.encodebytes(data).replace(b"\n", b"\r\n")
    assert base64_size(length) == len(encoded)

"""Which type a file is of."""

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.compose.content_type import (
    UNKNOWN,
    content_type,
    is_content_type,
    usual_suffix,
)

ZIP = b"PK\x03\x04rest"
MP4 = b"\x00\x00\x00\x18ftypisom"


@pytest.mark.parametrize(
    ("head", "filename", "declared", "expected"),
    [
        (b"\xff\xd8\xff\xe0", "", None, "image/jpeg"),
        (b"\xff\xd8\xff\xfe\x00\x10Lavc", "snapshot.jpg", None, "image/jpeg"),
        (b"\xff\xd8\xff\xe0", "named.png", "image/png", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "x", None, "image/png"),
        (b"GIF89a", "x", None, "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "x", None, "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "x", None, "audio/wav"),
        (b"RIFF\x00\x00\x00\x00????", "x.avi", None, "video/vnd.avi"),
        (MP4, "x", None, "video/mp4"),
        (MP4, "sound.m4a", None, "audio/mp4"),
        (b"\x00\x00\x00\x18ftypheic", "x", None, "image/heic"),
        (b"%PDF-1.4", "x.txt", None, "application/pdf"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "x", None, "image/svg+xml"),
        (b"<html><svg></svg></html>", "x.html", None, "text/html"),
        (ZIP, "x", None, "application/zip"),
        (
            ZIP,
            "a.xlsx",
            None,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        (ZIP, "a.jpg", "image/jpeg", "application/zip"),
        (b"\x1f\x8b\x08", "a.tar.gz", None, "application/gzip"),
        (b"a;b", "a.csv", None, "text/csv"),
        (b"a;b", "A.CSV", None, "text/csv"),
        (b"a;b", "a.csv", "application/x-table", "application/x-table"),
        (b"a;b", "a.csv", "application/octet-stream", "text/csv"),
        (b"a;b", "a", "Text/Plain; charset=x", "text/plain"),
        (b"a: b", "a.yaml", None, "application/yaml"),
        (b"hello", "http://x/y.txt", None, "text/plain"),
        (b"hello", "nothing", None, UNKNOWN),
        (b"", "", None, UNKNOWN),
        (b"From: a\r\n", "mail.eml", None, UNKNOWN),
        (b"--b", "x", "multipart/mixed", UNKNOWN),
    ],
)
def test_content_is_believed_before_the_source_and_the_name(
    head: bytes, filename: str, declared: str | None, expected: str
) -> None:
    assert content_type(head, filename, declared) == expected


@given(st.binary(max_size=40), st.text())
def test_any_file_has_a_type_that_can_be_written(head: bytes, filename: str) -> None:
    assert is_content_type(content_type(head, filename))


@pytest.mark.parametrize("text", ["", "image", "image/", "/png", "a/b/c", "a b/c", "a/b\r\nX: y"])
def test_what_is_no_type_is_known(text: str) -> None:
    assert not is_content_type(text)


def test_a_type_has_its_usual_suffix() -> None:
    assert usual_suffix("image/jpeg") == ".jpg"
    assert usual_suffix("no/such") == ""

"""Attachments from memory and from disk."""

from email import message_from_bytes, policy
import os
from pathlib import Path

import pytest

from custom_components.email_courier.mail.compose.attachments import (
    attachment_part,
    visible_name,
)
from custom_components.email_courier.mail.compose.content import (
    Attachment,
    ContentError,
    ContentFault,
)

from .cases import JPEG, PNG


@pytest.mark.parametrize(
    ("filename", "visible"),
    [
        ("photo.png", "photo.png"),
        ("/config/www/photo.png", "photo.png"),
        ("../../photo.png", "photo.png"),
        ("C:\\house\\photo.png", "photo.png"),
        ("a\r\nX-Evil: 1\0.png", "a X-Evil: 1 .png"),
        ('say "hi".png', 'say "hi".png'),
        ("🔥 Küche.png", "🔥 Küche.png"),
        ("photo\u202egnp.exe", "photognp.exe"),
        (".htaccess", ".htaccess"),
        ("..", "attachment.png"),
        ("folder/", "attachment.png"),
        ("\ud800.png", "\ufffd.png"),
        ("", "attachment.png"),
        ("a" * 300 + ".jpeg", "a" * 145 + ".jpeg"),
        ("b" * 300, "b" * 150),
    ],
)
def test_a_reader_sees_a_harmless_file_name(filename: str, visible: str) -> None:
    assert visible_name(filename, "image/png") == visible


@pytest.mark.parametrize("content_id", [None, "door"])
def test_a_picture_is_attached_or_inline(content_id: str | None) -> None:
    part = attachment_part(Attachment("door.jpg", JPEG), content_id)
    data = b"".join(part.pieces())
    read = message_from_bytes(data, policy=policy.default)

    assert part.size == len(data)
    assert read.get_content_type() == "image/jpeg"
    assert read.get_payload(decode=True) == JPEG
    assert read.get_filename() == "door.jpg"
    assert read.get_content_disposition() == ("inline" if content_id else "attachment")
    assert read["Content-ID"] == ("<door>" if content_id else None)


@pytest.mark.parametrize("size", [0, 1, 4096, 58_368, 200_000])
def test_a_file_is_read_piece_by_piece_and_arrives_whole(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = tmp_path / "data.bin"
    path.write_bytes(content)
    part = attachment_part(Attachment("data.bin", path))
    pieces = list(part.pieces())

    assert part.size == sum(map(len, pieces))
    assert max(map(len, pieces)) < 100_000
    assert message_from_bytes(b"".join(pieces)).get_payload(decode=True) == content


@pytest.mark.parametrize(
    ("content", "charset"),
    [("a;ü".encode(), "utf-8"), (b"a;\xfc;b", None), ("ü".encode() * 3000, "utf-8")],
)
def test_a_text_file_names_utf8_only_when_it_is(content: bytes, charset: str | None) -> None:
    data = b"".join(attachment_part(Attachment("a.csv", content)).pieces())

    assert message_from_bytes(data).get_content_charset() == charset


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContentError) as raised:
        attachment_part(Attachment("no\nfile.png", tmp_path / "file.png"))

    assert raised.value.field == "attachments"
    assert raised.value.reason is ContentFault.ATTACHMENT_NOT_FOUND
    assert raised.value.facts == {"filename": "no file.png"}


def test_a_file_below_a_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ContentError) as raised:
        attachment_part(Attachment("x", tmp_path / "file" / "x"))

    assert raised.value.reason is ContentFault.ATTACHMENT_NOT_FOUND


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "null"])
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    else:
        path = Path("\0")
    with pytest.raises(ContentError) as raised:
        attachment_part(Attachment("x", path))

    assert raised.value.reason is ContentFault.ATTACHMENT_UNREADABLE


def test_a_file_that_vanishes_before_it_is_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "door.png"
    path.write_bytes(PNG)
    part = attachment_part(Attachment("door.png", path))
    path.unlink()
    with pytest.raises(ContentError) as raised:
        list(part.pieces())

    assert raised.value.reason is ContentFault.ATTACHMENT_NOT_FOUND


def test_a_file_that_must_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "door.png"
    path.write_bytes(PNG)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ContentError) as raised:
        attachment_part(Attachment("door.png", path))

    assert raised.value.reason is ContentFault.ATTACHMENT_UNREADABLE


def test_a_declared_type_that_is_none_is_refused() -> None:
    with pytest.raises(ContentError) as raised:
        attachment_part(Attachment("x", b"", "image/png\r\nX-Evil: 1"))

    assert raised.value.reason is ContentFault.CONTENT_TYPE_INVALID
    assert raised.value.facts == {"content_type": "image/png X-Evil: 1"}

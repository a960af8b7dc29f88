"""Attachments from memory and from disk."""

from email import message_from_bytes, policy
import os
from pathlib import Path

import pytest

from custom_components.email_courier.mail.compose.attachments import attachment_part, visible_name
from custom_components.email_courier.mail.compose.content import (
    Attachment,
    ContentError,
    ContentFault,
)
from custom_components.email_courier.mail.files import open_file

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
    part = attachment_part(Attachment("data.bin", open_file(path)))
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


def test_a_file_that_loses_its_name_arrives_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "door.png"
    path.write_bytes(PNG)
    part = attachment_part(Attachment("door.png", open_file(path)))
    path.unlink()

    assert message_from_bytes(b"".join(part.pieces())).get_payload(decode=True) == PNG


@pytest.mark.parametrize("when", ["looked at", "read"])
def test_a_file_that_becomes_shorter_is_named(tmp_path: Path, when: str) -> None:
    path = tmp_path / "door.png"
    path.write_bytes(PNG)
    attachment = Attachment("no\ndoor.png", open_file(path))
    part = attachment_part(attachment) if when == "read" else None
    os.truncate(path, 0)
    with pytest.raises(ContentError) as raised:
        list((part or attachment_part(attachment)).pieces())

    assert raised.value.field == "attachments"
    assert raised.value.reason is ContentFault.ATTACHMENT_CHANGED
    assert raised.value.facts == {"filename": "no door.png"}


def test_a_file_that_grows_arrives_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "door.png"
    path.write_bytes(PNG)
    part = attachment_part(Attachment("door.png", open_file(path)))
    with path.open("ab") as file:
        file.write(b"more")
    data = b"".join(part.pieces())

    assert part.size == len(data)
    assert message_from_bytes(data).get_payload(decode=True) == PNG


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "door.png"
    path.write_bytes(PNG)
    attachment = Attachment("door.png", open_file(path))

    def refuse(*_: object) -> bytes:
        raise PermissionError

    monkeypatch.setattr(os, "pread", refuse)
    with pytest.raises(ContentError) as raised:
        attachment_part(attachment)

    assert raised.value.reason is ContentFault.ATTACHMENT_UNREADABLE


def test_a_declared_type_that_is_none_is_refused() -> None:
    with pytest.raises(ContentError) as raised:
        attachment_part(Attachment("x", b"", "image/png\r\nX-Evil: 1"))

    assert raised.value.reason is ContentFault.CONTENT_TYPE_INVALID
    assert raised.value.facts == {"content_type": "image/png X-Evil: 1"}

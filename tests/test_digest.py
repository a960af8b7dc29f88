"""What a digest holds on to while it is written."""

import os

import pytest

from custom_components.email_courier import digest
from custom_components.email_courier.mail.compose.content import Attachment
from custom_components.email_courier.mail.files import OpenedFile

LARGE = b"p" * (digest._IN_MEMORY + 1)  # noqa: SLF001 - the size is nobody else's concern


def test_what_is_large_is_kept_in_a_file_without_a_name() -> None:
    kept = digest._kept(Attachment("garden.jpg", LARGE))  # noqa: SLF001
    assert isinstance(kept.source, OpenedFile)
    assert len(kept.source) == len(LARGE)
    kept.close()


def test_what_is_small_stays_in_memory() -> None:
    file = Attachment("garden.jpg", b"picture")
    assert digest._kept(file) is file  # noqa: SLF001


def test_where_no_disk_has_room_it_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "dup", fail)
    file = Attachment("garden.jpg", LARGE)
    assert digest._kept(file) is file  # noqa: SLF001

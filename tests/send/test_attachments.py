"""Attachments that are files."""

from collections.abc import Callable
import os
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest

from custom_components.email_courier.send import attachments
from tests.support.accounts import load_account
from tests.support.fixtures import Bed
from tests.support.mails import attached, only_mail, send, text_of
from tests.support.pictures import JPEG
from tests.support.scripted_server import ScriptedServer

ANNA = "anna@example.test"


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed) -> ScriptedServer:
    """The server of the only account."""
    server = await bed.serve()
    await load_account(hass, server)
    return server


@pytest.fixture
def allowed(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A folder that Home Assistant may send files from."""
    folder = tmp_path / "allowed"
    folder.mkdir()
    hass.config.allowlist_external_dirs = {str(folder)}
    return folder


async def _attach(hass: HomeAssistant, *wanted: dict[str, Any], **fields: Any) -> None:
    await send(hass, to=ANNA, attachments=list(wanted), **fields)


async def test_a_file_arrives_byte_for_byte_with_its_type_and_name(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path
) -> None:
    content = bytes(range(256)) * 999
    (allowed / "Protokoll Käte 📷.pdf").write_bytes(b"%PDF-1.7\n" + content)
    (allowed / "two.csv").write_text("a;b\n")

    await _attach(
        hass,
        {"path": str(allowed / "Protokoll Käte 📷.pdf")},
        {"path": str(allowed / "two.csv"), "filename": "../../etc/Zahlen\r\nX: y.csv"},
    )

    one, two = attached(only_mail(server))
    assert one.get_filename() == "Protokoll Käte 📷.pdf"
    assert one.get_content_type() == "application/pdf"
    assert one.get_payload(decode=True) == b"%PDF-1.7\n" + content
    assert two.get_filename() == "Zahlen X: y.csv"
    assert only_mail(server)["X"] is None


async def test_a_picture_with_a_content_id_is_shown_inline(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path
) -> None:
    (allowed / "door.jpg").write_bytes(JPEG)

    await _attach(
        hass,
        {"path": str(allowed / "door.jpg"), "content_id": "door"},
        html='<img src="cid:door">',
    )

    mail = only_mail(server)
    (picture,) = attached(mail)
    assert picture["Content-ID"] == "<door>"
    assert picture.get_content_disposition() == "inline"
    assert '<img src="cid:door">' in text_of(mail, "html")


async def test_a_relative_path_begins_in_the_folder_of_the_configuration(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "x.txt").write_text("hello")
    hass.config.config_dir = str(tmp_path)
    hass.config.allowlist_external_dirs = {str(tmp_path / "www")}

    await _attach(hass, {"path": "www/x.txt"})

    assert attached(only_mail(server))[0].get_payload(decode=True) == b"hello"


async def test_a_link_within_the_allowed_folders_may_be_followed(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path
) -> None:
    (allowed / "real.txt").write_text("hello")
    (allowed / "latest.txt").symlink_to(allowed / "real.txt")

    await _attach(hass, {"path": str(allowed / "latest.txt")})

    assert attached(only_mail(server))[0].get_filename() == "latest.txt"


def _outside(folder: Path) -> Path:
    path = folder.parent / "secret.txt"
    path.write_text("secret")
    return path


def _through_a_link(folder: Path) -> Path:
    (folder / "innocent.txt").symlink_to(_outside(folder))
    return folder / "innocent.txt"


def _through_a_linked_folder(folder: Path) -> Path:
    _outside(folder)
    (folder / "deep").symlink_to(folder.parent)
    return folder / "deep" / "secret.txt"


def _by_dots(folder: Path) -> Path:
    _outside(folder)
    return folder / ".." / "secret.txt"


def _missing_outside(folder: Path) -> Path:
    return folder.parent / "nowhere.txt"


def _missing(folder: Path) -> Path:
    return folder / "nowhere.txt"


def _below_a_file(folder: Path) -> Path:
    (folder / "file").write_text("x")
    return folder / "file" / "x.txt"


def _dangling_link(folder: Path) -> Path:
    (folder / "link.txt").symlink_to(folder / "nowhere.txt")
    return folder / "link.txt"


def _link_to_itself(folder: Path) -> Path:
    (folder / "loop").symlink_to(folder / "loop")
    return folder / "loop"


def _empty(folder: Path) -> Path:
    (folder / "empty.txt").touch()
    return folder / "empty.txt"


def _folder(folder: Path) -> Path:
    return folder


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def _linked_pipe(folder: Path) -> Path:
    (folder / "link").symlink_to(_pipe(folder))
    return folder / "link"


def _huge(folder: Path) -> Path:
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(attachments.MAX_TOTAL + 1)
    return folder / "huge.bin"


def _with_nul(folder: Path) -> Path:
    return folder / "a\0b"


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (_outside, "path_not_allowed"),
        (_through_a_link, "path_not_allowed"),
        (_through_a_linked_folder, "path_not_allowed"),
        (_by_dots, "path_not_allowed"),
        (_missing_outside, "path_not_allowed"),
        (_missing, "attachment_not_found"),
        (_below_a_file, "attachment_unreadable"),
        (_dangling_link, "attachment_not_found"),
        (_link_to_itself, "attachment_unreadable"),
        (_with_nul, "attachment_unreadable"),
        (_empty, "attachment_empty"),
        (_folder, "attachment_no_file"),
        (_pipe, "attachment_no_file"),
        (_linked_pipe, "attachment_no_file"),
        (_huge, "attachments_too_large"),
    ],
)
async def test_what_cannot_be_attached_but_is_required_is_an_error_before_anything_is_sent(
    hass: HomeAssistant,
    server: ScriptedServer,
    allowed: Path,
    make: Callable[[Path], Path],
    key: str,
) -> None:
    path = make(allowed)

    with pytest.raises(ServiceValidationError) as caught:
        await _attach(hass, {"path": str(path)}, attachments_required=True)

    assert caught.value.translation_key == key
    assert "{" not in str(caught.value)
    assert server.record.connections == 0


@pytest.mark.parametrize(
    "make", [_outside, _through_a_link, _through_a_linked_folder, _by_dots, _missing_outside]
)
async def test_a_path_that_is_not_allowed_is_an_error_in_any_case(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path, make: Callable[[Path], Path]
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await _attach(hass, {"path": str(make(allowed))}, {"path": str(_missing(allowed))})

    assert caught.value.translation_key == "path_not_allowed"
    assert server.record.connections == 0


async def test_a_file_that_may_not_be_read_is_an_error(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (allowed / "private.txt").write_text("x")
    really_open = os.open

    def refuse(path: str, *arguments: Any, **options: Any) -> int:
        if path == "private.txt":
            raise PermissionError(13, "Permission denied")
        return really_open(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ServiceValidationError, match=r"private\.txt") as caught:
        await _attach(hass, {"path": str(allowed / "private.txt")}, attachments_required=True)

    assert caught.value.translation_key == "attachment_unreadable"
    assert server.record.connections == 0

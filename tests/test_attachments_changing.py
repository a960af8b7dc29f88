"""Attachments that are exchanged, grow or shrink while they are sent, and what stays open."""

import asyncio
from collections.abc import Callable
import gc
import os
from pathlib import Path
import threading
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest

from custom_components.email_courier.account import Account
from custom_components.email_courier.send import attachments
from custom_components.email_courier.send.attachments import MAX_COUNT, async_fetch
from custom_components.email_courier.send.fields import AttachmentRequest
from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import attached, only_mail, send
from tests.support.scripted_server import ScriptedServer

ANNA = "anna@example.test"
TRIES = 250
BIG = 300_000


@pytest.fixture
def allowed(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A folder that Home Assistant may send files from, beside one with a secret."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file.txt").write_text("secret")
    folder = tmp_path / "allowed"
    folder.mkdir()
    hass.config.allowlist_external_dirs = {str(folder)}
    return folder


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed) -> ScriptedServer:
    """The server of the only account."""
    server = await bed.serve()
    await load_account(hass, server)
    return server


async def _attach(hass: HomeAssistant, *paths: Path, **fields: Any) -> None:
    await send(hass, to=ANNA, attachments=[{"path": str(path)} for path in paths], **fields)


def _open_below(folder: Path) -> int:
    """Return how many files of a folder are open, without waiting for the garbage collector."""
    return sum(
        os.path.realpath(f"/proc/self/fd/{name}").startswith(str(folder))
        for name in os.listdir("/proc/self/fd")  # noqa: PTH208 - they come and go
    )


def _file(path: Path) -> None:
    path.write_text("harmless")


async def test_a_link_that_is_exchanged_for_a_file_all_the_time_sends_nothing_forbidden(
    hass: HomeAssistant, allowed: Path
) -> None:
    path, new, over = allowed / "file.txt", allowed / "new", threading.Event()
    secret = allowed.parent / "outside" / "file.txt"
    _file(path)

    def exchange() -> None:
        while not over.is_set():
            new.symlink_to(secret)
            new.replace(path)
            _file(new)
            new.replace(path)

    thread = threading.Thread(target=exchange)
    thread.start()
    found: set[bytes | str | None] = set()
    try:
        for _ in range(TRIES):
            try:
                (attachment,) = await async_fetch(hass, [AttachmentRequest(path=str(path))])
                assert attachment is not None
                found.add(bytes(attachment.source))
            except HomeAssistantError as error:
                found.add(error.translation_key)
    finally:
        over.set()
        thread.join()

    assert b"secret" not in found
    assert found <= {b"harmless", "path_not_allowed", "attachment_unreadable", "attachment_empty"}


@pytest.mark.parametrize("step", ["folder", "folder/file.txt"])
async def test_what_becomes_a_link_after_it_was_looked_at_is_not_sent(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path, step: str
) -> None:
    """Once the mail is composed, nothing is asked of the name any more."""
    (allowed / "folder").mkdir()
    path = allowed / "folder" / "file.txt"
    _file(path)
    compose = Account.async_compose

    async def exchange_and_compose(*arguments: Any) -> Any:
        (allowed / step).rename(allowed / "kept")
        outside = allowed.parent / "outside"
        (allowed / step).symlink_to(outside if step == "folder" else outside / "file.txt")
        return await compose(*arguments)

    with patch.object(Account, "async_compose", exchange_and_compose):
        await _attach(hass, path)

    (sent,) = attached(only_mail(server))
    assert sent.get_payload(decode=True) == b"harmless"


async def _send_while(
    hass: HomeAssistant, path: Path, change: Callable[[], None], **fields: Any
) -> None:
    """Send a file that is changed after it was looked at."""
    compose = Account.async_compose

    async def change_and_compose(*arguments: Any) -> Any:
        change()
        return await compose(*arguments)

    with patch.object(Account, "async_compose", change_and_compose):
        await _attach(hass, path, **fields)


async def test_a_file_that_grows_is_sent_as_it_was_when_it_was_looked_at(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path
) -> None:
    path = allowed / "gate.log"
    path.write_bytes(b"x" * BIG)

    def grow() -> None:
        with path.open("ab") as log:
            log.write(b"y" * BIG)

    await _send_while(hass, path, grow)

    (log,) = attached(only_mail(server))
    assert log.get_payload(decode=True) == b"x" * BIG


async def test_a_file_that_becomes_shorter_is_an_error_that_names_it(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path
) -> None:
    path = allowed / "gate.log"
    path.write_bytes(b"x" * BIG)

    with pytest.raises(ServiceValidationError, match=r"gate\.log.* became shorter") as caught:
        await _send_while(hass, path, lambda: os.truncate(path, 10), attachments_required=True)

    assert caught.value.translation_key == "attachment_changed"
    assert server.record.connections == 0


async def test_a_pipe_holds_up_nothing(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path
) -> None:
    path = allowed / "file.txt"
    _file(path)
    really_resolve = Path.resolve

    def resolve_and_exchange(self: Path, strict: bool = False) -> Path:
        real = really_resolve(self, strict)
        if self == path:
            path.unlink()
            os.mkfifo(path)
        return real

    with (
        patch.object(Path, "resolve", resolve_and_exchange),
        pytest.raises(ServiceValidationError) as caught,
    ):
        async with asyncio.timeout(1):
            await _attach(hass, path, attachments_required=True)

    assert caught.value.translation_key == "attachment_no_file"
    assert server.record.connections == 0


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/dev/zero", "attachment_no_file"),
        ("/proc/self/status", "attachment_empty"),
    ],
)
@pytest.mark.usefixtures("server")
async def test_files_that_are_none_are_errors(hass: HomeAssistant, path: str, key: str) -> None:
    hass.config.allowlist_external_dirs = {"/dev", "/proc"}

    with pytest.raises(ServiceValidationError) as caught:
        await _attach(hass, Path(path), attachments_required=True)

    assert caught.value.translation_key == key


async def test_nothing_stays_open_after_a_mail(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path
) -> None:
    paths = [allowed / f"{number}.bin" for number in range(MAX_COUNT - 1)]
    for path in paths:
        path.write_bytes(b"x" * 1000)

    await _attach(hass, *paths, paths[0])

    assert len(attached(only_mail(server))) == MAX_COUNT
    assert _open_below(allowed) == 0


async def _cause(hass: HomeAssistant, *paths: Path, **fields: Any) -> str | None:
    try:
        await _attach(hass, *paths, **fields)
    except HomeAssistantError as error:
        return error.translation_key
    return None


@pytest.mark.parametrize(
    ("names", "fields", "key"),
    [
        (["a", "nothing", "b", "nowhere"], {}, "attachment_not_found"),
        (["a", "huge"], {}, "attachments_too_large"),
        (["a", "empty"], {}, "attachment_empty"),
        (["a"], {"html": "x", "markdown": "x"}, "html_and_markdown"),
    ],
)
@pytest.mark.usefixtures("server")
async def test_nothing_stays_open_after_an_error(
    hass: HomeAssistant,
    allowed: Path,
    names: list[str],
    fields: dict[str, str],
    key: str,
) -> None:
    for name in ("a", "b"):
        _file(allowed / name)
    (allowed / "empty").touch()
    (allowed / "huge").touch()
    os.truncate(allowed / "huge", attachments.MAX_TOTAL)
    gc.disable()
    try:
        assert (
            await _cause(
                hass, *(allowed / name for name in names), **fields, attachments_required=True
            )
            == key
        )
        assert _open_below(allowed) == 0
    finally:
        gc.enable()


async def test_more_attachments_than_may_be_open_are_an_error(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path
) -> None:
    _file(allowed / "a")

    with pytest.raises(ServiceValidationError, match=rf"{MAX_COUNT + 1} attachments") as caught:
        await _attach(hass, *[allowed / "a"] * (MAX_COUNT + 1), attachments_required=True)

    assert caught.value.translation_key == "attachments_too_many"
    assert server.record.connections == 0


async def test_two_accounts_send_the_same_large_file(
    hass: HomeAssistant, bed: Bed, allowed: Path
) -> None:
    home, office = await bed.serve(), await bed.serve()
    await load_account(hass, home, recipient("Anna", [ANNA]))
    await load_account(hass, office, recipient("Bea", ["bea@example.test"]), title="Office")
    content = os.urandom(2_000_000)
    (allowed / "film.bin").write_bytes(content)

    await send(
        hass,
        entity_id=["notify.anna", "notify.bea"],
        attachments=[{"path": str(allowed / "film.bin")}],
    )

    for server in (home, office):
        (film,) = attached(only_mail(server))
        assert film.get_payload(decode=True) == content
    assert _open_below(allowed) == 0

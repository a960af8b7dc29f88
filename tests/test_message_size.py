"""Attachments that a server would not take."""

import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.email_courier import account
from custom_components.email_courier.const import CONF_DROP_LARGE_ATTACHMENTS
from custom_components.email_courier.mail.compose.content import Content
from custom_components.email_courier.message_size import async_lighten
from tests.support.accounts import load_account
from tests.support.fixtures import Bed
from tests.support.mails import attached, only_mail, read, send, text_of
from tests.support.script import HEALTHY, Step, say

ANNA = "anna@example.test"
SMALL_SERVER = HEALTHY.but(size_limit=200_000)
DROP = {CONF_DROP_LARGE_ATTACHMENTS: True}


@pytest.fixture
def files(hass: HomeAssistant, tmp_path: Path) -> list[dict[str, str]]:
    """Two attachments: one that is too large and one that is not."""
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    (tmp_path / "long_film.mp4").write_bytes(b"x" * 300_000)
    (tmp_path / "note.txt").write_text("short")
    return [{"path": str(tmp_path / name)} for name in ("long_film.mp4", "note.txt")]


async def test_a_mail_too_large_is_an_error_before_a_byte_of_it_is_sent(
    hass: HomeAssistant, bed: Bed, files: list[dict[str, str]]
) -> None:
    server = await bed.serve(SMALL_SERVER)
    account = await load_account(hass, server)

    with pytest.raises(HomeAssistantError, match=r"0\.4 MB.* 0\.2 MB") as caught:
        await send(hass, to=ANNA, attachments=files)

    assert caught.value.translation_key == "message_too_large"
    assert server.record.commands("MAIL") == []
    assert account.courier.state.waiting == 0


async def test_where_wanted_the_mail_goes_without_what_is_too_large_and_says_so(
    hass: HomeAssistant, bed: Bed, files: list[dict[str, str]]
) -> None:
    server = await bed.serve(SMALL_SERVER)
    await load_account(hass, server, options=DROP)

    response = await send(
        hass,
        to=ANNA,
        message="See the film.",
        html="<html><body><p>See the film.</p></BODY></html>",
        attachments=files,
    )

    assert response["status"] == "sent"
    mail = only_mail(server)
    assert [part.get_filename() for part in attached(mail)] == ["note.txt"]
    note = "Too large to be sent with this mail: long_film.mp4. The mail server takes 0.2 MB."
    assert text_of(mail) == f"See the film.\n\n{note}\n"
    assert f"<p>{note}</p></BODY>" in text_of(mail, "html")


async def test_the_note_is_in_markdown_too_and_cannot_be_markup(
    hass: HomeAssistant, bed: Bed, files: list[dict[str, str]]
) -> None:
    server = await bed.serve(SMALL_SERVER)
    await load_account(hass, server, options=DROP)
    files[0]["filename"] = "<b>*film*_[x](mailto:e@e.test).mp4"

    await send(hass, to=ANNA, message="", markdown="# Film", attachments=files)

    page = text_of(only_mail(server), "html")
    assert "&lt;b&gt;*film*_[x](mailto:e@e.test).mp4" in page
    assert "<b>" not in page
    assert 'href="mailto' not in page


async def test_the_second_mail_does_not_ask_the_server_again(
    hass: HomeAssistant, bed: Bed, files: list[dict[str, str]]
) -> None:
    server = await bed.serve(SMALL_SERVER)
    account = await load_account(hass, server, options=DROP)
    await send(hass, to=ANNA, attachments=files)
    told: list[object] = []
    account.async_listen(told.append)

    await send(hass, to=ANNA, attachments=files)

    assert len(server.record.mails) == 2
    assert not [event for event in told if type(event).__name__ == "Failed"]


async def test_a_server_that_says_no_limit_gets_the_mail_without_any(
    hass: HomeAssistant, bed: Bed, files: list[dict[str, str]]
) -> None:
    too_large = (say("552 5.3.4 Message too big"),)
    server = await bed.serve(HEALTHY.but(answers={Step.DOT: too_large}))
    await load_account(hass, server, options=DROP)

    await send(hass, to=ANNA, attachments=files)

    mail = read(server.record.mails[-1].content)
    assert attached(mail) == []
    assert "long_film.mp4, note.txt.\n" in text_of(mail)


async def test_a_refusal_for_another_reason_stays_one(
    hass: HomeAssistant, bed: Bed, files: list[dict[str, str]]
) -> None:
    refused = say("554 5.7.1 Message refused by policy")
    server = await bed.serve(HEALTHY.but(answers={Step.DOT: refused}))
    await load_account(hass, server, options=DROP)

    with pytest.raises(HomeAssistantError, match=r"554 5\.7\.1 Message refused by policy"):
        await send(hass, to=ANNA, attachments=files)

    assert len(server.record.commands("DATA")) == 1


async def test_an_attachment_that_becomes_shorter_before_it_is_weighed_is_named(
    hass: HomeAssistant, bed: Bed, files: list[dict[str, str]]
) -> None:
    server = await bed.serve(SMALL_SERVER)
    await load_account(hass, server, options=DROP)
    await send(hass, to=ANNA)

    async def shorten_and_lighten(*arguments: Any) -> Content:
        os.truncate(files[0]["path"], 0)
        return await async_lighten(*arguments)

    with patch.object(account, "async_lighten", shorten_and_lighten):
        response = await send(hass, to=ANNA, attachments=files)

    (missing,) = response["missing"]
    assert missing["name"] == files[0]["path"]
    assert "became shorter" in missing["reason"]
    mail = read(server.record.mails[-1].content)
    assert [part.get_filename() for part in attached(mail)] == ["note.txt"]


async def test_what_is_left_out_is_missing_from_the_response_and_an_error_where_required(
    hass: HomeAssistant, bed: Bed, files: list[dict[str, str]]
) -> None:
    server = await bed.serve(SMALL_SERVER)
    await load_account(hass, server, options=DROP)

    response = await send(hass, to=ANNA, attachments=files)

    assert response["missing"] == [
        {
            "name": files[0]["path"],
            "reason": "Too large to be sent with this mail: long_film.mp4.",
        }
    ]
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, to=ANNA, attachments=files, attachments_required=True)
    assert caught.value.translation_key == "message_too_large"
    assert len(server.record.mails) == 1


async def test_a_text_that_is_too_large_by_itself_stays_an_error(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(SMALL_SERVER)
    await load_account(hass, server, options=DROP)

    with pytest.raises(HomeAssistantError, match=r"0\.2 MB"):
        await send(hass, to=ANNA, message="x" * 300_000)

    assert server.record.mails == []

"""At most so many mails an hour to one recipient; the rest comes together in one."""

from datetime import datetime
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import CONF_FLOOD_LIMIT, CONF_SENDER_NAME
from custom_components.email_courier.mail.address import parse_mailboxes
from custom_components.email_courier.mail.compose.content import Attachment, Priority
from custom_components.email_courier.mail.outbox.receipt import Status
from tests.accounts import load_account
from tests.mails import attached, read, text_of
from tests.sending import pass_time, send, state_of
from tests.support.fixtures import Bed
from tests.support.scripted_server import ScriptedServer

BEA = "bea@example.test"
WAITING = "sensor.home_waiting_mail"


async def limited(hass: HomeAssistant, bed: Bed, limit: int = 1) -> tuple[Account, ScriptedServer]:
    server = await bed.serve()
    options = {CONF_FLOOD_LIMIT: limit, CONF_SENDER_NAME: "Our house"}
    return await load_account(hass, server, options=options), server


async def send_content(account: Account, **fields: Any) -> None:
    await account.async_send(account.content(to=tuple(parse_mailboxes([BEA])), **fields))


async def test_what_comes_too_fast_comes_in_order_in_one_mail_at_the_end_of_the_hour(
    hass: HomeAssistant, bed: Bed
) -> None:
    account, server = await limited(hass, bed, limit=2)
    for number in range(1, 6):
        receipt = await send(account, BEA, subject=f"Gate {number}")
        assert receipt.status is (Status.SENT if number <= 2 else Status.QUEUED)
    assert len(server.record.mails) == 2
    assert state_of(hass, WAITING).state == "3"

    await pass_time(hass, minutes=61)

    assert len(server.record.mails) == 3
    assert server.record.mails[2].recipients == (BEA,)
    digest = read(server.record.mails[2].content)
    assert digest["Subject"] == "3 messages from test home"
    assert digest["From"] == "Our house <anna@example.test>"
    assert digest["To"] == BEA
    text = text_of(digest)
    assert "faster than you wanted them" in text
    places = [text.index(f"Gate {number}") for number in (3, 4, 5)]
    assert places == sorted(places)
    assert text.count("It is done.") == 3
    assert f"{datetime.now():%Y-%m}" in text  # noqa: DTZ005
    assert state_of(hass, WAITING).state == "0"


async def test_one_held_mail_goes_out_as_it_is(hass: HomeAssistant, bed: Bed) -> None:
    account, server = await limited(hass, bed)
    await send(account, BEA)
    held = await send(account, BEA, subject="Second")

    await pass_time(hass, minutes=61)

    mail = read(server.record.mails[1].content)
    assert mail["Message-ID"] == held.message_id
    assert mail["Subject"] == "Second"


async def test_a_digest_brings_all_attachments_and_pages(hass: HomeAssistant, bed: Bed) -> None:
    account, server = await limited(hass, bed)
    await send(account, BEA)
    log = Attachment("gate.log", b"open\r\nshut\r\n")
    await send_content(account, subject="With a file", text="See the log.", attachments=(log,))
    await send_content(account, subject="A page", html="<p>Only <b>here</b></p>")
    await send_content(account, subject="Both", text="Plain", html="<p>Fancy</p>")
    await send_content(account, subject="Markdown", markdown="**Bold**")

    await pass_time(hass, minutes=61)

    digest = read(server.record.mails[1].content)
    parts = {part.get_filename(): part.get_payload(decode=True) for part in attached(digest)}
    assert set(parts) == {"gate.log", "A page.html"}
    assert parts["gate.log"] == b"open\r\nshut\r\n"
    assert b"Only <b>here</b>" in parts["A page.html"]
    text = text_of(digest)
    assert "See the log." in text
    assert "Plain" in text
    assert "**Bold**" in text


@pytest.mark.parametrize(
    ("reply_tos", "expected"),
    [
        (("carl@example.test", "carl@example.test"), "carl@example.test"),
        (("carl@example.test", "dora@example.test"), None),
        ((None, None), None),
    ],
)
async def test_replies_to_a_digest_go_where_those_to_its_mails_would(
    hass: HomeAssistant, bed: Bed, reply_tos: tuple[str | None, str | None], expected: str | None
) -> None:
    account, server = await limited(hass, bed)
    await send(account, BEA)
    for address in reply_tos:
        reply_to = tuple(parse_mailboxes([address])) if address else ()
        await send_content(account, text="x", reply_to=reply_to)

    await pass_time(hass, minutes=61)

    assert read(server.record.mails[1].content)["Reply-To"] == expected


async def test_an_alarm_is_never_held_back(hass: HomeAssistant, bed: Bed) -> None:
    account, server = await limited(hass, bed)
    await send(account, BEA)

    await send_content(account, subject="Fire", priority=Priority.HIGHEST)

    assert len(server.record.mails) == 2


async def test_a_mail_that_may_not_wait_is_refused_with_a_reason(
    hass: HomeAssistant, bed: Bed
) -> None:
    account, _ = await limited(hass, bed)
    await send(account, BEA)

    with pytest.raises(HomeAssistantError) as raised:
        await send(account, BEA, queue=False)

    assert raised.value.translation_key == "outbox_flood"


async def test_other_recipients_are_not_held_back(hass: HomeAssistant, bed: Bed) -> None:
    account, server = await limited(hass, bed)
    await send(account, BEA)

    receipt = await send(account, BEA, "carl@example.test")

    assert [outcome.address for outcome in receipt.accepted] == ["carl@example.test"]
    assert server.record.mails[1].recipients == ("carl@example.test",)


async def test_held_mail_survives_the_end_of_the_limit(hass: HomeAssistant, bed: Bed) -> None:
    account, server = await limited(hass, bed)
    for number in range(3):
        await send(account, BEA, subject=f"Gate {number}")

    hass.config_entries.async_update_entry(account.entry, options={})
    await hass.async_block_till_done()
    assert state_of(hass, WAITING).state == "2"
    await pass_time(hass, minutes=61)

    assert len(server.record.mails) == 2
    assert "2 messages" in read(server.record.mails[1].content)["Subject"]
    assert state_of(hass, WAITING).state == "0"


async def test_without_a_limit_nothing_is_held_back(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)

    for _ in range(30):
        await send(account, BEA)

    assert len(server.record.mails) == 30

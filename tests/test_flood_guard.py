"""At most so many mails an hour to one recipient; the rest comes together in one."""

from datetime import datetime
from io import BytesIO
import os
from typing import Any

from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_state_change_event
from PIL import Image
import pytest

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import CONF_FLOOD_LIMIT, CONF_SENDER_NAME
from custom_components.email_courier.mail.address import parse_mailboxes
from custom_components.email_courier.mail.compose.content import Attachment, Priority
from custom_components.email_courier.mail.outbox.submission import Status
from tests.support.accounts import load_account
from tests.support.fixtures import Bed
from tests.support.mails import attached, read, text_of
from tests.support.pictures import JPEG
from tests.support.script import HEALTHY, Script
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import pass_time, send_from, state_of

BEA = "bea@example.test"
WAITING = "sensor.home_waiting_mail"


async def limited(
    hass: HomeAssistant,
    bed: Bed,
    limit: int = 1,
    script: Script = HEALTHY,
    **more: str,
) -> tuple[Account, ScriptedServer]:
    server = await bed.serve(script)
    options = {CONF_FLOOD_LIMIT: limit, CONF_SENDER_NAME: "Our house", **more}
    return await load_account(hass, server, options=options), server


async def send_content(account: Account, **fields: Any) -> None:
    await account.async_send(account.content(to=tuple(parse_mailboxes([BEA])), **fields))


async def test_what_comes_too_fast_comes_in_order_in_one_mail_at_the_end_of_the_hour(
    hass: HomeAssistant, bed: Bed
) -> None:
    account, server = await limited(hass, bed, limit=2)
    for number in range(1, 6):
        receipt = await send_from(account, BEA, subject=f"Gate {number}")
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
    await send_from(account, BEA)
    held = await send_from(account, BEA, subject="Second")

    await pass_time(hass, minutes=61)

    mail = read(server.record.mails[1].content)
    assert mail["Message-ID"] == held.message_id
    assert mail["Subject"] == "Second"


async def test_a_digest_brings_all_attachments_and_texts(hass: HomeAssistant, bed: Bed) -> None:
    account, server = await limited(hass, bed)
    await send_from(account, BEA)
    log = Attachment("gate.log", b"open\r\nshut\r\n")
    await send_content(account, subject="With a file", text="See the log.", attachments=(log,))
    await send_content(account, subject="A page", html="<p>Only <b>here</b></p>")
    await send_content(account, subject="Both", text="Plain", html="<p>Fancy</p>")
    await send_content(account, subject="Markdown", markdown="**Bold**")

    await pass_time(hass, minutes=61)

    digest = read(server.record.mails[1].content)
    parts = {part.get_filename(): part.get_payload(decode=True) for part in attached(digest)}
    assert set(parts) == {"gate.log"}
    assert parts["gate.log"] == b"open\r\nshut\r\n"
    text = text_of(digest)
    assert "Only here" in text
    assert "See the log." in text
    assert "Plain" in text
    assert "\nBold" in text


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
    await send_from(account, BEA)
    for address in reply_tos:
        reply_to = tuple(parse_mailboxes([address])) if address else ()
        await send_content(account, text="x", reply_to=reply_to)

    await pass_time(hass, minutes=61)

    assert read(server.record.mails[1].content)["Reply-To"] == expected


async def test_an_alarm_is_never_held_back(hass: HomeAssistant, bed: Bed) -> None:
    account, server = await limited(hass, bed)
    await send_from(account, BEA)

    await send_content(account, subject="Fire", priority=Priority.HIGHEST)

    assert len(server.record.mails) == 2


async def test_a_mail_that_may_not_wait_is_refused_with_a_reason(
    hass: HomeAssistant, bed: Bed
) -> None:
    account, _ = await limited(hass, bed)
    await send_from(account, BEA)

    with pytest.raises(HomeAssistantError) as raised:
        await send_from(account, BEA, queue=False)

    assert raised.value.translation_key == "outbox_flood"


async def test_other_recipients_are_not_held_back(hass: HomeAssistant, bed: Bed) -> None:
    account, server = await limited(hass, bed)
    await send_from(account, BEA)

    receipt = await send_from(account, BEA, "carl@example.test")

    assert [outcome.address for outcome in receipt.accepted] == ["carl@example.test"]
    assert server.record.mails[1].recipients == ("carl@example.test",)


async def test_held_mail_survives_the_end_of_the_limit(hass: HomeAssistant, bed: Bed) -> None:
    account, server = await limited(hass, bed)
    for number in range(3):
        await send_from(account, BEA, subject=f"Gate {number}")

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
        await send_from(account, BEA)

    assert len(server.record.mails) == 30


SMALL_SERVER = HEALTHY.but(size_limit=300_000)


def noise(name: str, size: int) -> Attachment:
    """Return an attachment that nothing makes smaller."""
    return Attachment(name, os.urandom(size))


def photo(name: str, side: int = 400) -> Attachment:
    """Return a picture of so many pixels across that has much to lose."""
    file = BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(file, "PNG")
    return Attachment(name, file.getvalue(), "image/png")


async def test_a_digest_stays_under_the_size_that_the_server_takes(
    hass: HomeAssistant, bed: Bed
) -> None:
    account, server = await limited(hass, bed, script=SMALL_SERVER)
    await send_from(account, BEA)
    files = [noise(f"{number}.bin", 80_000) for number in range(8)]
    for file in files:
        await send_content(account, subject=file.filename, text="See there", attachments=(file,))

    await pass_time(hass, minutes=61)

    mails = server.record.mails[1:]
    assert 1 < len(mails) < len(files)
    assert all(len(mail.content) <= 300_000 for mail in mails)
    arrived = {
        part.get_filename(): part.get_payload(decode=True)
        for mail in mails
        for part in attached(read(mail.content))
    }
    assert arrived == {file.filename: file.source for file in files}
    assert state_of(hass, WAITING).state == "0"


async def test_large_pictures_are_made_smaller_and_the_digest_says_so(
    hass: HomeAssistant, bed: Bed
) -> None:
    account, server = await limited(hass, bed, script=HEALTHY.but(size_limit=900_000))
    await send_from(account, BEA)
    for number in range(4):
        await send_content(account, text="At the door", attachments=(photo(f"{number}.png"),))

    await pass_time(hass, minutes=61)

    [content] = [mail.content for mail in server.record.mails[1:]]
    assert len(content) <= 900_000
    digest = read(content)
    assert "made smaller" in text_of(digest)
    assert [part.get_filename() for part in attached(digest)] == [f"{n}.jpg" for n in range(4)]
    for part in attached(digest):
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        assert Image.open(BytesIO(data)).size == (400, 400)


async def test_where_even_small_pictures_are_too_many_the_last_digest_names_them(
    hass: HomeAssistant, bed: Bed
) -> None:
    account, server = await limited(hass, bed, script=SMALL_SERVER)
    await send_from(account, BEA)
    count = 16
    for number in range(count):
        picture = Attachment(f"{number}.jpg", os.urandom(95_000), "image/jpeg")
        await send_content(account, subject=f"Gate {number}", text="x", attachments=(picture,))

    await pass_time(hass, minutes=61)

    digests = [read(mail.content) for mail in server.record.mails[1:]]
    assert len(digests) == 6
    [last] = [digest for digest in digests if not attached(digest)]
    assert "Too large to be sent with this mail: 15.jpg. The mail server takes 0.3 MB" in text_of(
        last
    )
    subjects = "".join(text_of(digest) for digest in digests)
    assert all(f"Gate {number}\n" in subjects for number in range(count))


async def test_a_held_mail_that_is_too_large_by_itself_goes_as_it_is(
    hass: HomeAssistant, bed: Bed
) -> None:
    account, server = await limited(hass, bed)
    await send_from(account, BEA)
    large = noise("large.bin", 8_000_000)
    await send_content(account, subject="Large", text="x", attachments=(large,))
    await send_from(account, BEA, subject="Small")
    await send_from(account, BEA, subject="Smaller")

    await pass_time(hass, minutes=61)

    subjects = {read(mail.content)["Subject"] for mail in server.record.mails[1:]}
    assert subjects == {"Large", "2 messages from test home"}


async def test_each_mail_in_a_digest_has_its_own_event(hass: HomeAssistant, bed: Bed) -> None:
    account, server = await limited(hass, bed)
    await send_from(account, BEA)
    held = [await send_from(account, BEA, subject=f"Gate {number}") for number in range(2)]
    seen: list[tuple[str, str | None]] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is not None and state.attributes.get("event_type") == "delivered":
            seen.append((state.attributes["message_id"], state.attributes["digest"]))

    async_track_state_change_event(hass, ["event.home_mail"], note)
    await pass_time(hass, minutes=61)

    digest = read(server.record.mails[1].content)["Message-ID"]
    assert seen == [(digest, None), *((receipt.message_id, digest) for receipt in held)]


async def test_a_digest_in_the_card_has_a_heading_and_its_pictures_for_each_mail(
    hass: HomeAssistant, bed: Bed
) -> None:
    account, server = await limited(hass, bed, layout="card")
    await send_from(account, BEA)
    door = Attachment("door.jpg", JPEG, "image/jpeg")
    await send_content(account, subject="It rang", text="<3", attachments=(door,))
    await send_content(account, subject="The gate is open", text="https://a.example")

    await pass_time(hass, minutes=61)

    digest = read(server.record.mails[1].content)
    page = text_of(digest, "html")
    places = [
        page.index(piece)
        for piece in (
            "</h1>",
            ">It rang</h2>",
            "&lt;3</p>",
            'src="cid:picture-0"',
            ">The gate is open</h2>",
            'href="https://a.example"',
        )
    ]
    assert places == sorted(places)
    (picture,) = attached(digest)
    assert picture.get_content_disposition() == "inline"
    text = text_of(digest)
    assert text.index("It rang\n") < text.index("[door.jpg]") < text.index("The gate is open\n")

"""Mail that comes again until somebody has answered it."""

import re
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.email_courier.answer.book import BOOK, async_book, book_of
from custom_components.email_courier.answer.question import Action
from custom_components.email_courier.const import DOMAIN
from custom_components.email_courier.send.fields import SEND_MESSAGE
from custom_components.email_courier.send.message import async_send
from custom_components.email_courier.send.repeat import REPEATER, async_repeater, plain
from tests.support.accounts import load_account
from tests.support.answers import GATE, Client, be_reachable, links_of, press
from tests.support.fixtures import Bed
from tests.support.mails import read, send, text_of
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import let_pass

ANNA = "anna@example.test"
EVERY_FIVE = {"interval": {"minutes": 5}, "maximum": 3}


@pytest.fixture
async def client(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator) -> Client:
    """A browser that has never been here."""
    assert await async_setup_component(hass, DOMAIN, {})
    await be_reachable(hass)
    return await hass_client_no_auth()


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed, client: Client) -> ScriptedServer:  # noqa: ARG001 - it has to be there first
    """The server of the one account."""
    server = await bed.serve()
    await load_account(hass, server)
    return server


async def alarm(hass: HomeAssistant, **fields: Any) -> None:
    """Send an alarm that comes again."""
    given = {"to": ANNA, "title": "Leak", "message": "Water!", **fields}
    await send(hass, **{"repeat_until_answered": EVERY_FIVE, **given})


async def test_it_comes_again_as_often_as_it_may_and_no_more(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    await alarm(hass)

    counts = []
    for _ in range(6):
        await let_pass(hass, freezer, minutes=5)
        counts.append(len(server.record.mails))

    assert counts == [2, 3, 4, 4, 4, 4]
    mails = [read(mail.content) for mail in server.record.mails]
    assert {mail["Subject"] for mail in mails} == {"Leak"}
    assert len({mail["Message-ID"] for mail in mails}) == 4


async def test_a_mail_without_buttons_gets_one_that_acknowledges_and_any_of_them_stops_all(
    hass: HomeAssistant, server: ScriptedServer, client: Client, freezer: FrozenDateTimeFactory
) -> None:
    await alarm(hass)
    await let_pass(hass, freezer, minutes=5)
    first, second = (links_of(read(mail.content)) for mail in server.record.mails)
    assert first.keys() == {"Acknowledge"}
    assert first != second

    assert (await press(client, first["Acknowledge"])).status == 200

    await let_pass(hass, freezer, minutes=30)
    assert len(server.record.mails) == 2
    assert (await press(client, second["Acknowledge"])).status == 410


async def test_own_buttons_stop_it_as_well(
    hass: HomeAssistant, server: ScriptedServer, client: Client, freezer: FrozenDateTimeFactory
) -> None:
    await alarm(hass, actions=GATE)
    links = links_of(read(server.record.mails[0].content))

    await press(client, links["Ignore"])

    await let_pass(hass, freezer, minutes=10)
    assert links.keys() == {"Open the gate", "Ignore"}
    assert len(server.record.mails) == 1


async def test_it_goes_on_after_a_restart(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    await alarm(hass, priority="high", facts=["sun.sun"], actions=GATE)
    book_of(hass).async_close()
    hass.data[REPEATER].async_close()
    del hass.data[BOOK], hass.data[REPEATER]
    await async_repeater(hass, async_send)

    await let_pass(hass, freezer, minutes=5)

    mails = [read(mail.content) for mail in server.record.mails]
    assert len(mails) == 2
    assert mails[0]["X-Priority"] == mails[1]["X-Priority"]
    assert links_of(mails[0]).keys() == links_of(mails[1]).keys()
    assert text_of(mails[1]).startswith("Water!")


async def test_a_repetition_that_fails_counts_after_a_restart_too(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    await alarm(hass)
    [entry] = hass.config_entries.async_entries(DOMAIN)
    assert await hass.config_entries.async_unload(entry.entry_id)

    await let_pass(hass, freezer, minutes=5)

    assert len(server.record.mails) == 1
    book = book_of(hass)
    await book.async_save()  # for whatever reason
    kept = await hass.async_add_executor_job(book.path.read_text)
    assert re.search(r'"left":\s*2\b', kept)


async def test_revoking_stops_it(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    await alarm(hass)

    await hass.services.async_call(DOMAIN, "revoke_actions", {}, blocking=True)

    await let_pass(hass, freezer, minutes=10)
    assert len(server.record.mails) == 1


async def test_what_has_not_gone_out_when_it_is_answered_never_does(
    hass: HomeAssistant, server: ScriptedServer, client: Client, freezer: FrozenDateTimeFactory
) -> None:
    await alarm(hass)
    links = links_of(read(server.record.mails[0].content))
    await server.stop()
    await let_pass(hass, freezer, minutes=5)
    account = hass.config_entries.async_entries(DOMAIN)[0].runtime_data
    assert account.courier.state.waiting == 1

    await press(client, links["Acknowledge"])
    await hass.async_block_till_done()

    assert account.courier.state.waiting == 0


async def test_a_mail_that_cannot_be_sent_once_is_tried_at_the_next_time(
    hass: HomeAssistant,
    server: ScriptedServer,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await alarm(hass)
    await hass.config.async_update(external_url=None)
    await let_pass(hass, freezer, minutes=5)
    assert len(server.record.mails) == 1
    assert "was not sent" in caplog.text
    await be_reachable(hass)

    await let_pass(hass, freezer, minutes=5)

    assert len(server.record.mails) == 2


@pytest.mark.usefixtures("server")
async def test_a_mail_that_comes_again_can_be_answered_all_that_time(hass: HomeAssistant) -> None:
    await alarm(
        hass,
        repeat_until_answered={"interval": {"hours": 12}, "maximum": 10},
        actions_expire_after={"hours": 1},
    )

    (question,) = (await async_book(hass)).questions
    (mail,) = question.mails
    assert mail.links
    assert question.repeat is not None
    assert question.expires - question.repeat["next"] == pytest.approx(10 * 12 * 3600, abs=60)


def test_what_is_kept_of_a_call_is_taken_again_as_it_was() -> None:
    fields = SEND_MESSAGE(
        {
            "to": [ANNA],
            "message": "Water!",
            "layout": "card",
            "priority": "highest",
            "color": [1, 2, 3],
            "facts": [{"entity_id": "sun.sun", "name": "Sun"}, "sun.moon"],
            "attachments": [{"path": "/a", "content_id": "a"}, {"entity_id": "camera.a"}],
            "button": {"text": "Map", "url": "/map"},
            "headers": {"X-A": "b"},
            "expires_after": {"hours": 1},
            "actions": [{"action": "REPLY"}, {"action": "URI", "uri": "/x"}],
            "repeat_until_answered": EVERY_FIVE,
        }
    )

    assert SEND_MESSAGE(plain(fields)) == fields
    assert isinstance(fields["actions"][0], Action)

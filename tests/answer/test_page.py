"""The page of a button: looking never acts, pressing acts once."""

import asyncio
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Event, HomeAssistant
import pytest

from custom_components.email_courier.answer.page import MAX_REPLY
from tests.support.answers import OPEN, Client, Page, ask, page_at, press
from tests.support.fixtures import Bed
from tests.support.sending import let_pass

Events = list[Event[dict[str, Any]]]


async def test_the_page_says_what_is_asked_where_and_until_when(
    hass: HomeAssistant, bed: Bed, client: Client
) -> None:
    links = await ask(hass, bed)
    hass.config.location_name = "Summer house"

    page = await page_at(client, links["Open the gate"])

    first, home, button, until = page.words
    assert (first, home, button) == ("Open the gate?", "Summer house", "Open the gate")
    assert until.startswith("Valid until ")
    assert page.tags.count("form") == page.tags.count("button") == 1
    assert not {"script", "img", "link", "iframe", "a"} & set(page.tags)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_at_a_link_never_acts_however_often(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events, method: str
) -> None:
    links = await ask(hass, bed)

    for _ in range(20):
        response = await client.request(method, links["Open the gate"])
        assert response.status == 200

    await hass.async_block_till_done()
    assert pressed == []
    assert (await press(client, links["Open the gate"])).status == 200


async def test_a_press_acts_once_and_then_the_link_is_gone(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events
) -> None:
    links = await ask(hass, bed)
    fields = (await page_at(client, links["Open the gate"])).fields

    answers = [await client.post(links["Open the gate"], data=fields) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 410, 410]
    assert "Open the gate" in await answers[0].text()
    await hass.async_block_till_done()
    (event,) = pressed
    assert event.data["action"] == "OPEN"


async def test_of_twenty_at_once_one_acts(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events
) -> None:
    links = await ask(hass, bed)
    fields = (await page_at(client, links["Open the gate"])).fields

    answers = await asyncio.gather(
        *(client.post(links["Open the gate"], data=fields) for _ in range(20))
    )

    assert sorted(answer.status for answer in answers) == [200] + 19 * [410]
    await hass.async_block_till_done()
    assert len(pressed) == 1


async def test_the_first_answer_counts_and_who_comes_later_reads_when(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events
) -> None:
    links = await ask(hass, bed)
    await press(client, links["Ignore"])

    response = await client.get(links["Open the gate"])

    assert response.status == 410
    page = Page(await response.text())
    assert page.words[0] == "This has already been answered"
    assert page.words[1].startswith("Answered on ")
    assert page.form is None
    assert "Ignore" not in page.text
    assert (await client.post(links["Open the gate"])).status == 410
    assert [event.data["action"] for event in pressed] == ["IGNORE"]


async def test_where_every_answer_counts_each_press_acts(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events
) -> None:
    links = await ask(hass, bed, actions_once=False)

    statuses = [(await press(client, link)).status for link in links.values()]

    assert statuses == [200, 200]
    assert [event.data["action"] for event in pressed] == ["OPEN", "IGNORE"]


async def test_an_expired_link_is_gone_and_nothing_of_it_is_kept(
    hass: HomeAssistant,
    bed: Bed,
    client: Client,
    pressed: Events,
    freezer: FrozenDateTimeFactory,
) -> None:
    links = await ask(hass, bed, actions_expire_after={"hours": 1})
    fields = (await page_at(client, links["Open the gate"])).fields
    await let_pass(hass, freezer, hours=1, seconds=1)

    seen = await client.get(links["Open the gate"])
    posted = await client.post(links["Open the gate"], data=fields)

    assert (seen.status, posted.status) == (410, 410)
    assert Page(await posted.text()).text == "This link is no longer valid"
    assert pressed == []


async def test_a_text_is_asked_for_and_told(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events
) -> None:
    links = await ask(hass, bed, actions=[{"action": "REPLY", "title": "Answer"}])
    page = await page_at(client, links["Answer"])
    assert "textarea" in page.tags

    response = await press(client, links["Answer"], reply_text="Grüße 🔥,\r\nbis  gleich \x00")

    assert response.status == 200
    assert pressed[0].data["reply_text"] == "Grüße 🔥,\nbis gleich"


@pytest.mark.parametrize(
    "text", ["", "  \r\n ", "x" * (MAX_REPLY + 1)], ids=["none", "blank", "long"]
)
async def test_no_text_and_one_that_is_too_long_are_asked_for_again(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events, text: str
) -> None:
    action = {**OPEN, "behavior": "textInput"}
    links = await ask(hass, bed, actions=[action])

    response = await press(client, links["Open the gate"], reply_text=text)

    assert response.status == 400
    assert "textarea" in Page(await response.text()).tags
    assert pressed == []


async def test_a_text_as_long_as_allowed_is_told_in_whatever_script(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events
) -> None:
    links = await ask(hass, bed, actions=[{"action": "REPLY", "title": "Answer"}])

    response = await press(client, links["Answer"], reply_text="🔥" * MAX_REPLY)

    assert response.status == 200
    assert pressed[0].data["reply_text"] == "🔥" * MAX_REPLY


async def test_the_page_speaks_the_language_of_the_home(
    hass: HomeAssistant, bed: Bed, client: Client
) -> None:
    links = await ask(hass, bed)
    hass.config.language = "de"

    text = await (await client.get(links["Open the gate"])).text()

    assert '<html lang="de">' in text
    assert "Gültig bis" in text


async def test_what_the_mail_says_is_text_on_the_page_and_no_html(
    hass: HomeAssistant, bed: Bed, client: Client
) -> None:
    evil = '<script>alert(1)</script>"'
    links = await ask(hass, bed, title=evil, actions=[{"action": "OPEN", "title": "<b>Go</b>"}])
    hass.config.location_name = "<i>Home</i>"

    page = await page_at(client, links["<b>Go</b>"])

    assert page.words[:3] == [evil, "<i>Home</i>", "<b>Go</b>"]
    assert not {"script", "b", "i"} & set(page.tags)

"""Buttons in notifications and one-time links in mail."""

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from tests.reports.driver import DOMAIN, account_at, only_mail, read, send, text_of
from tests.reports.reports import report
from tests.reports.servers import Bed
from tests.support.answers import (
    GATE,
    OPEN,
    OUTSIDE,
    Client,
    be_reachable,
    links_of,
    page_at,
    press,
)

TO = "bea@example.test"
Events = list[Event[dict[str, Any]]]


@pytest.fixture
async def client(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator) -> Client:
    """A browser that has never been here; Home Assistant can be reached from outside."""
    assert await async_setup_component(hass, DOMAIN, {})
    await be_reachable(hass)
    return await hass_client_no_auth()


@pytest.fixture
def pressed(hass: HomeAssistant) -> Events:
    """What automations have been told."""
    return async_capture_events(hass, "email_courier_action")


async def links(hass: HomeAssistant, bed: Bed, *actions: dict[str, Any]) -> dict[str, str]:
    """Send a mail with buttons, and return where they lead."""
    server = await bed.serve()
    await account_at(hass, server)
    await send(hass, to=TO, title="Open the gate?", message="Ring", actions=list(actions or GATE))
    return links_of(read(only_mail(server).content))


@report(
    source="supabase/auth#1214",
    symptom="Barracuda and Office 365 open every link, and the one-time link is spent.",
    ours="Opening a link spends nothing; only the button on its page does.",
    held_at_first=True,
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_scanner_spends_no_link(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events, method: str
) -> None:
    link = (await links(hass, bed))["Open the gate"]

    for _ in range(3):
        assert (await client.request(method, link)).status == 200

    assert pressed == []
    assert (await press(client, link)).status == 200


@report(
    source="better-auth/better-auth#9690",
    symptom="HEAD and GET of Defender, Mimecast and Proofpoint come first; the reader is too late.",
    ours="After HEAD and GET the reader's press is the first that counts.",
    held_at_first=True,
)
async def test_head_and_get_before_the_reader_change_nothing(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events
) -> None:
    link = (await links(hass, bed))["Open the gate"]
    await client.head(link)
    await client.get(link)

    assert (await press(client, link)).status == 200
    assert [event.data["action"] for event in pressed] == ["OPEN"]


@report(
    source="emdash-cms/emdash#3298",
    symptom="The request of a scanner signs in, and the scanner has the session.",
    ours="No answer of the page carries a cookie or anything else to act with later.",
    held_at_first=True,
)
async def test_a_scanner_is_given_nothing_to_act_with(
    hass: HomeAssistant, bed: Bed, client: Client
) -> None:
    link = (await links(hass, bed))["Open the gate"]

    seen = await client.get(link)
    done = await press(client, link)

    assert "Set-Cookie" not in seen.headers
    assert "Set-Cookie" not in done.headers


@report(
    source="FusionAuth/fusionauth-issues#629",
    symptom="Safe Links wraps a link as a parameter of its own; part of it is lost on the way.",
    ours="A link has one parameter, of signs that nothing escapes; it survives being wrapped.",
    held_at_first=True,
)
@pytest.mark.usefixtures("pressed")
async def test_a_link_survives_being_wrapped(hass: HomeAssistant, bed: Bed, client: Client) -> None:
    link = (await links(hass, bed))["Open the gate"]
    wrapped = f"https://eur01.safelinks.example/?url={quote(OUTSIDE + link, safe='')}&data=05"

    unwrapped = parse_qs(urlsplit(wrapped).query)["url"][0].removeprefix(OUTSIDE)

    assert unwrapped == link
    assert (await press(client, unwrapped)).status == 200


@report(
    source="LAB02-Research/HASS.Agent-Integration#29",
    symptom="A button with the action URI, as in the companion app, does nothing.",
    ours="It is a link to its uri, in the page and in the text.",
    held_at_first=True,
)
async def test_the_action_uri_is_a_link(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    uri = "http://192.0.2.239:5000/live/stream.html?src=camera.driveway&mode=webrtc"

    await send(hass, to=TO, actions=[{"action": "URI", "title": "Open URL", "uri": uri}])

    assert f"Open URL: {uri}" in text_of(only_mail(server))
    assert uri.replace("&", "&amp;") in text_of(only_mail(server), "html")


@report(
    source="home-assistant/android#1456",
    symptom="A button with the action REPLY says reply instead of its title.",
    ours="It says its title, in the mail and on its page.",
    held_at_first=True,
)
async def test_a_reply_has_its_own_title(hass: HomeAssistant, bed: Bed, client: Client) -> None:
    found = await links(hass, bed, {"action": "REPLY", "title": "2-BBB"})

    assert found.keys() == {"2-BBB"}
    assert "2-BBB" in (await page_at(client, found["2-BBB"])).words


@report(
    source="home-assistant/iOS#2168",
    symptom="A text that was typed as the answer fires no event.",
    ours="The event has it as reply_text.",
    held_at_first=True,
)
async def test_a_typed_answer_is_told(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events
) -> None:
    action = {"action": "REPLY", "title": "Title text", "textInputButtonTitle": "Send"}
    found = await links(hass, bed, action)

    await press(client, found["Title text"], reply_text="On my way")

    assert [event.data["reply_text"] for event in pressed] == ["On my way"]


@report(
    source="home-assistant/android#4763",
    symptom="Several buttons that ask for a text are all named REPLY and cannot be told apart.",
    ours="behavior: textInput asks for a text under any name.",
    held_at_first=True,
)
async def test_buttons_that_ask_for_a_text_have_names_of_their_own(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events
) -> None:
    found = await links(
        hass,
        bed,
        {"action": "YES_BUT", "title": "Yes, but", "behavior": "textInput"},
        {"action": "NO_BECAUSE", "title": "No, because", "behavior": "textInput"},
    )

    await press(client, found["No, because"], reply_text="it rains")

    (event,) = pressed
    assert (event.data["action"], event.data["reply_text"]) == ("NO_BECAUSE", "it rains")


@report(
    source="yuuichieguchi/claude-remote-approver#6",
    symptom="Nothing shows that a press has arrived; people press again, or the other button.",
    ours="The page says so at once, and no second press counts, of whichever button.",
    held_at_first=True,
)
async def test_a_press_is_confirmed_and_no_second_one_counts(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events
) -> None:
    found = await links(hass, bed)
    first = await press(client, found["Open the gate"])
    assert "Your answer has arrived" in await first.text()

    for link in found.values():
        assert (await press(client, link)).status == 410

    assert len(pressed) == 1


@report(
    source="louislam/uptime-kuma#3274",
    symptom="A button without an address leads to about:blank.",
    ours="Refused at the call, by the button's name; nothing is sent.",
    held_at_first=True,
)
@pytest.mark.parametrize("uri", [{}, {"uri": ""}, {"uri": "  "}])
async def test_a_link_without_an_address_is_refused(
    hass: HomeAssistant, bed: Bed, uri: dict[str, str]
) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    with pytest.raises(HomeAssistantError, match="Open the page"):
        await send(hass, to=TO, actions=[{"action": "URI", "title": "Open the page", **uri}])

    assert not server.record.mails


@report(
    source="phonegap/phonegap-plugin-push#1215",
    symptom="With several notifications, a button answers for the one that was pressed first.",
    ours="Each mail's buttons answer for that mail alone, though they are named the same.",
    held_at_first=True,
)
async def test_buttons_of_the_same_name_answer_for_their_own_mail(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    for title in ("First", "Second", "Third"):
        await send(hass, to=TO, title=title, actions=[OPEN])
    mails = [read(mail.content) for mail in server.record.mails]

    for mail in reversed(mails):
        await press(client, links_of(mail)["Open the gate"])

    assert [event.data["subject"] for event in pressed] == ["Third", "Second", "First"]
    assert [event.data["message_id"] for event in pressed] == [
        mail["Message-ID"] for mail in reversed(mails)
    ]

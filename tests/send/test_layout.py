"""Which layout a mail has, and what a card says of the home."""

from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
import voluptuous as vol

from tests.support.accounts import account_entry, load, load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import only_mail, read, send, text_of
from tests.support.yaml_actions import run

ANNA = "anna@example.test"
CARD = {"layout": "card"}
ACTION = """
action: email_courier.send_message
data:
  to: anna@example.test
  title: It rang
  message: Twice
"""


def _with_layout(name: str, layout: str) -> Any:
    family = recipient(name, [f"{name.lower()}@example.test"])
    return {**family, "data": {**family["data"], "layout": layout}}


async def test_an_account_of_an_older_release_stays_plain(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)

    await send(hass, to=ANNA)

    assert only_mail(server).get_content_type() == "text/plain"
    assert (account.entry.version, account.entry.minor_version) == (1, 2)
    assert account.entry.options["layout"] == "plain"


async def test_a_new_account_sends_cards(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = account_entry(server)
    hass.config.location_name = "Villa"
    object.__setattr__(entry, "minor_version", 2)
    await load(hass, entry)

    await send(hass, to=ANNA, title="It rang", message="**Twice**\n<3")

    mail = only_mail(server)
    page = text_of(mail, "html")
    assert text_of(mail) == "**Twice**\n<3\n"
    assert ">It rang</h1>" in page
    assert "**Twice**<br>\n&lt;3" in page
    assert "Villa &middot;" in page


@pytest.mark.parametrize(
    ("recipients", "named", "asked", "has_card"),
    [
        (("plain",), 1, None, False),
        (("card",), 1, None, True),
        (("card", "card"), 2, None, True),
        (("card", "plain"), 2, None, False),
        (("card",), 1, "plain", False),
        (("plain",), 1, "card", True),
    ],
)
async def test_the_action_goes_before_the_recipient_and_the_recipient_before_the_account(
    hass: HomeAssistant,
    bed: Bed,
    recipients: tuple[str, ...],
    named: int,
    asked: str | None,
    has_card: bool,
) -> None:
    server = await bed.serve()
    people = [_with_layout(f"P{number}", layout) for number, layout in enumerate(recipients)]
    await load_account(hass, server, *people, options={"layout": "plain"})
    fields = {} if asked is None else {"layout": asked}

    await send(hass, entity_id=[f"notify.p{number}" for number in range(named)], **fields)

    assert (only_mail(server).get_body(("html",)) is not None) is has_card


async def test_a_notify_entity_sends_a_card_too(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server, _with_layout("Bea", "card"))

    await hass.services.async_call(
        "notify", "send_message", {"entity_id": "notify.bea", "message": "Hello"}, blocking=True
    )

    page = text_of(only_mail(server), "html")
    assert "Hello" in page
    assert "<h1" not in page


async def test_the_subject_that_nobody_has_written_is_no_heading(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server, options=CARD)

    await send(hass, to=ANNA, message="Hello")

    mail = only_mail(server)
    assert mail["Subject"] == "Home Assistant"
    assert "<h1" not in text_of(mail, "html")


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ("red", "#ff0000"),
        ("#D1242F", "#d1242f"),
        ("#abc", "#aabbcc"),
        ([1, 2, 255], "#0102ff"),
        ("Hot Pink", "#ff69b4"),
    ],
)
async def test_a_color_is_a_name_a_number_or_three_parts(
    hass: HomeAssistant, bed: Bed, color: Any, expected: str
) -> None:
    server = await bed.serve()
    await load_account(hass, server, options=CARD)

    await send(hass, to=ANNA, color=color, icon="🔔")

    page = text_of(only_mail(server), "html")
    assert f'bgcolor="{expected}"' in page
    assert ">🔔</span>" in page


@pytest.mark.parametrize(
    "fields",
    [
        {"color": "no such color"},
        {"color": [1, 2]},
        {"color": [1, 2, 256]},
        {"icon": "mdi:bell"},
        {"icon": "🔔" * 30},
        {"layout": "fancy"},
        {"max_width": 10},
        {"facts": [{"name": "x"}]},
    ],
)
async def test_what_does_not_fit_is_an_error(
    hass: HomeAssistant, bed: Bed, fields: dict[str, Any]
) -> None:
    await load_account(hass, await bed.serve(), options=CARD)

    with pytest.raises(vol.Invalid):
        await send(hass, to=ANNA, **fields)


@pytest.mark.parametrize("icon", ["", "5️⃣", "👩‍👧", "🇩🇪", "⚠️"])
async def test_any_emoji_is_an_icon(hass: HomeAssistant, bed: Bed, icon: str) -> None:
    server = await bed.serve()
    await load_account(hass, server, options=CARD)

    await send(hass, to=ANNA, icon=icon, color="")

    assert icon in text_of(only_mail(server), "html")


async def test_the_classic_action_passes_over_what_is_meant_for_telephones(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server, title="Home", options=CARD)

    await hass.services.async_call(
        "notify",
        "home",
        {
            "message": "It rang",
            "target": ANNA,
            "data": {
                "icon": "mdi:bell",
                "color": "no such color",
                "button": {"text": "Open", "url": "https://home.example.test"},
            },
        },
        blocking=True,
    )

    page = text_of(only_mail(server), "html")
    assert "mdi:bell" not in page
    assert ">Open</a>" in page


async def test_a_classic_button_is_passed_over_where_the_recipient_wants_it_plain(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server, _with_layout("Bea", "plain"), title="Home", options=CARD)
    button = {"text": "Open", "url": "https://home.example.test"}

    await hass.services.async_call(
        "notify", "home", {"message": "It rang", "data": {"button": button}}, blocking=True
    )

    assert text_of(only_mail(server)) == "It rang\n"


async def test_an_automation_is_named_with_its_page(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server, options=CARD)
    await hass.config.async_update(external_url="https://home.example.test")
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "id": "bell",
                "alias": "Doorbell",
                "triggers": {"trigger": "event", "event_type": "rang"},
                "actions": {
                    "action": "email_courier.send_message",
                    "data": {"to": ANNA, "message": "It rang"},
                },
            }
        },
    )

    hass.bus.async_fire("rang")
    await hass.async_block_till_done()

    page = text_of(only_mail(server), "html")
    assert 'href="https://home.example.test/config/automation/edit/bell"' in page
    assert "Automation: Doorbell" in page


async def test_without_an_address_from_outside_there_is_a_name_and_no_link(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server, options=CARD)
    context = Context()
    hass.states.async_set("alert.freezer", "on", {"friendly_name": "Freezer"}, context=context)
    hass.states.async_set("script.tell", "on", {"friendly_name": "Tell all"})

    await hass.services.async_call(
        "email_courier",
        "send_message",
        {"to": ANNA, "message": "It is open"},
        blocking=True,
        context=context,
    )

    footer = text_of(only_mail(server), "html").rpartition('class="muted"')[2]
    assert "Freezer" in footer
    assert "href" not in footer


async def test_a_call_by_hand_names_nobody(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server, options=CARD)

    await run(hass, ACTION)

    assert "Automation" not in text_of(only_mail(server), "html")


async def test_a_test_mail_is_a_card(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server, options=CARD, title="Home")

    await hass.services.async_call(
        "button", "press", {"entity_id": "button.home_send_test_mail"}, blocking=True
    )

    assert ">Test mail from" in text_of(read(server.record.mails[0].content), "html")

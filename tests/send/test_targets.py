"""Which accounts a mail goes out from, and to whom."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er, label_registry as lr, target
from homeassistant.setup import async_setup_component
import pytest
import voluptuous as vol

from tests.support.accounts import account_entry, load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import only_mail, read, send

FAMILY = recipient(
    "Family",
    ["Bea <bea@example.test>", "carl@example.test"],
    cc=["dora@example.test"],
    bcc=["emil@example.test"],
)
NEIGHBOUR = recipient("Neighbour", ["frida@example.test"])


async def test_several_recipients_get_one_mail_in_one_transaction(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server, FAMILY, NEIGHBOUR)

    response = await send(hass, entity_id=["notify.neighbour", "notify.family"])

    mail = only_mail(server)
    assert len(server.record.commands("MAIL")) == 1
    assert mail["To"] == "frida@example.test, Bea <bea@example.test>, carl@example.test"
    assert mail["Cc"] == "dora@example.test"
    assert mail["Message-ID"] == response["message_id"]
    assert response["accepted"] == list(server.record.mails[0].recipients)


async def test_an_unseen_copy_is_nowhere_in_the_mail(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server, FAMILY)

    await send(hass, entity_id="notify.family", bcc="gerd@example.test")

    (mail,) = server.record.mails
    assert {"emil@example.test", "gerd@example.test"} <= set(mail.recipients)
    assert b"emil" not in mail.content
    assert b"gerd" not in mail.content


async def test_typed_addresses_join_the_mail_of_the_entity(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server, NEIGHBOUR)
    await load_account(hass, await bed.serve(), title="Other")

    await send(
        hass,
        entity_id="notify.neighbour",
        to=["Hans <hans@example.test>; ida@example.test", "frida@example.test"],
        cc="jan@example.test",
    )

    mail = only_mail(server)
    assert mail["To"] == "frida@example.test, Hans <hans@example.test>, ida@example.test"
    assert mail["Cc"] == "jan@example.test"


async def test_each_account_sends_one_mail_to_its_own_recipients(
    hass: HomeAssistant, bed: Bed
) -> None:
    home, office = await bed.serve(), await bed.serve()
    account = await load_account(hass, home, FAMILY)
    other = await load_account(hass, office, NEIGHBOUR, title="Office")

    response = await send(hass, entity_id=["notify.family", "notify.neighbour"])

    assert "frida" not in only_mail(home)["To"]
    assert only_mail(office)["To"] == "frida@example.test"
    assert response["status"] == "sent"
    assert len(response["accepted"]) == 5
    first, second = response["mails"]
    assert first["config_entry_id"] == account.entry.entry_id
    assert second["config_entry_id"] == other.entry.entry_id
    assert second["accepted"] == ["frida@example.test"]
    assert first["message_id"] == response["message_id"] != second["message_id"]


async def test_addresses_alone_go_out_from_the_only_account(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server)

    await send(hass, to="hans@example.test")

    assert only_mail(server)["To"] == "hans@example.test"


async def test_addresses_alone_go_out_from_the_chosen_account(
    hass: HomeAssistant, bed: Bed
) -> None:
    await load_account(hass, await bed.serve())
    server = await bed.serve()
    account = await load_account(hass, server, title="Office")

    await send(hass, to="hans@example.test", config_entry_id=account.entry.entry_id)

    assert only_mail(server)["To"] == "hans@example.test"


async def test_addresses_of_a_chosen_account_do_not_join_the_mail_of_another(
    hass: HomeAssistant, bed: Bed
) -> None:
    home, office = await bed.serve(), await bed.serve()
    await load_account(hass, home, NEIGHBOUR)
    account = await load_account(hass, office, title="Office")

    await send(
        hass,
        entity_id="notify.neighbour",
        to="hans@example.test",
        config_entry_id=account.entry.entry_id,
    )

    assert only_mail(home)["To"] == "frida@example.test"
    assert only_mail(office)["To"] == "hans@example.test"


async def test_a_mail_may_go_to_unseen_recipients_alone(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server)

    await send(hass, bcc=["hans@example.test", "ida@example.test"])

    (mail,) = server.record.mails
    assert mail.recipients == ("hans@example.test", "ida@example.test")
    assert read(mail.content)["To"] == "undisclosed-recipients:;"


@pytest.mark.parametrize(
    ("fields", "key", "words"),
    [
        ({}, "no_recipient", "no recipient"),
        ({"to": []}, "no_recipient", "no recipient"),
        ({"to": " , "}, "no_recipient", "no recipient"),
        ({"to": "hans"}, "invalid_recipient", '"hans" has no @'),
        ({"cc": "a@b@example.test"}, "invalid_recipient", '"a@b@example.test"'),
        ({"bcc": "a@example.test\r\nCc: b@a.test"}, "invalid_recipient", '"Cc: b@a.test"'),
        ({"to": "a@example.test", "reply_to": "nobody"}, "invalid_recipient", '"nobody"'),
        ({"entity_id": "notify.nobody"}, "recipient_not_found", "notify.nobody"),
        ({"entity_id": "light.lamp"}, "not_a_recipient", "light.lamp"),
        ({"entity_id": "sensor.home_waiting_mail"}, "not_a_recipient", "sensor.home_waiting"),
        ({"to": "a@example.test", "config_entry_id": "none"}, "account_not_found", "none"),
    ],
)
async def test_what_leads_to_nobody_is_an_error_before_anything_is_sent(
    hass: HomeAssistant, bed: Bed, fields: dict[str, Any], key: str, words: str
) -> None:
    server = await bed.serve()
    await load_account(hass, server, FAMILY)
    hass.states.async_set("light.lamp", "on")

    with pytest.raises(ServiceValidationError, match=words) as caught:
        await send(hass, **fields)

    assert caught.value.translation_key == key
    assert server.record.connections == 0


async def test_one_wrong_entity_among_right_ones_stops_all(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server, FAMILY)

    with pytest.raises(ServiceValidationError, match=r"notify\.nobody"):
        await send(hass, entity_id=["notify.family", "notify.nobody"])

    assert server.record.connections == 0


async def test_an_account_that_cannot_be_told_is_an_error_that_names_them(
    hass: HomeAssistant, bed: Bed
) -> None:
    await load_account(hass, await bed.serve(), title="Home")
    await load_account(hass, await bed.serve(), title="Office")

    with pytest.raises(ServiceValidationError, match="Home, Office") as caught:
        await send(hass, to="hans@example.test")

    assert caught.value.translation_key == "account_unclear"


async def test_recipients_of_several_accounts_do_not_tell_where_addresses_belong(
    hass: HomeAssistant, bed: Bed
) -> None:
    await load_account(hass, await bed.serve(), FAMILY)
    await load_account(hass, await bed.serve(), NEIGHBOUR, title="Office")

    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, entity_id=["notify.family", "notify.neighbour"], to="hans@example.test")

    assert caught.value.translation_key == "account_unclear"


async def test_an_account_that_is_not_loaded_is_named(hass: HomeAssistant, bed: Bed) -> None:
    account = await load_account(hass, await bed.serve(), FAMILY)
    await hass.config_entries.async_unload(account.entry.entry_id)

    for fields in (
        {"entity_id": "notify.family"},
        {"to": "a@example.test", "config_entry_id": account.entry.entry_id},
    ):
        with pytest.raises(ServiceValidationError, match="Home") as caught:
            await send(hass, **fields)
        assert caught.value.translation_key == "account_not_loaded"

    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, to="a@example.test")
    assert caught.value.translation_key == "no_account_loaded"


async def test_the_action_is_there_while_no_account_is(hass: HomeAssistant, bed: Bed) -> None:
    entry = account_entry(await bed.serve())
    entry.add_to_hass(hass)
    assert await async_setup_component(hass, "email_courier", {})
    await hass.config_entries.async_unload(entry.entry_id)

    assert hass.services.has_service("email_courier", "send_message")


async def test_devices_and_labels_stand_for_the_recipients_within(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server, FAMILY, NEIGHBOUR)
    registry = er.async_get(hass)
    label = lr.async_get(hass).async_create("Alarm")
    registry.async_update_entity("notify.neighbour", labels={label.label_id})
    registry.async_update_entity("sensor.home_waiting_mail", labels={label.label_id})
    family = registry.async_get("notify.family")
    assert family is not None

    await send(hass, label_id=label.label_id)
    await send(hass, device_id=family.device_id)

    assert [read(mail.content)["To"] for mail in server.record.mails] == [
        "frida@example.test",
        "Bea <bea@example.test>, carl@example.test",
    ]


@pytest.mark.skipif(
    hasattr(target, "async_extract_excluded_entity_ids"), reason="it is known there"
)
async def test_excluding_somebody_is_refused_where_home_assistant_does_not_know_it(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server, FAMILY, NEIGHBOUR)

    with pytest.raises(vol.Invalid):
        await send(hass, entity_id="all", exclude={"entity_id": ["notify.family"]})

    assert server.record.connections == 0


async def test_all_stands_for_every_recipient(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server, FAMILY, NEIGHBOUR)

    response = await send(hass, entity_id="all")

    assert len(response["accepted"]) == 5


async def test_a_group_stands_for_its_members(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server, FAMILY, NEIGHBOUR)
    members = ["notify.neighbour", "notify.family"]
    assert await async_setup_component(hass, "group", {"group": {"all": {"entities": members}}})
    await hass.async_block_till_done()

    await send(hass, entity_id="group.all")

    assert only_mail(server)["To"].startswith("frida@example.test, Bea")

"""The actions in a whole Home Assistant of the newest release."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.certificates import Certificates, ServerTls

from .client import HassError
from .demo import ENTITY, FAMILY_ADDRESSES, add_account, add_recipient, complaints
from .dialog import SUBENTRY, Dialog
from .hass_runner import HomeAssistant, home_assistant
from .mail_server import Login, MailServer, mail_server

LOGIN = Login("home", "Open-Sesame-7421")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[tuple[HomeAssistant, MailServer]]:
    """A Home Assistant with an account and a recipient, and its mail server."""
    certificates = Certificates()
    context = certificates.server_context(ServerTls.VALID)
    async with (
        mail_server(LOGIN, context, tmp_path / "inbox") as server,
        home_assistant(tmp_path / "config", authority_pem=certificates.authority_pem) as hass,
    ):
        await add_recipient(hass, await add_account(hass, server))
        yield hass, server


async def test_one_call_is_one_mail_with_everything_in_it(
    house: tuple[HomeAssistant, MailServer], tmp_path: Path
) -> None:
    hass, server = house
    www = tmp_path / "config" / "www"
    (www / "energy.csv").write_text("day;kWh\n1;7.2\n")

    response = await hass.client.call(
        "email_courier.send_message",
        {
            "to": "Emil <emil@courier.test>",
            "title": "Energy",
            "message": "See below.",
            "markdown": "| Day | kWh |\n|---|---|\n| 1 | {{ 7.2 }} |",
            "attachments": [{"path": "www/energy.csv"}],
            "priority": "high",
        },
        target={"entity_id": ENTITY},
        response=True,
    )

    (mail,) = server.inbox.mails
    assert mail.recipients == (*FAMILY_ADDRESSES, "emil@courier.test")
    assert response["status"] == "sent"
    assert response["message_id"] == mail.message["Message-ID"]
    assert [part.get_filename() for part in mail.message.iter_attachments()] == ["energy.csv"]
    assert not complaints(hass.log())


async def test_the_classic_action_answers_to_the_name_of_the_account(
    house: tuple[HomeAssistant, MailServer],
) -> None:
    hass, server = house
    described = await hass.client.command("get_services")
    (name,) = described["notify"].keys() - {"notify", "persistent_notification", "send_message"}

    await hass.client.call(
        f"notify.{name}", {"message": "Hi", "data": {"html": "<p>Hi</p>", "push": {}}}
    )

    (mail,) = server.inbox.mails
    assert mail.recipients == FAMILY_ADDRESSES
    assert mail.message.get_content_type() == "multipart/alternative"
    fields = described["email_courier"]["send_message"]["fields"]
    assert fields["delivery"]["fields"]["expires_after"]["selector"]["duration"]


async def test_who_is_excluded_gets_no_mail(house: tuple[HomeAssistant, MailServer]) -> None:
    hass, server = house
    client, emil = hass.client, "notify.emil"
    (entry,) = await client.command("config_entries/get", domain="email_courier")
    dialog = Dialog(client, SUBENTRY)
    step = await dialog.begin((entry["entry_id"], "recipient"))
    await dialog.complete(step, {"name": "Emil", "to": ["emil@courier.test"]})
    await client.until_state(emil)
    label = await client.command("config/label_registry/create", name="Alarm")
    labels = [label["label_id"]]
    for entity_id in (ENTITY, emil):
        await client.command("config/entity_registry/update", entity_id=entity_id, labels=labels)
    device = (await client.command("config/entity_registry/get", entity_id=emil))["device_id"]
    area = (await client.command("config/area_registry/create", name="Hall"))["area_id"]
    await client.command("config/device_registry/update", device_id=device, area_id=area)
    both = {"entity_id": [ENTITY, emil]}
    targets = [
        {**both, "exclude": {"entity_id": [emil]}},
        {**both, "exclude": {"area_id": [area]}},
        {"label_id": labels, "exclude": {"device_id": [device]}},
        {"entity_id": "all", "exclude": {"entity_id": [emil]}},
        {"entity_id": [ENTITY], "area_id": [area], "exclude": {"entity_id": [emil]}},
    ]
    described = await client.command("get_services")
    (name,) = described["notify"].keys() - {"notify", "persistent_notification", "send_message"}

    for target in targets:
        await client.call("email_courier.send_message", {"message": "x", **target})
    for data in ({"exclude": {"entity_id": [emil]}}, *targets):
        await client.call(f"notify.{name}", {"message": "x", "data": data})

    assert [mail.recipients for mail in server.inbox.mails] == [FAMILY_ADDRESSES] * 11
    with pytest.raises(HassError, match="no recipient"):
        await client.call(
            "email_courier.send_message",
            {"message": "x", "entity_id": [emil], "exclude": {"label_id": labels}},
        )


async def test_an_error_is_shown_in_words(house: tuple[HomeAssistant, MailServer]) -> None:
    hass, _ = house

    with pytest.raises(HassError, match='"emil" has no @'):
        await hass.client.call("email_courier.send_message", {"to": "emil", "message": "x"})
    with pytest.raises(HassError, match="allowlist_external_dirs"):
        await hass.client.call(
            "email_courier.send_message",
            {"to": "a@courier.test", "message": "x", "attachments": [{"path": "/etc/passwd"}]},
        )

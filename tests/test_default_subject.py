"""What stands as the subject of a mail without a title."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import DOMAIN
from tests.support.accounts import load_account, recipient
from tests.support.dialogs import Dialog
from tests.support.fixtures import Bed
from tests.support.mails import only_mail, send, text_of
from tests.support.scripted_server import ScriptedServer

LONG = "The washing machine in the cellar is done and would like to be emptied before the evening"
FIRST_LINE = {"default_subject": "first_line"}


@pytest.fixture
async def server(bed: Bed) -> ScriptedServer:
    """The account's server."""
    return await bed.serve()


async def load(hass: HomeAssistant, server: ScriptedServer, **options: str) -> Account:
    return await load_account(
        hass, server, recipient("Bea", ["bea@example.test"]), title="Home", options=options
    )


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"message": "\n  Done. \nReally."}, "Done."),
        (
            {"message": LONG},
            "The washing machine in the cellar is done and would like to be emptied before",
        ),
        ({"message": "x" * 100}, "x" * 78),
        (
            {"message": "", "markdown": "![Door](cid:x)\n\n# The **door** is `open`\n"},
            "The door is open",
        ),
        ({"message": "", "markdown": "[Look](https://a.test) here\nand there"}, "Look here"),
        ({"message": "Text", "markdown": "Other"}, "Text"),
        ({"message": "", "html": "<p>One</p><p>Two</p>"}, "One"),
        ({"message": ""}, "Home Assistant"),
        ({"message": "", "markdown": "***"}, "Home Assistant"),
        ({"message": "Done.", "title": "Washing"}, "Washing"),
        ({"message": "Done.", "title": ""}, "Done."),
    ],
)
async def test_it_is_the_first_line_where_the_account_says_so(
    hass: HomeAssistant, server: ScriptedServer, fields: dict[str, Any], subject: str
) -> None:
    await load(hass, server, **FIRST_LINE)

    await send(hass, entity_id="notify.bea", **fields)

    assert only_mail(server)["Subject"] == subject
    assert len(subject) <= 78


async def test_the_layout_does_not_repeat_it(hass: HomeAssistant, server: ScriptedServer) -> None:
    await load(hass, server, **FIRST_LINE)

    await send(hass, entity_id="notify.bea", message="", markdown="The door is open")

    _, _, body = text_of(only_mail(server), "html").partition("</head>")
    assert body.count("The door is open") == 1


@pytest.mark.parametrize(("options", "subject"), [(FIRST_LINE, "Done."), ({}, "Home Assistant")])
async def test_core_action_follows_the_account_as_well(
    hass: HomeAssistant, server: ScriptedServer, options: dict[str, str], subject: str
) -> None:
    await load(hass, server, **options)

    await hass.services.async_call(
        "notify",
        "send_message",
        {"message": "Done.\nReally."},
        target={"entity_id": "notify.bea"},
        blocking=True,
    )

    assert only_mail(server)["Subject"] == subject


async def test_the_classic_action_never_puts_a_login_code_into_the_subject(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await load(hass, server, **FIRST_LINE)

    await hass.services.async_call("notify", "home", {"message": "Code: 123456"}, blocking=True)

    assert only_mail(server)["Subject"] == "Home Assistant"


async def test_an_account_of_the_first_version_keeps_its_subject_until_its_options_say_otherwise(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    account = await load(hass, server)
    await send(hass, entity_id="notify.bea", message="Before")
    dialog = await Dialog.options(hass, account.entry)
    await dialog.submit(default_subject="first_line")
    await hass.async_block_till_done()
    await send(hass, entity_id="notify.bea", message="After")

    subjects = [
        mail.content.split(b"Subject: ")[1].split(b"\r\n")[0] for mail in server.record.mails
    ]
    assert subjects == [b"Home Assistant", b"After"]


async def test_the_outbox_knows_a_mail_by_its_subject(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await load(hass, server, **FIRST_LINE)
    await server.stop()

    await send(hass, entity_id="notify.bea", message="The door is open")

    outbox: Any = await hass.services.async_call(
        DOMAIN, "list_waiting", blocking=True, return_response=True
    )
    assert [mail["subject"] for mail in outbox["mails"]] == ["The door is open"]

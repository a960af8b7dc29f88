"""What people paste into the set-up dialog: servers, senders, passwords; and its time limit."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.email_courier.flow.draft import Draft
from custom_components.email_courier.flow.pasted import (
    Server,
    is_surrounded_by_blanks,
    password_in,
    server_in,
)
from custom_components.email_courier.mail.settings import DIALOG_DEADLINES, Deadlines, Encryption
from tests.support.accounts import account_entry, load
from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY, HEALTHY_TLS, PASSWORD, USERNAME, Step, late

HOST = "smtp.example.com"


@pytest.mark.parametrize(
    ("typed", "server"),
    [
        (HOST, Server(HOST)),
        (f" \u200b{HOST}\u00a0\n", Server(HOST)),
        (f"{HOST}:587", Server(HOST, 587)),
        (f"{HOST}：465", Server(HOST, 465)),
        (f"smtp://{HOST}", Server(HOST)),
        (f"SMTP://{HOST}:2525/", Server(HOST, 2525)),
        (f"submission://{HOST}:25?x#y", Server(HOST, 25)),
        (f"smtps://{HOST}", Server(HOST, None, Encryption.TLS)),
        (f"submissions://{HOST}:4650", Server(HOST, 4650, Encryption.TLS)),
        (f"https://{HOST}/", Server(HOST)),
        (f"http://{HOST}:8080/webmail?x=1", Server(HOST)),
        (f"{HOST}/", Server(HOST)),
        ("::1", Server("::1")),
        ("fe80::1%12", Server("fe80::1%12")),
        ("[::1]:25", Server("::1", 25)),
        ("smtp://[fe80::1%25eth0]:25", Server("fe80::1%eth0", 25)),
    ],
)
def test_a_server_is_taken_apart(typed: str, server: Server) -> None:
    assert server_in(typed) == server


@pytest.mark.parametrize(
    "typed",
    [
        *("", "two words", ":25", "http://", "anna@example.test", f"{HOST}:70000", f"{HOST}:smtp"),
        "smtp://anna:secret@example.test:25",
    ],
)
def test_what_is_no_server_stays_as_it_was_typed(typed: str) -> None:
    assert server_in(typed) == Server(typed)


@pytest.mark.parametrize(
    ("provider", "typed", "password"),
    [
        ("gmail", " abcd\u00a0efgh ijkl\tmnop\n", "abcdefghijklmnop"),
        ("icloud", "abcd-efgh-ijkl-mnop ", "abcd-efgh-ijkl-mnop"),
        ("gmx", " abcd efgh ", " abcd efgh "),
        (None, "abcd\u00a0e\u3000f\u200bg", "abcd e f g"),
        (None, "\u00e4{x}\t", "\u00e4{x}\t"),
    ],
)
def test_a_password_loses_blanks_where_they_only_group_it(
    provider: str | None, typed: str, password: str
) -> None:
    assert password_in(typed, provider) == password


@pytest.mark.parametrize(
    ("password", "is_so"), [("a b", False), (" a", True), ("a\n", True), ("", False)]
)
def test_blanks_around_a_password_are_seen(password: str, is_so: bool) -> None:
    assert is_surrounded_by_blanks(password) is is_so


async def test_a_scheme_with_tls_implies_its_port(hass: HomeAssistant, bed: Bed) -> None:
    dialog = await Dialog.new_account(hass)
    typed = typed_for(await bed.serve(HEALTHY_TLS), host=f"smtps://{HOST}", port=587)
    await dialog.submit(sender=USERNAME, enter_manually=True)
    await dialog.submit(**{name: typed[name] for name in dialog.fields if name in typed})
    await dialog.submit(go_back=True)
    shown = {name: dialog.fields[name] for name in ("host", "port", "encryption")}
    assert shown == {"host": HOST, "port": 465, "encryption": "tls"}


async def test_the_name_beside_the_sender_is_its_name_and_is_shown_again(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=f"The house <{USERNAME}>", enter_manually=True)
    await dialog.submit(go_back=True)
    assert dialog.fields["sender"] == f'"The house" <{USERNAME}>'
    await dialog.fill_in(**typed_for(server, sender=dialog.fields["sender"]))
    assert dialog.fields["sender_name"] == "The house"
    await dialog.submit(test_recipient="bea@example.test")
    await dialog.submit()
    assert dialog.entry.data["sender"] == USERNAME
    assert dialog.entry.options["sender_name"] == "The house"
    (mail,) = server.record.mails
    assert b"The house" in mail.content


async def test_a_name_that_an_account_has_stays_where_none_is_typed(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = account_entry(await bed.serve(), options={"sender_name": "Home", "timeout": 60})
    await load(hass, entry)
    dialog = await Dialog.reconfiguration(hass, entry)
    assert dialog.fields["sender"] == USERNAME
    await dialog.fill_in()
    assert entry.options["sender_name"] == "Home"
    assert entry.options["timeout"] == 60


async def test_a_refused_password_with_blanks_around_it_is_told_of(
    hass: HomeAssistant, bed: Bed
) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(await bed.serve(), password=f"{PASSWORD} "))
    assert dialog.errors == {"base": "invalid_auth"}
    assert "space or a line break before or after the password" in dialog.error_texts["base"]


async def test_a_time_limit_from_the_dialog_is_used_at_once_and_kept(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.GREETING: late(0.1)}))
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, timeout=120))
    assert dialog.step == "finish"
    await dialog.submit()
    assert dialog.entry.options["timeout"] == 120


@pytest.mark.parametrize(
    ("options", "deadlines"),
    [
        ({}, DIALOG_DEADLINES),
        ({"timeout": 30}, DIALOG_DEADLINES),
        ({"timeout": 5}, Deadlines(10.0, 6.0, 13.0, 10.0, final_reply=120.0)),
        ({"timeout": 90}, Deadlines(90.0, 30.0, 60.0, 90.0, final_reply=120.0)),
    ],
)
def test_a_time_limit_moves_every_limit_and_makes_none_shorter_than_the_usual(
    options: dict[str, Any], deadlines: Deadlines
) -> None:
    data = {"sender": USERNAME, "host": HOST, "port": 25, "encryption": "none"}
    assert Draft.of_entry(data, options).settings().deadlines == deadlines


def test_a_token_goes_to_no_other_server_than_it_was_granted_for() -> None:
    data = {
        "sender": USERNAME,
        "host": HOST,
        "port": 25,
        "encryption": "tls",
        "username": USERNAME,
        "sign_in": {
            "provider": "custom",
            "authorize_url": "https://id.example/a",
            "token_url": "https://id.example/t",
            "scope": "",
        },
    }
    draft = Draft.of_entry(data, {})
    assert draft.is_token_at_home
    elsewhere = draft.at_server(host="mail.example.net")
    assert not elsewhere.is_token_at_home
    with pytest.raises(ValueError, match=HOST):
        elsewhere.settings()
    assert elsewhere.without_sign_in().is_token_at_home

"""Diagnostics: all that helps, and nothing that is anybody's business."""

import base64
import json
from typing import Any
from urllib.parse import quote, quote_plus

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import (
    CONF_CA_FILE,
    CONF_FINGERPRINT,
    CONF_REPLY_TO,
    CONF_SENDER_NAME,
)
from custom_components.email_courier.diagnostics import Redactor, domains
from custom_components.email_courier.mail.redaction import HIDDEN
from tests.support.accounts import account_entry, load, load_account, recipient
from tests.support.certificates import Certificates, ServerTls
from tests.support.fixtures import Bed
from tests.support.script import PASSWORD, USERNAME, Script, Step, say
from tests.support.sending import send_from

SUBJECT = "Dentist on Tuesday"


async def diagnose(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, account: Account
) -> Any:
    return await get_diagnostics_for_config_entry(hass, hass_client, account.entry)


async def test_they_show_what_the_server_has_shown(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator
) -> None:
    account = await load_account(hass, await bed.serve(Script(size_limit=20_000_000)))
    assert (await diagnose(hass, hass_client, account))["server"] is None

    await send_from(account, "bea@example.test")

    server = (await diagnose(hass, hass_client, account))["server"]
    assert server["name"] == "mail.example.test"
    assert server["tls_version"] == "TLSv1.3"
    assert server["login_mechanism"] == "PLAIN"
    assert server["size_limit"] == 20_000_000
    assert "8bitmime" in server["extensions"]
    assert len(server["certificate"]["fingerprint"].split(":")) == 32


async def test_they_show_what_became_of_the_last_mails(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator
) -> None:
    script = Script(recipient_replies={"bea@example.test": "550 5.1.1 <bea@example.test> unknown"})
    account = await load_account(hass, await bed.serve(script))
    receipt = await send_from(account, "bea@example.test", "carl@example.org")

    outcomes = (await diagnose(hass, hass_client, account))["outcomes"]

    by_outcome = {outcome["outcome"]: outcome for outcome in outcomes}
    assert set(by_outcome) == {"delivered", "failed"}
    assert by_outcome["delivered"]["recipients"] == ["example.org"]
    assert by_outcome["delivered"]["reply"].startswith("250 ")
    failed = by_outcome["failed"]
    assert failed["recipients"] == ["example.test"]
    assert failed["reason"] == "refused"
    assert failed["message_id"] == receipt.message_id
    assert failed["failure"]["kind"] == "recipient_rejected"
    assert failed["failure"]["reply"] == {
        "code": 550,
        "lines": [f"5.1.1 <{HIDDEN}@example.test> unknown"],
    }


async def test_they_show_what_waits_and_why(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await server.stop()
    await send_from(account, "bea@example.test")

    diagnostics = await diagnose(hass, hass_client, account)

    assert diagnostics["outbox"]["waiting"] == 1
    assert diagnostics["outbox"]["down"]["kind"] == "connection_refused"
    assert diagnostics["outbox"]["paused"] is None
    assert diagnostics["outbox"]["next_attempt"] is not None
    [mail] = diagnostics["waiting"]
    assert mail["attempts"] == 1
    assert mail["next_attempt"] is None
    assert [(owed["domain"], owed["failure"]["stage"]) for owed in mail["owed"]] == [
        ("example.test", "connect")
    ]


async def test_they_hold_no_secret_no_subject_and_nobodys_address(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator
) -> None:
    echo = f"554 5.7.1 <{USERNAME}> may not write to robin@example.test with {PASSWORD}"
    server = await bed.serve(Script(answers={Step.DATA: say(echo)}))
    account = await load(
        hass,
        account_entry(
            server,
            recipient("Family", ["Robin <robin@example.test>"], ["carl@example.org"]),
            options={CONF_REPLY_TO: ["dora@example.test"], CONF_SENDER_NAME: "Anna's house"},
            a_field_of_a_later_version={"refresh": "r3fr3sh", "expires": 60, "more": ["s3cr3t"]},
        ),
    )
    with pytest.raises(HomeAssistantError):
        await send_from(account, "robin@example.test", subject=SUBJECT)
    await server.stop()
    await send_from(account, "robin@example.test", subject=SUBJECT)

    diagnostics = await diagnose(hass, hass_client, account)

    text = json.dumps(diagnostics)
    for private in (
        PASSWORD,
        SUBJECT,
        "anna",
        "Anna",
        "robin",
        "Robin",
        "carl",
        "dora",
        "r3fr3sh",
        "s3cr3t",
    ):
        assert private not in text
    assert diagnostics["outcomes"][1]["next_attempt"].startswith("20")
    assert diagnostics["settings"]["host"] == server.host
    assert diagnostics["settings"]["sender"] == "example.test"
    assert diagnostics["settings"]["password"] == HIDDEN
    assert diagnostics["recipients"] == [{"to": ["example.test"], "cc": ["example.org"], "bcc": []}]


@pytest.mark.parametrize(
    "quoted",
    [
        SUBJECT,
        SUBJECT.upper(),
        "Dentist  on\n554 5.7.1 Tuesday",
        quote(SUBJECT),
        quote_plus(SUBJECT),
        f"=?utf-8?q?{SUBJECT.replace(' ', '_')}?=",
        f"=?utf-8?b?{base64.b64encode(SUBJECT.encode()).decode()}?=",
        "Robin Hood",
        "Robin",
        "user robin.hood unknown",
        "<robin.hood@example.test>",
        "<robin.hood@example\n554 .test>",
        "robin.hood%40example.test",
        base64.b64encode(b"robin.hood@example.test").decode(),
        "Robin's Band",
    ],
)
@pytest.mark.parametrize("step", [Step.DATA, Step.DOT])
async def test_what_a_reply_quotes_of_the_mail_is_hidden(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator, step: Step, quoted: str
) -> None:
    first, *rest = f"5.7.1 Spam: {quoted} !".split("\n")
    said = "\n".join([f"554-{first}", *(line.replace("554 ", "554-") for line in rest), "554 Bye"])
    server = await bed.serve(Script(answers={step: say(said)}))
    to = recipient("Robin's Band", ["Robin Hood <robin.hood@example.test>"])
    account = await load(hass, account_entry(server, to))
    with pytest.raises(HomeAssistantError):
        await send_from(account, "robin.hood@example.test", subject=SUBJECT)

    diagnostics = await diagnose(hass, hass_client, account)

    [outcome] = diagnostics["outcomes"]
    assert "Spam: " in outcome["failure"]["reply"]["lines"][0]
    text = json.dumps(diagnostics).lower()
    for private in ("dentist", "tuesday", "robin", "hood", "rgvudglzd", "cm9iaw4"):
        assert private not in text


async def test_a_subject_hides_no_word_of_ours(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator
) -> None:
    script = Script(answers={Step.DATA: say("554 5.7.1 failed")})
    account = await load_account(hass, await bed.serve(script))
    for subject in ("failed", "refused", "permanent", "message_rejected", "data"):
        with pytest.raises(HomeAssistantError):
            await send_from(account, "bea@example.test", subject=subject)

    diagnostics = await diagnose(hass, hass_client, account)

    for outcome in diagnostics["outcomes"]:
        assert (outcome["outcome"], outcome["reason"]) == ("failed", "refused")
        failure = outcome["failure"]
        assert (failure["kind"], failure["stage"]) == ("message_rejected", "data")
    assert diagnostics["outcomes"][0]["failure"]["reply"]["lines"] == [f"5.7.1 {HIDDEN}"]


async def test_a_waiting_mail_is_not_quoted_either(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator
) -> None:
    said = say(f"451 4.7.1 Later: {SUBJECT.upper()}, robin.hood")
    account = await load_account(hass, await bed.serve(Script(answers={Step.DATA: said})))
    await send_from(account, "robin.hood@example.test", subject=SUBJECT)

    diagnostics = await diagnose(hass, hass_client, account)

    [mail] = diagnostics["waiting"]
    [owed] = mail["owed"]
    assert owed["failure"]["reply"]["lines"] == [f"4.7.1 Later: {HIDDEN}, {HIDDEN}"]
    assert "DENTIST" not in json.dumps(diagnostics)


@pytest.mark.parametrize(
    ("data", "options", "trust"),
    [
        ({}, {}, "known authorities"),
        ({"verify_ssl": False}, {}, "any certificate (verify_ssl is off)"),
        (
            {"verify_ssl": False, CONF_FINGERPRINT: "ab" * 32},
            {},
            "exactly one certificate",
        ),
        ({}, {CONF_CA_FILE: "ca.pem"}, "known authorities and those of a CA file"),
    ],
)
async def test_they_say_how_the_certificate_is_checked(
    hass: HomeAssistant,
    bed: Bed,
    hass_client: ClientSessionGenerator,
    certificates: Certificates,
    data: dict[str, Any],
    options: dict[str, Any],
    trust: str,
) -> None:
    if CONF_CA_FILE in options:
        path = hass.config.path(options[CONF_CA_FILE])
        await hass.async_add_executor_job(_write, path, certificates.pem(ServerTls.SELF_SIGNED)[1])
        options = {CONF_CA_FILE: path}
    entry = account_entry(await bed.serve(), options=options, **data)

    diagnostics = await diagnose(hass, hass_client, await load(hass, entry))

    assert diagnostics["trust"] == trust
    assert diagnostics["settings"]["verify_ssl"] is data.get("verify_ssl", True)


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(data)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("550 <bea@example.test>: unknown", f"550 <{HIDDEN}@example.test>: unknown"),
        ("MAIL FROM:bea@example.test", f"MAIL FROM:{HIDDEN}@example.test"),
        ('"bea b"@example.test!', f"{HIDDEN}@example.test!"),
        ("bea+tag@a.test, c@b.test", f"{HIDDEN}@a.test, {HIDDEN}@b.test"),
        ("at 17:00 @ home", "at 17:00 @ home"),
        ("user hunter2 rejected", f"user {HIDDEN} rejected"),
    ],
)
def test_an_address_in_a_text_keeps_its_domain_alone(text: str, seen: str) -> None:
    assert Redactor(["hunter2"]).text(text) == seen


def test_the_domain_is_left_of_an_address_with_a_name() -> None:
    assert domains(["Bea <bea@example.test>", "c@example.org"]) == ["example.test", "example.org"]

"""The last page of the set-up dialog: what was proven, and a test mail before anything is saved."""

from email import message_from_bytes, policy
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.email_courier.const import DOMAIN
from tests.support.certificates import ServerTls
from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_RELAY,
    USERNAME,
    Script,
    Step,
    say,
    stall,
)
from tests.support.scripted_server import ScriptedServer


async def summary(hass: HomeAssistant, server: ScriptedServer, **changes: Any) -> Dialog:
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, **changes))
    assert dialog.step == "finish", dialog.error_texts
    return dialog


async def test_it_says_what_was_proven(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(HEALTHY_TLS.but(size_limit=35_882_577))
    certificate = bed.certificates.certificate(ServerTls.VALID)
    dialog = await summary(hass, server)
    for shown in (
        f"takes mail from `{USERNAME}`",
        f"`mail.example.test` (`127.0.0.1`, port {server.port})",
        "Encryption: TLS 1.3 from the first moment",
        "issued by `Test authority`",
        f"valid until {certificate.not_valid_after_utc:%Y-%m-%d}",
        f"`{USERNAME}` (PLAIN)",
        "35.9 MB",
    ):
        assert shown in dialog.description


async def test_it_says_what_there_is_not(hass: HomeAssistant, bed: Bed) -> None:
    dialog = await summary(hass, await bed.serve(PLAIN_RELAY), username=None, password=None)
    for shown in (
        "Encryption: none",
        "Certificate: none",
        "Login: none",
        "no stated limit",
    ):
        assert shown in dialog.description


async def test_a_servers_words_cannot_draw_on_the_page(hass: HomeAssistant, bed: Bed) -> None:
    rude = say("220 [click](https://evil.test)`<img> ESMTP")
    server = await bed.serve(HEALTHY.but(answers={Step.GREETING: rude}))
    dialog = await summary(hass, server)
    assert "`[click](https://evil.test) <img>`" in dialog.description


async def test_nothing_is_saved_before_the_last_click(hass: HomeAssistant, bed: Bed) -> None:
    dialog = await summary(hass, await bed.serve())
    dialog.close()
    assert not hass.config_entries.async_entries(DOMAIN)


@pytest.mark.parametrize("script", [HEALTHY, HEALTHY_TLS])
async def test_a_test_mail_arrives_before_the_account_is_saved(
    hass: HomeAssistant, bed: Bed, script: Script
) -> None:
    server = await bed.serve(script)
    dialog = await summary(hass, server)
    await dialog.submit(test_recipient="bea@example.test")
    assert dialog.step == "tested"
    assert not hass.config_entries.async_entries(DOMAIN)
    assert "It is on its way to `bea@example.test`" in dialog.description
    assert "`250 2.0.0 Ok: queued as 1`" in dialog.description
    await dialog.submit()
    assert dialog.entry.data["host"] == server.host
    (sent,) = server.record.mails
    assert (sent.sender, sent.recipients) == (USERNAME, ("bea@example.test",))
    assert sent.encrypted
    assert sent.username == USERNAME
    mail = message_from_bytes(sent.content, policy=policy.default)
    assert mail["Subject"] == "Test mail from test home"
    assert mail["From"] == f"{hass.config.location_name} <{USERNAME}>"
    assert mail["To"] == "bea@example.test"
    assert mail["Message-ID"].endswith("@example.test>")
    assert mail["Auto-Submitted"] == "auto-generated"
    page = mail.get_body(("html",))
    plain = mail.get_body(("plain",))
    assert page is not None
    assert plain is not None
    assert hass.config.location_name in page.get_content(), "it looks like every mail from here"
    assert f"This is a test mail from {USERNAME}." in plain.get_content()
    assert not server.record.secrets_in_clear([PASSWORD])


async def test_a_refused_recipient_is_named_on_its_field_and_can_be_corrected(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(
        HEALTHY.but(recipient_replies={"bob@example.test": "550 5.1.1 Unknown user"})
    )
    dialog = await summary(hass, server)
    await dialog.submit(test_recipient="bob@example.test")
    assert dialog.step == "finish"
    assert dialog.errors == {"test_recipient": "recipient_rejected"}
    assert "550 5.1.1 Unknown user" in dialog.error_texts["test_recipient"]
    assert "TLS 1.3" in dialog.description
    assert dialog.fields["test_recipient"] == "bob@example.test"

    await dialog.submit(test_recipient="bea@example.test")
    await dialog.submit()
    assert dialog.type is FlowResultType.CREATE_ENTRY
    assert [mail.recipients for mail in server.record.mails] == [("bea@example.test",)]


async def test_a_test_mail_that_failed_keeps_nobody_from_saving(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.RCPT: say("450 4.2.0 Greylisted")}))
    dialog = await summary(hass, server)
    await dialog.submit(test_recipient="bea@example.test")
    assert dialog.errors == {"test_recipient": "deferred"}
    await dialog.submit(test_recipient=None)
    assert dialog.type is FlowResultType.CREATE_ENTRY
    assert not server.record.mails


async def test_sending_shows_progress_and_ends_with_the_dialog(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.DOT: stall()}))
    dialog = await summary(hass, server)
    await dialog.begin(test_recipient="bea@example.test")
    assert dialog.progress[-1] == "test_mail"
    dialog.close()
    await hass.async_block_till_done()
    assert await server.all_closed()
    assert not hass.config_entries.async_entries(DOMAIN)

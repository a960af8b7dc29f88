"""Trusting one certificate in the set-up dialog, between checking it and not."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.email_courier.flow.draft import Draft
from custom_components.email_courier.flow.texts import comparison_text
from custom_components.email_courier.mail.settings import format_fingerprint
from tests.support.certificates import Certificates, ServerTls
from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY, HEALTHY_TLS, PASSWORD, Script, Tls
from tests.support.scripted_server import ScriptedServer

SELF_SIGNED = HEALTHY.but(tls_kind=ServerTls.SELF_SIGNED)


async def asked_to_trust(hass: HomeAssistant, server: ScriptedServer) -> Dialog:
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server))
    assert dialog.step == "certificate"
    assert dialog.errors == {"base": "certificate_untrusted"}
    return dialog


@pytest.mark.parametrize(
    "kind", [ServerTls.SELF_SIGNED, ServerTls.UNTRUSTED_AUTHORITY, ServerTls.INCOMPLETE_CHAIN]
)
async def test_an_untrusted_certificate_is_shown_before_it_is_trusted(
    hass: HomeAssistant, bed: Bed, kind: ServerTls
) -> None:
    server = await bed.serve(HEALTHY.but(tls_kind=kind))
    certificate = bed.certificates.certificate(kind)
    dialog = await asked_to_trust(hass, server)
    assert dialog.fields["trust_certificate"] is False
    for shown in (
        format_fingerprint(bed.certificates.fingerprint(kind)),
        f"{certificate.not_valid_before_utc:%Y-%m-%d}",
        f"{certificate.not_valid_after_utc:%Y-%m-%d}",
    ):
        assert shown in dialog.description
    assert server.record.auth_commands == 0
    assert not server.record.secrets_in_clear([PASSWORD])


async def test_subject_and_issuer_are_shown(hass: HomeAssistant, bed: Bed) -> None:
    dialog = await asked_to_trust(hass, await bed.serve(SELF_SIGNED))
    assert "For: `mail.example.test`" in dialog.description
    assert "Issued by: `mail.example.test`" in dialog.description


async def test_a_yes_pins_exactly_that_certificate(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(SELF_SIGNED)
    dialog = await asked_to_trust(hass, server)
    await dialog.submit(trust_certificate=True)
    assert dialog.step == "finish"
    await dialog.submit()
    pinned = bed.certificates.fingerprint(ServerTls.SELF_SIGNED)
    assert dialog.entry.data["certificate_fingerprint"] == pinned
    assert dialog.entry.data["verify_ssl"] is True
    assert server.record.auth_commands == 1


async def test_without_a_yes_nothing_is_trusted(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(SELF_SIGNED)
    dialog = await asked_to_trust(hass, server)
    await dialog.submit()
    assert dialog.step == "certificate"
    assert dialog.errors == {"base": "certificate_untrusted"}
    assert server.record.auth_commands == 0


async def test_a_yes_is_not_meant_for_another_server(hass: HomeAssistant, bed: Bed) -> None:
    dialog = await asked_to_trust(hass, await bed.serve(SELF_SIGNED))
    other = ScriptedServer(SELF_SIGNED, Certificates())
    async with other:
        await dialog.submit(trust_certificate=True, go_back=True)
        assert (dialog.step, dialog.errors) == ("server", {})
        await dialog.submit(port=other.port)
        assert dialog.errors == {"base": "certificate_untrusted"}
        assert other.record.auth_commands == 0


@pytest.mark.parametrize("script", [SELF_SIGNED, HEALTHY_TLS.but(tls_kind=ServerTls.SELF_SIGNED)])
@pytest.mark.parametrize("chosen", [{}, {"encryption": "auto"}], ids=["chosen", "automatic"])
async def test_the_command_to_compare_it_with_speaks_as_the_server_does(
    hass: HomeAssistant, bed: Bed, script: Script, chosen: dict[str, str]
) -> None:
    server = await bed.serve(script)
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, **chosen))
    starttls = "" if script.tls is Tls.AT_ONCE else " -starttls smtp"
    command = f"openssl s_client -connect {server.host}:{server.port}{starttls} </dev/null"
    assert f"{command} | openssl x509 -noout -fingerprint -sha256" in dialog.description


async def test_the_page_of_the_certificate_asks_for_nothing_else(
    hass: HomeAssistant, bed: Bed
) -> None:
    dialog = await asked_to_trust(hass, await bed.serve(SELF_SIGNED))
    assert [str(marker) for marker in dialog.page["data_schema"].schema] == [
        "trust_certificate",
        "more",
    ]
    assert dialog.fields.keys() == {"trust_certificate", "go_back"}


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("mail.example.test", "mail.example.test:465 -servername mail.example.test"),
        ("bücher.example", "xn--bcher-kva.example:465 -servername xn--bcher-kva.example"),
        ("2001:db8::25", "'[2001:db8::25]:465'"),
        ("192.0.2.25", "192.0.2.25:465"),
        ("mail;reboot", "'mail;reboot:465' -servername 'mail;reboot'"),
    ],
)
def test_the_command_is_safe_to_be_copied(host: str, place: str) -> None:
    assert comparison_text(Draft(host=host, port=465), None) == (
        f"openssl s_client -connect {place} </dev/null | openssl x509 -noout -fingerprint -sha256"
    )


async def test_another_certificate_later_is_not_accepted_and_both_are_shown(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(SELF_SIGNED)
    dialog = await asked_to_trust(hass, server)
    await dialog.submit(trust_certificate=True)
    await dialog.submit()
    entry = dialog.entry
    await server.stop()

    changed = ScriptedServer(SELF_SIGNED, others := Certificates())
    changed.port = server.port
    async with changed:
        dialog = await Dialog.reconfiguration(hass, entry)
        await dialog.fill_in()
        assert dialog.step == "certificate"
        assert dialog.errors == {"base": "certificate_untrusted"}
        assert changed.record.auth_commands == 0
        for certificates in (bed.certificates, others):
            fingerprint = format_fingerprint(certificates.fingerprint(ServerTls.SELF_SIGNED))
            assert fingerprint in dialog.description

        await dialog.submit(trust_certificate=True)
        await dialog.submit()
        assert dialog.reason == "reconfigure_successful"
        pinned = others.fingerprint(ServerTls.SELF_SIGNED)
        assert entry.data["certificate_fingerprint"] == pinned


async def test_a_pin_is_dropped_for_a_certificate_that_an_authority_has_signed(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(SELF_SIGNED)
    dialog = await asked_to_trust(hass, server)
    await dialog.submit(trust_certificate=True)
    await dialog.submit()
    entry = dialog.entry

    server.script = HEALTHY
    dialog = await Dialog.reconfiguration(hass, entry)
    await dialog.fill_in()
    assert dialog.errors == {"base": "certificate_untrusted"}
    await dialog.submit(trust_certificate=False)
    assert dialog.step == "finish"
    await dialog.submit()
    assert "certificate_fingerprint" not in entry.data


async def test_checks_that_are_switched_off_accept_anything_and_say_so(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY.but(tls_kind=ServerTls.EXPIRED))
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, verify_ssl=False))
    assert dialog.step == "finish"
    assert "certificate is not checked" in dialog.description
    await dialog.submit()
    assert dialog.entry.data["verify_ssl"] is False


async def test_an_authority_of_ones_own_is_an_option(hass: HomeAssistant) -> None:
    others = Certificates()
    server = ScriptedServer(HEALTHY, others)
    path = hass.config.path("my-ca.pem")
    await hass.async_add_executor_job(_write, path, others.authority_pem)
    async with server:
        dialog = await Dialog.new_account(hass)
        await dialog.fill_in(**typed_for(server, ca_file=path))
        assert dialog.step == "finish", dialog.error_texts
        await dialog.submit(sender_name=None)
        assert dialog.entry.options == {"default_subject": "first_line", "ca_file": path}


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_an_authority_that_cannot_be_read_is_named(
    hass: HomeAssistant, bed: Bed, content: str | None
) -> None:
    server = await bed.serve()
    path = hass.config.path("my-ca.pem")
    if content is not None:
        await hass.async_add_executor_job(_write, path, content)
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, ca_file=path))
    assert dialog.step == "server"
    assert dialog.errors == {"base": "tls_failed"}
    assert "your certificate authority cannot be used" in dialog.error_texts["base"]
    assert dialog.fields["ca_file"] == path
    assert server.record.connections == 0


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 - Home Assistant's path
        file.write(text)

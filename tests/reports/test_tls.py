"""Encryption and certificates as they are found at home and at providers."""

from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import (
    account_at,
    dialog_at,
    last_failure,
    only_mail,
    pass_time,
    refusing,
    send,
    set_up,
    typed_for,
    waiting,
)
from tests.reports.reports import report
from tests.reports.servers import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_LOGIN,
    Bed,
    Network,
    OddCertificate,
    Script,
    ServerTls,
    Step,
    Tls,
    leaf_of_an_own_authority,
    odd_certificate,
    say,
    serve_certificate,
)

HOST = "mail.example.test"
TO = "bea@example.test"


@report(
    source="pyca/cryptography#12665",
    symptom="EncodedDefault: a certificate that OpenSSL takes cannot be parsed.",
    ours="The fingerprint is always known and can be trusted; no parser's exception escapes.",
    held_at_first=False,
)
@pytest.mark.parametrize("oddity", [*OddCertificate])
async def test_a_certificate_that_only_openssl_reads_can_be_trusted(
    hass: HomeAssistant, oddity: OddCertificate
) -> None:
    key, certificate, fingerprint = odd_certificate(oddity)
    async with serve_certificate(key, certificate) as server:
        dialog = await set_up(hass, **typed_for(server))

        assert dialog.outcome == "certificate_untrusted"
        shown = "".join(letter for letter in dialog.said.lower() if letter in "0123456789abcdef")
        assert fingerprint in shown
        assert "trust_certificate" in dialog.fields
        dialog = await dialog.go_on(trust_certificate=True)
        assert dialog.outcome == "ok", dialog.said


@report(
    source="pyca/cryptography#12665",
    symptom="With checks switched off the odd certificate is an exception all the same.",
    ours="With verify_ssl off it is accepted, and mail goes out.",
    held_at_first=False,
)
@pytest.mark.parametrize("oddity", [*OddCertificate])
async def test_an_odd_certificate_is_no_obstacle_without_checks(
    hass: HomeAssistant, oddity: OddCertificate
) -> None:
    key, certificate, _ = odd_certificate(oddity)
    async with serve_certificate(key, certificate) as server:
        await account_at(hass, server, verify_ssl=False)
        await send(hass, to=TO)
        only_mail(server)


@report(
    source="python/cpython#107361",
    symptom="Python 3.13: certificate verify failed: Missing Authority Key Identifier.",
    ours="VERIFY_X509_STRICT is off; everything else is checked as before.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "oddity",
    ["no_authority_key", "no_subject_key", "basic_constraints_not_critical", "no_key_usage"],
)
async def test_an_own_authority_need_not_be_strict(
    hass: HomeAssistant, tmp_path: Path, oddity: str
) -> None:
    key, certificate, authority = leaf_of_an_own_authority(oddity)
    (tmp_path / "ca.pem").write_bytes(authority)
    async with serve_certificate(key, certificate) as server:
        dialog = await set_up(hass, **typed_for(server, ca_file=str(tmp_path / "ca.pem")))

        assert dialog.outcome == "ok", dialog.said


@report(
    source="RFC 5280, section 6.1",
    symptom="Less strictness about form must not become less checking.",
    ours="Another name, an expired or a foreign certificate is refused as before.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (ServerTls.EXPIRED, "certificate_expired"),
        (ServerTls.NOT_YET_VALID, "certificate_expired"),
        (ServerTls.OTHER_NAME, "certificate_hostname_mismatch"),
        (ServerTls.SELF_SIGNED, "certificate_untrusted"),
        (ServerTls.UNTRUSTED_AUTHORITY, "certificate_untrusted"),
        (ServerTls.INCOMPLETE_CHAIN, "certificate_untrusted"),
    ],
)
@pytest.mark.parametrize("script", [HEALTHY, HEALTHY_TLS])
async def test_certificates_are_checked(
    hass: HomeAssistant,
    bed: Bed,
    network: Network,
    script: Script,
    kind: ServerTls,
    outcome: str,
) -> None:
    server = await bed.serve(script.but(tls_kind=kind))
    network.add(HOST, {server.port: server})

    assert (await set_up(hass, **typed_for(server, host=HOST))).outcome == outcome


@report(
    source="louislam/uptime-kuma#31",
    symptom="Proton Mail Bridge on this machine shows a self-signed certificate.",
    ours="Exactly this certificate can be trusted; mail goes out over it.",
    held_at_first=True,
)
@pytest.mark.parametrize("script", [HEALTHY, HEALTHY_TLS])
async def test_the_bridge_of_this_machine_can_be_trusted(
    hass: HomeAssistant, bed: Bed, script: Script
) -> None:
    server = await bed.serve(script.but(tls_kind=ServerTls.SELF_SIGNED))
    dialog = await set_up(hass, **typed_for(server))
    assert dialog.outcome == "certificate_untrusted"

    dialog = await dialog.go_on(trust_certificate=True)

    assert dialog.outcome == "ok"
    await hass.async_block_till_done()
    await send(hass, to=TO)
    assert only_mail(server).encrypted


@report(
    source="nextcloud/server#11219",
    symptom="Peer certificate CN did not match expected CN, at a shared host.",
    ours="certificate_hostname_mismatch names both, and is never silently accepted.",
    held_at_first=True,
)
async def test_the_other_name_is_told(hass: HomeAssistant, bed: Bed, network: Network) -> None:
    server = await bed.serve(HEALTHY.but(tls_kind=ServerTls.OTHER_NAME))
    network.add(HOST, {server.port: server})
    network.add("shared.hosting.test", {server.port: server})

    dialog = await set_up(hass, **typed_for(server, host=HOST))

    assert dialog.outcome == "certificate_hostname_mismatch"
    assert "shared.hosting.test" in dialog.said
    assert HOST in dialog.said
    assert dialog.fields["host"] == "shared.hosting.test"
    assert (await dialog.go_on()).outcome == "ok"


@report(
    source="louislam/uptime-kuma#140",
    symptom="TLS at port 587: wrong version number.",
    ours="tls_not_expected, and the pair that works is filled in.",
    held_at_first=True,
)
async def test_tls_at_a_port_of_starttls_is_mended(hass: HomeAssistant, bed: Bed) -> None:
    dialog = await dialog_at(hass, bed, HEALTHY, encryption="tls")

    assert dialog.outcome == "tls_not_expected"
    assert (await dialog.go_on()).outcome == "ok"


@report(
    source="dani-garcia/vaultwarden#413",
    symptom="Port 465 without TLS: the application hangs and burns the processor.",
    ours="tls_expected after a moment, and the pair that works is filled in.",
    held_at_first=True,
)
@pytest.mark.parametrize("encryption", ["starttls", "none"])
async def test_a_port_of_tls_is_found_out(hass: HomeAssistant, bed: Bed, encryption: str) -> None:
    dialog = await dialog_at(hass, bed, HEALTHY_TLS, encryption=encryption)

    assert dialog.outcome == "tls_expected"
    assert (await dialog.go_on()).outcome == "ok"


@report(
    source="louislam/uptime-kuma#6018",
    symptom="454 4.7.0 TLS not available due to local problem, and nothing can be chosen.",
    ours="starttls_not_offered; nothing is ever sent unencrypted instead.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        "454 4.7.0 TLS not available due to local problem",
        "502 5.5.1 Error: command not implemented",
        "501 5.5.4 Syntax error",
        "503 5.5.1 TLS not allowed now",
    ],
)
async def test_a_refused_starttls_is_told_and_never_passed_over(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    server = await bed.serve(refusing(Step.STARTTLS, reply))

    dialog = await set_up(hass, **typed_for(server))

    assert dialog.outcome == "starttls_not_offered"
    assert reply in dialog.said
    assert server.record.auth_commands == 0


@report(
    source="RFC 3207, section 6",
    symptom="A firewall turns STARTTLS into XXXXXXXA, and clients go on in clear.",
    ours="starttls_not_offered in the dialog; when sending, the mail waits.",
    held_at_first=True,
)
async def test_a_starttls_that_is_taken_out_is_no_reason_to_go_on_in_clear(
    hass: HomeAssistant, bed: Bed
) -> None:
    stripped = PLAIN_LOGIN.but(capabilities=("XXXXXXXA", "8BITMIME"))
    dialog = await dialog_at(hass, bed, stripped, encryption="starttls")
    assert dialog.outcome == "starttls_not_offered"

    server = await bed.serve()
    await account_at(hass, server, stripped)
    assert (await send(hass, to=TO))["status"] == "queued"
    assert last_failure(hass) == "starttls_not_offered"
    assert not server.record.secrets_in_clear([PASSWORD])
    server.script = HEALTHY
    await pass_time(hass, hours=1)
    assert waiting(hass) == 0


@report(
    source="kubesphere/notification-manager#273",
    symptom="451 5.7.3 STARTTLS is required to send mail, and no option to turn it on.",
    ours="encryption_required, and the pair that works is filled in.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        "451 5.7.3 STARTTLS is required to send mail",
        "530 5.7.0 Must issue a STARTTLS command first",
        "550 5.7.1 Encryption required for requested operation, use STARTTLS",
    ],
)
async def test_a_server_that_insists_on_encryption_is_understood(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    script = HEALTHY.but(answers={Step.MAIL: (say(reply),)}, tls=Tls.OFFERED)

    dialog = await dialog_at(hass, bed, script, encryption="none", username=None, password=None)

    assert dialog.outcome == "encryption_required"
    assert (await dialog.go_on()).outcome == "ok"


@report(
    source="thunderbird/thunderbird-android#1872",
    symptom="AUTH is offered before STARTTLS, and the client logs in in clear.",
    ours="With STARTTLS chosen, nothing but EHLO and STARTTLS goes in clear.",
    held_at_first=True,
)
async def test_a_login_offered_in_clear_is_not_taken(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(mechanisms_in_clear=("PLAIN", "LOGIN")))

    dialog = await set_up(hass, **typed_for(server))

    assert dialog.outcome == "ok"
    assert server.record.auth_commands_in_clear == 0
    assert not server.record.secrets_in_clear([PASSWORD])


@report(
    source="authelia/authelia#13051",
    symptom="An IPv6 address as the host: too many colons in address.",
    ours="IPv6 addresses are taken with and without brackets and zone.",
    held_at_first=False,
)
@pytest.mark.parametrize("host", ["::1", "[::1]", "::1%1", "[::1%1]"])
@pytest.mark.usefixtures("ipv6")
@pytest.mark.parametrize("script", [HEALTHY, HEALTHY_TLS])
async def test_an_ipv6_address_is_a_host(
    hass: HomeAssistant, bed: Bed, host: str, script: Script
) -> None:
    server = await bed.serve(script, hosts=("::1",))
    await account_at(hass, server, host=host)

    await send(hass, to=TO)

    only_mail(server)
    assert {name for line in server.record.commands("EHLO") for name in line.split()[1:]} == {
        "[IPv6:::1]"
    }

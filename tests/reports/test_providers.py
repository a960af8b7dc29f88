"""What providers say when an account is made, and servers that are hard to reach."""

import time
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import (
    account_at,
    dialog_at,
    kind_of,
    last_failure,
    only_mail,
    refused,
    refusing,
    send,
    set_up,
    typed_for,
    waiting,
)
from tests.reports.reports import report
from tests.reports.servers import HEALTHY, PLAIN_RELAY, Bed, Network, Step, say

TO = "bea@example.test"


@report(
    source="sahat/hackathon-starter#1083",
    symptom="550 The from address does not match a verified Sender Identity, at the dot.",
    ours="sender_rejected: an own sender that is not verified is no fault of the message.",
    held_at_first=False,
)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
@pytest.mark.parametrize(
    "reply",
    [
        (
            "550 The from address does not match a verified Sender Identity. Mail cannot be sent "
            "until this error is resolved."
        ),
        "550-From header sender domain not verified (example.test)\n550 Please verify it.",
    ],
    ids=["SendGrid", "smtp2go"],
)
async def test_a_sender_that_is_not_verified_is_named(
    hass: HomeAssistant, bed: Bed, step: Step, reply: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server, refusing(step, reply))

    assert kind_of(await refused(hass, to=TO)) == "sender_rejected"


@report(
    source="useplunk/plunk#164",
    symptom="550 This domain is not associated with your account, at MAIL FROM.",
    ours="Found in the dialog, beside the field of the sender.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        "550 This domain is not associated with your account. Please verify your domain first.",
        "550 5.7.1 The domain example.test is not verified",
        "501 5.1.7 Invalid address",
        "553 5.1.8 Sender domain does not exist",
    ],
)
async def test_a_foreign_domain_is_found_in_the_dialog(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    dialog = await dialog_at(hass, bed, refusing(Step.MAIL, reply))

    assert dialog.outcome == "sender_rejected"
    assert reply in dialog.said


@report(
    source="BookStackApp/BookStack#4423",
    symptom="530 5.7.57 Client not authenticated to send mail, at MAIL FROM of Microsoft 365.",
    ours="auth_required: no username was given, and the server wants one.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        (
            "530 5.7.57 Client not authenticated to send mail. Error: 535 5.7.3 Authentication "
            "unsuccessful"
        ),
        (
            "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM "
            "[x.prod.exchangelabs.com]"
        ),
        "530 5.7.1 Client was not authenticated",
        "530 Authentication required",
        "550 5.7.1 Authentication Required",
    ],
)
async def test_an_anonymous_client_is_told_to_log_in(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    script = PLAIN_RELAY.but(answers={Step.MAIL: say(reply)})

    assert (await dialog_at(hass, bed, script)).outcome == "auth_required"


@report(
    source="PHPMailer/PHPMailer#2034",
    symptom="Yahoo: 535 5.7.0 (#AUTH005) Too many bad auth attempts.",
    ours="invalid_auth after one attempt, and the account asks for a password.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    ["535 5.7.0 (#AUTH005) Too many bad auth attempts.", "535 5.7.0 (#MBR1212) Incorrect username"],
)
async def test_too_many_attempts_are_not_followed_by_more(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server, refusing(Step.AUTH_VERDICT, reply))
    before = len([line for line in server.record.lines if line.text.upper().startswith(b"AUTH ")])

    assert kind_of(await refused(hass, to=TO)) == "invalid_auth"

    tried = [line for line in server.record.lines if line.text.upper().startswith(b"AUTH ")]
    assert len(tried) - before == 1
    await hass.async_block_till_done()
    assert last_failure(hass) == "invalid_auth"
    assert [flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()] == [
        "reauth"
    ]


@report(
    source="dani-garcia/vaultwarden#4832",
    symptom="Connection refused: the port is not the one that the provider listens on.",
    ours="connection_refused, and the port that does answer is named.",
    held_at_first=True,
)
@pytest.mark.parametrize(("typed", "open_"), [(465, 587), (25, 587), (2525, 587)])
async def test_a_refused_port_leads_to_the_open_one(
    hass: HomeAssistant, bed: Bed, network: Network, typed: int, open_: int
) -> None:
    server = await bed.serve()
    network.add("mail.example.test", {open_: server})

    encryption = "tls" if typed == 465 else "starttls"
    fields: dict[str, Any] = {"host": "mail.example.test", "port": typed, "encryption": encryption}
    dialog = await set_up(hass, **typed_for(server, **fields))

    assert dialog.outcome == "connection_refused"
    assert str(open_) in dialog.said


@report(
    source="glenndehaan/unifi-voucher-site#83",
    symptom="Port 25 is blocked by the internet provider: the dialog turns for a minute.",
    ours="connect_timeout within 15 s, and the port that does answer is named.",
    held_at_first=True,
)
@pytest.mark.slow
@pytest.mark.parametrize("typed", [25, 465])
async def test_a_blocked_port_is_told_in_time(
    hass: HomeAssistant, bed: Bed, network: Network, typed: int
) -> None:
    server = await bed.serve()
    network.add("mail.example.test", {587: server}, filtered=frozenset({typed}))
    begun = time.monotonic()

    encryption = "tls" if typed == 465 else "starttls"
    fields: dict[str, Any] = {"host": "mail.example.test", "port": typed, "encryption": encryption}
    dialog = await set_up(hass, **typed_for(server, **fields))

    assert dialog.outcome == "connect_timeout"
    assert time.monotonic() - begun < 15.5
    assert "587" in dialog.said


@report(
    source="emircanagac/voxpery#178",
    symptom="The name leads to an IPv6 address that is not reachable, and nothing is sent.",
    ours="The other address is tried meanwhile.",
    held_at_first=True,
)
@pytest.mark.usefixtures("ipv6")
async def test_a_dead_ipv6_address_stops_no_mail(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    server = await bed.serve(HEALTHY)
    network.add("mail.example.test", {587: server}, dead_first=True)
    await account_at(hass, server, host="mail.example.test", port=587)
    begun = time.monotonic()

    await send(hass, to=TO)

    only_mail(server)
    assert time.monotonic() - begun < 2


@report(
    source="sandstorm-io/sandstorm#615",
    symptom="ENOTFOUND without the name that cannot be found.",
    ours="host_not_found with the name.",
    held_at_first=True,
)
@pytest.mark.parametrize("host", ["smtp.gmial.test", "mail.nowhere.test"])
async def test_a_name_that_leads_nowhere_is_told(
    hass: HomeAssistant, bed: Bed, network: Network, host: str
) -> None:
    server = await bed.serve()
    network.add("mail.example.test", {587: server})

    dialog = await set_up(hass, **typed_for(server, host=host, port=587))

    assert dialog.outcome == "host_not_found"
    assert host in dialog.said


@report(
    source="frappe/frappe#38806",
    symptom="Brevo: 502 5.7.0 Please authenticate first, at MAIL FROM.",
    ours="auth_required by its words: no command is unknown there.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "reply",
    ["502 5.7.0 Please authenticate first", "503 5.5.1 Error: authenticate first, please"],
)
async def test_a_code_for_unknown_commands_asks_for_a_login(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    script = PLAIN_RELAY.but(answers={Step.MAIL: say(reply)})

    assert (await dialog_at(hass, bed, script)).outcome == "auth_required"


@report(
    source="supabase/agent-skills#133",
    symptom="Brevo: 502 5.7.0 Your SMTP account is not yet activated, once something is sent.",
    ours="A refusal with these words, found in the dialog where it comes at MAIL FROM.",
    held_at_first=True,
)
@pytest.mark.parametrize("step", [Step.AUTH_VERDICT, Step.MAIL])
async def test_an_account_that_is_not_activated_is_told(
    hass: HomeAssistant, bed: Bed, step: Step
) -> None:
    words = "502 5.7.0 Your SMTP account is not yet activated. Please contact us."
    dialog = await dialog_at(hass, bed, refusing(step, words))

    assert dialog.outcome != "ok"
    assert "not yet activated" in dialog.said


@report(
    source="RocketChat/Rocket.Chat#6195",
    symptom="SES: 554 Message rejected: Email address is not verified, at the dot.",
    ours="message_rejected with all of the words, and no further attempt.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        (
            "554 Message rejected: Email address is not verified. The following identities failed "
            "the check in region EU-WEST-1: bea@example.test"
        ),
        "550 5.7.1 Refused by local policy. No SPAM please! (B-EX 155302::1746872527-DA5A4E5B)",
        (
            "554-Transaction failed\n554-Reject due to policy restrictions.\n"
            "554 For explanation visit https://www.ionos.example/help/index.php?id=2425"
        ),
        "550 5.7.1 Message rejected as spam by Content Filtering.",
        "554 5.7.1 [CS01] Message rejected due to local policy.",
    ],
    ids=["SES", "Strato", "IONOS", "Exchange", "iCloud"],
)
async def test_a_refused_message_is_told_with_all_the_words(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server, refusing(Step.DOT, reply))

    error = await refused(hass, to=TO)

    assert kind_of(error) == "message_rejected"
    told = str(error.translation_placeholders)
    assert all(line[4:] in told for line in reply.split("\n"))
    assert waiting(hass) == 0

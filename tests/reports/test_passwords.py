"""Passwords as they are copied and pasted."""

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import dialog_at, refusing, set_up, typed_for
from tests.reports.reports import report
from tests.reports.servers import HEALTHY, PASSWORD, USERNAME, Bed, Network, Step

TO = "bea@example.test"


@report(
    source="OctoText/OctoText#148",
    symptom="A Gmail app password is pasted in its groups of four, and the login fails.",
    ours="Blanks are taken out for providers that show passwords in groups.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    ("host", "typed"),
    [
        ("smtp.gmail.com", "abcd efgh ijkl mnop"),
        ("smtp.gmail.com", "abcd\u00a0efgh\u00a0ijkl\u00a0mnop"),
        ("smtp.gmail.com", " abcd efgh ijkl mnop\n"),
        ("smtp.mail.yahoo.com", "abcd efgh ijkl mnop"),
    ],
)
async def test_an_app_password_in_groups_works(
    hass: HomeAssistant, bed: Bed, network: Network, host: str, typed: str
) -> None:
    server = await bed.serve(HEALTHY.but(users={USERNAME: "abcdefghijklmnop"}))
    network.add(host, {587: server})

    dialog = await set_up(
        hass,
        **typed_for(server, host=host, port=587, password=typed, verify_ssl=False),
    )

    assert dialog.outcome == "ok", dialog.said


@report(
    source="mailpile/Mailpile#1333",
    symptom="A password with blanks or special characters is changed on its way.",
    ours="As typed for any other server; only U+00A0 and the like become a blank (RFC 4013).",
    held_at_first=False,
)
@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ('O23&;ws2 Ywm@"l3/y!\\ !q', 'O23&;ws2 Ywm@"l3/y!\\ !q'),
        ("abcd efgh ijkl mnop", "abcd efgh ijkl mnop"),
        ("abcd\u00a0efgh", "abcd efgh"),
        ("abcd\u3000efgh", "abcd efgh"),
        ("6Xcf§5cXR6zB%", "6Xcf§5cXR6zB%"),
        ("C@d€t€s.444", "C@d€t€s.444"),
        ("pässwörd", "pässwörd"),
        ("{{ x }}${y}%z", "{{ x }}${y}%z"),
    ],
)
async def test_a_password_is_what_was_typed(
    hass: HomeAssistant, bed: Bed, typed: str, right: str
) -> None:
    server = await bed.serve(HEALTHY.but(users={USERNAME: right}))

    assert (await set_up(hass, **typed_for(server, password=typed))).outcome == "ok"


@report(
    source="cypht-org/cypht#780",
    symptom="A blank before or after the password from copying; nobody sees it.",
    ours="Where the login fails, the text says that blanks surround the password.",
    held_at_first=False,
)
@pytest.mark.parametrize("typed", [f" {PASSWORD}", f"{PASSWORD} ", f"{PASSWORD}\n"])
async def test_blanks_around_a_refused_password_are_pointed_out(
    hass: HomeAssistant, bed: Bed, typed: str
) -> None:
    plain = await dialog_at(hass, bed, HEALTHY, password="wrong")
    dialog = await dialog_at(hass, bed, HEALTHY, password=typed)

    assert dialog.outcome in {"ok", "invalid_auth"}
    if dialog.outcome == "invalid_auth":
        assert len(dialog.said) > len(plain.said) + 10


@report(
    source="simonrob/email-oauth2-proxy#193",
    symptom="535 5.7.139 SmtpClientAuthentication is disabled for the Tenant.",
    ours="oauth_required: no other password would help.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the "
            "Tenant. Visit https://aka.ms/smtp_auth_disabled for more information."
        ),
        "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [BM1P287]",
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the "
            "Mailbox."
        ),
    ],
)
async def test_switched_off_passwords_are_told(hass: HomeAssistant, bed: Bed, reply: str) -> None:
    dialog = await dialog_at(hass, bed, refusing(Step.AUTH_VERDICT, reply))

    assert dialog.outcome == "oauth_required"
    assert "5.7.139" in dialog.said


@report(
    source="home-assistant/core#147484",
    symptom="534 5.7.9 Application-specific password required; the notifier is not set up.",
    ours="app_password_required, with all lines of the server.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        (
            "534-5.7.9 Application-specific password required. For more information, go to\n"
            "534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor - gsmtp"
        ),
        "535 5.7.8 Error: authentication failed: app password required",
        "535 Error: authentication failed, please use the authorization code",
    ],
)
async def test_an_app_password_is_asked_for(hass: HomeAssistant, bed: Bed, reply: str) -> None:
    dialog = await dialog_at(hass, bed, refusing(Step.AUTH_VERDICT, reply))

    assert dialog.outcome == "app_password_required"
    assert reply.rsplit("\n", maxsplit=1)[-1][4:].strip() in dialog.said

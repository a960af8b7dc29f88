"""Logging in with an access token in place of a password."""

import base64
import json

import pytest

from custom_components.email_courier.mail.envelope import Envelope
from custom_components.email_courier.mail.failure import Failure, FailureKind, Permanence, Stage
from custom_components.email_courier.mail.settings import Encryption, ServerSettings, TokenLogin
from custom_components.email_courier.mail.smtp.keepalive import deliver_once
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PLAIN_LOGIN,
    TOKEN,
    USERNAME,
    Answer,
    Step,
    say,
)
from tests.support.scripted_server import ScriptedServer
from tests.support.sessions import SENDER, context_for, failure_of, session_for, settings_for
from tests.support.tokens import Tokens

MECHANISMS = ("XOAUTH2", "OAUTHBEARER")
STALE = "ya29.a-token-of-yesterday"
GOOGLE_CHALLENGE = base64.b64encode(
    json.dumps({"status": "400", "schemes": "Bearer", "scope": "https://mail.google.com/"}).encode()
).decode()
GOOGLE_REFUSAL = (
    "535-5.7.8 Username and Password not accepted. For more information, go to\n"
    "535 5.7.8  https://support.google.com/mail/?p=BadCredentials - gsmtp"
)
MICROSOFT_REFUSAL = "535 5.7.3 Authentication unsuccessful [AM0PR01.prod.exchangelabs.com]"
MICROSOFT_SWITCHED_OFF = (
    "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."
)
MAIL = b"From: anna@example.test\r\n\r\nHello\r\n"
ENVELOPE = Envelope(SENDER, ("ben@example.test",))


def token_login(*tokens: str) -> TokenLogin:
    return TokenLogin(USERNAME, Tokens(*(tokens or (TOKEN,))))


def tokens_of(login: TokenLogin) -> Tokens:
    assert isinstance(login.tokens, Tokens)
    return login.tokens


async def deliver(bed: Bed, server: ScriptedServer, login: TokenLogin) -> Failure | None:
    """Deliver one mail and return what its recipient's failure is."""
    settings: ServerSettings = settings_for(server, login=login)
    delivery = await deliver_once(settings, context_for(bed), ENVELOPE, MAIL)
    (outcome,) = delivery.outcomes
    return outcome.failure


@pytest.mark.parametrize("script", [HEALTHY, HEALTHY_TLS])
@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_a_token_opens_the_server(bed: Bed, mechanism: str, script: object) -> None:
    healthy = HEALTHY if script is HEALTHY else HEALTHY_TLS
    server = await bed.serve(healthy.but(mechanisms=("PLAIN", "LOGIN", mechanism)))
    login = token_login()
    session = session_for(bed, server, login=login)
    await session.open(sender=SENDER)
    session.quit()
    assert (session.mechanism, session.logged_in) == (mechanism, True)
    assert server.record.auth_commands == 1
    assert server.record.violations == []
    assert tokens_of(login).handed_out == 1


async def test_xoauth2_comes_first_where_both_are_offered(bed: Bed) -> None:
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("OAUTHBEARER", "XOAUTH2", "PLAIN")))
    session = session_for(bed, server, login=token_login())
    await session.open()
    session.quit()
    assert session.mechanism == "XOAUTH2"


async def test_a_server_that_takes_no_tokens_is_named_and_no_token_is_fetched(bed: Bed) -> None:
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("PLAIN", "LOGIN")))
    login = token_login()
    failure = await failure_of(bed, server, login=login)
    assert failure.kind is FailureKind.AUTH_MECHANISM_UNSUPPORTED
    assert failure.facts["offered"] == "LOGIN, PLAIN"
    assert tokens_of(login).handed_out == 0
    assert server.record.auth_commands == 0


@pytest.mark.parametrize("length", [100, 300, 350, 2500])
@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_a_token_longer_than_a_command_line_goes_in_two_steps(
    bed: Bed, mechanism: str, length: int
) -> None:
    token = "t" * length
    script = HEALTHY_TLS.but(mechanisms=(mechanism,), tokens={USERNAME: token})
    server = await bed.serve(script)
    session = session_for(bed, server, login=token_login(token))
    await session.open()
    session.quit()
    assert server.record.violations == []
    (command,) = server.record.commands("AUTH")
    assert len(command) + 2 <= 512
    assert (len(command.split()) == 2) is (length >= 350)


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_the_error_challenge_is_answered_and_told(bed: Bed, mechanism: str) -> None:
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=(mechanism,)))
    async with nothing_left(server):
        failure = await failure_of(bed, server, login=token_login(STALE))
    assert failure.kind is FailureKind.INVALID_AUTH
    assert (failure.stage, failure.permanence) == (Stage.LOGIN, Permanence.PERMANENT)
    assert "535 5.7.8" in failure.server_words
    assert "scope: mail" in failure.server_words
    assert server.record.auth_commands == 1
    assert server.record.violations == []


async def test_google_says_in_a_challenge_what_is_wrong(bed: Bed) -> None:
    answers = {
        Step.AUTH_CHALLENGE: say(f"334 {GOOGLE_CHALLENGE}"),
        Step.AUTH_VERDICT: say(GOOGLE_REFUSAL),
    }
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("XOAUTH2",), answers=answers))
    failure = await failure_of(bed, server, login=token_login(STALE))
    assert failure.kind is FailureKind.INVALID_AUTH
    assert "BadCredentials" in failure.server_words
    assert "status: 400, schemes: Bearer, scope: https://mail.google.com/" in failure.server_words


@pytest.mark.parametrize("reply", [MICROSOFT_REFUSAL, MICROSOFT_SWITCHED_OFF])
async def test_microsoft_refuses_without_a_challenge(bed: Bed, reply: str) -> None:
    answers = {Step.AUTH_VERDICT: say(reply)}
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("XOAUTH2",), answers=answers))
    failure = await failure_of(bed, server, login=token_login())
    assert failure.kind is FailureKind.INVALID_AUTH
    assert failure.server_words == reply
    assert failure.facts["login"] == "token"


async def test_a_temporary_refusal_is_no_reason_to_sign_in_again(bed: Bed) -> None:
    answers = {Step.AUTH_VERDICT: say("454 4.7.0 Temporary authentication failure")}
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("XOAUTH2",), answers=answers))
    login = token_login(TOKEN, TOKEN)
    failure = await deliver(bed, server, login)
    assert failure is not None
    assert failure.kind is FailureKind.SERVER_BUSY
    assert failure.permanence is Permanence.TEMPORARY
    assert tokens_of(login).renewals == 0


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_a_token_never_crosses_a_network_in_clear(
    bed: Bed, mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "custom_components.email_courier.mail.smtp.session.is_loopback", lambda _: False
    )
    server = await bed.serve(PLAIN_LOGIN.but(mechanisms_in_clear=(mechanism,)))
    login = token_login()
    failure = await failure_of(bed, server, login=login)
    assert failure.kind is FailureKind.AUTH_NEEDS_ENCRYPTION
    assert tokens_of(login).handed_out == 0
    assert server.record.auth_commands == 0


async def test_on_loopback_a_token_needs_no_encryption(bed: Bed) -> None:
    server = await bed.serve(PLAIN_LOGIN.but(mechanisms_in_clear=("XOAUTH2",)))
    session = session_for(bed, server, login=token_login(), encryption=Encryption.NONE)
    await session.open()
    session.quit()
    assert session.logged_in


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("form", ["plain", "base64", "response"])
async def test_a_token_that_the_server_echoes_is_blotted_out(
    bed: Bed, mechanism: str, form: str
) -> None:
    header = f"user={USERNAME}\1" if mechanism == "XOAUTH2" else f"n,a={USERNAME},\1"
    echo = {
        "plain": STALE,
        "base64": base64.b64encode(STALE.encode()).decode(),
        "response": base64.b64encode(f"{header}auth=Bearer {STALE}\1\1".encode()).decode(),
    }[form]
    challenge = base64.b64encode(json.dumps({"status": f"bad {STALE}"}).encode()).decode()
    answers = {
        Step.AUTH_CHALLENGE: say(f"334 {challenge}"),
        Step.AUTH_VERDICT: say(f"535 5.7.8 Wrong token {echo}"),
    }
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=(mechanism,), answers=answers))
    failure = await failure_of(bed, server, login=token_login(STALE))
    said = str(failure) + repr(failure) + json.dumps(failure.as_dict())
    assert STALE not in said
    assert echo not in said
    assert "Wrong token" in said


async def test_a_refused_token_is_renewed_and_tried_once_more(bed: Bed) -> None:
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("XOAUTH2",)))
    login = token_login(STALE, TOKEN)
    assert await deliver(bed, server, login) is None
    assert tokens_of(login).renewals == 1
    assert server.record.auth_commands == 2


async def test_a_second_refusal_is_final(bed: Bed) -> None:
    answers = {Step.AUTH_VERDICT: say(MICROSOFT_REFUSAL)}
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("XOAUTH2",), answers=answers))
    login = token_login(STALE, TOKEN, TOKEN)
    failure = await deliver(bed, server, login)
    assert failure is not None
    assert failure.kind is FailureKind.INVALID_AUTH
    assert tokens_of(login).renewals == 1
    assert server.record.auth_commands == 2


async def test_where_no_new_token_is_handed_out_that_is_what_went_wrong(bed: Bed) -> None:
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("XOAUTH2",)))
    failure = await deliver(bed, server, token_login(STALE))
    assert failure is not None
    assert failure.detail == "the grant was withdrawn"
    assert server.record.auth_commands == 1


async def test_a_server_that_hangs_up_is_not_asked_with_another_token(bed: Bed) -> None:
    answers = {Step.AUTH_VERDICT: Answer(reply="421 4.7.0 Too many", delay=0)}
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("XOAUTH2",), answers=answers))
    login = token_login(STALE, TOKEN)
    failure = await deliver(bed, server, login)
    assert failure is not None
    assert failure.kind is FailureKind.SERVER_BUSY
    assert tokens_of(login).renewals == 0


def test_a_token_login_shows_nothing_but_the_username() -> None:
    assert "Tokens" not in repr(token_login(TOKEN))
    assert TOKEN not in repr(token_login(TOKEN))

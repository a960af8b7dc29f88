"""Logins: mechanisms, secrets as they are pasted, and what servers say about them."""

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import (
    account_at,
    dialog_at,
    last_failure,
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
    PASSWORD,
    Answer,
    AsksTwice,
    AuthStyle,
    Bed,
    Script,
    Step,
    say,
)

TO = "bea@example.test"


@report(
    source="corecode/dma#68",
    symptom="AUTH cram-md5 -> 535 5.7.8 Invalid authentication mechanism; the login is given up.",
    ours="A mechanism refused before a password was proved costs no attempt; the next is tried.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "reply",
    [
        "535 5.7.8 Error: authentication failed: Invalid authentication mechanism",
        "504 5.5.4 Unrecognized authentication type",
        "501 5.5.4 Could not do Unknown Authentication",
        "534 5.7.9 Authentication mechanism is too weak",
        "535 5.7.8 Authentication credentials invalid",
        "500 5.1.1 Command not recognized",
    ],
)
async def test_the_next_mechanism_is_tried_where_none_was_proved(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    script = HEALTHY.but(
        mechanisms=("SCRAM-SHA-256", "PLAIN"), answers={Step.AUTH: (say(reply), Answer())}
    )
    server = await bed.serve(script)

    dialog = await set_up(hass, **typed_for(server))

    assert dialog.outcome == "ok", dialog.said
    assert len(server.record.commands("AUTH PLAIN")) == 1


@report(
    source="jstedfast/MailKit#532",
    symptom="A failed login is followed by others with the same password; accounts are locked.",
    ours="One password, one attempt.",
    held_at_first=True,
)
@pytest.mark.parametrize("mechanisms", [("PLAIN", "LOGIN"), ("SCRAM-SHA-256", "PLAIN", "LOGIN")])
async def test_a_wrong_password_is_tried_once(
    hass: HomeAssistant, bed: Bed, mechanisms: tuple[str, ...]
) -> None:
    server = await bed.serve(HEALTHY.but(mechanisms=mechanisms))

    dialog = await set_up(hass, **typed_for(server, password="wrong"))

    assert dialog.outcome == "invalid_auth"
    assert server.record.auth_commands == 1


@report(
    source="curl/curl#4080",
    symptom="AUTH PLAIN with an initial response -> 334: the server wants it again.",
    ours="The same response once more; still one attempt.",
    held_at_first=False,
)
@pytest.mark.parametrize("challenge", ["334 ", "334", "334 R28gb24=", "334 VXNlcm5hbWU6"])
@pytest.mark.parametrize(("password", "outcome"), [(PASSWORD, "ok"), ("wrong", "invalid_auth")])
async def test_an_initial_response_that_is_asked_for_again(
    hass: HomeAssistant, bed: Bed, challenge: str, password: str, outcome: str
) -> None:
    async with AsksTwice(bed, challenge) as server:
        dialog = await set_up(hass, **typed_for(server, password=password))

        assert dialog.outcome == outcome
        assert server.record.auth_commands == 1


@report(
    source="RainLoop/rainloop-webmail#1373",
    symptom="435 Unable to authenticate at present is taken for a wrong password.",
    ours="A 4xx at the login is a busy server: the mail is kept, no reauthentication.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply", ["435 Unable to authenticate at present", "454 4.7.0 Temporary authentication failure"]
)
async def test_a_temporary_login_failure_is_no_wrong_password(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server, refusing(Step.AUTH_VERDICT, reply))

    assert (await send(hass, to=TO))["status"] == "queued"
    assert last_failure(hass) == "server_busy"
    server.script = HEALTHY
    await pass_time(hass, hours=1)
    assert len(server.record.mails) == 1


@report(
    source="RFC 4954, section 6",
    symptom="454 4.7.0 incorrect password: waiting cannot mend it, but the code says to wait.",
    ours="invalid_auth by its words, tried again by its code, without reauthentication.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "reply",
    [
        "454 4.7.0 incorrect password",
        "454 4.7.0 Authentication failed: bad username or password",
        "421 4.7.0 Username and Password not accepted",
        "450 4.7.1 Invalid login or password",
    ],
)
async def test_words_about_a_wrong_password_decide_the_kind(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    dialog = await dialog_at(hass, bed, refusing(Step.AUTH_VERDICT, reply))
    assert dialog.outcome == "invalid_auth"

    server = await bed.serve()
    await account_at(hass, server, refusing(Step.AUTH_VERDICT, reply))
    assert (await send(hass, to=TO))["status"] == "queued"
    assert last_failure(hass) == "invalid_auth"
    await hass.async_block_till_done()
    assert "reauth" not in {
        flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()
    }
    server.script = HEALTHY
    await pass_time(hass, hours=1)
    assert waiting(hass) == 0


@report(
    source="FeeiCN/GSIL#70",
    symptom=r"QQ mail: 535 b'Error: \xc7\xeb\xca\xb9...' in GBK is shown as bytes or as ???.",
    ours="Decoded, recognised and quoted readably, in whatever charset it comes.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    ("words", "charset", "outcome"),
    [
        ("Error: 请使用授权码登录", "gbk", "app_password_required"),
        ("Error: 请使用授权码登录。详情请看: http://service.mail.qq.test", "gb18030", ""),
        ("Error: 请使用授权码登录", "utf-8", "app_password_required"),
        ("驗證失敗：使用者名稱或密碼錯誤", "big5", "invalid_auth"),
        ("認証に失敗しました。パスワードが違います", "shift_jis", "invalid_auth"),
        ("인증에 실패했습니다", "euc-kr", "invalid_auth"),
        ("Неверное имя пользователя или пароль", "windows-1251", "invalid_auth"),
        ("Ungültiger Benutzername oder Passwort", "windows-1252", "invalid_auth"),
        ("Identifiant ou mot de passe erroné", "latin-1", "invalid_auth"),
        ("Nieprawidłowa nazwa użytkownika", "windows-1250", "invalid_auth"),
    ],
)
async def test_words_in_another_charset_are_read(
    hass: HomeAssistant, bed: Bed, words: str, charset: str, outcome: str
) -> None:
    reply = b"535 " + words.encode(charset) + b"\r\n"

    dialog = await dialog_at(hass, bed, refusing(Step.AUTH_VERDICT, reply))

    assert dialog.outcome == (outcome or "app_password_required")
    assert words in dialog.said


@report(
    source="slimta/python-slimta#180",
    symptom="AUTH=PLAIN in the reply to EHLO is not understood.",
    ours="Both ways to offer a login are understood.",
    held_at_first=True,
)
@pytest.mark.parametrize("style", [*AuthStyle])
@pytest.mark.parametrize("mechanisms", [("PLAIN",), ("LOGIN",), ("login", "plain")])
async def test_old_offers_of_a_login_are_understood(
    hass: HomeAssistant, bed: Bed, style: AuthStyle, mechanisms: tuple[str, ...]
) -> None:
    offered = tuple(name.upper() for name in mechanisms)
    assert (
        await dialog_at(hass, bed, HEALTHY.but(auth_style=style, mechanisms=offered))
    ).outcome == "ok"


@report(
    source="authelia/authelia#8006",
    symptom="SMTP AUTH failed: unexpected server response username:",
    ours="The prompts of LOGIN may say anything, or nothing.",
    held_at_first=True,
)
@pytest.mark.parametrize("prompt", ["334 dXNlcm5hbWU6", "334 ", "334", "334 VXNlciBOYW1lAA=="])
async def test_the_prompts_of_login_say_nothing_that_matters(
    hass: HomeAssistant, bed: Bed, prompt: str
) -> None:
    script = HEALTHY.but(mechanisms=("LOGIN",), answers={Step.AUTH_CHALLENGE: say(prompt)})

    assert (await dialog_at(hass, bed, script)).outcome == "ok"


@report(
    source="curl/curl#22832",
    symptom="GSSAPI, CRAM-MD5 and others are offered before the one that works.",
    ours="Mechanisms that need what we do not have are passed over.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "mechanisms",
    [("DIGEST-MD5", "GSSAPI", "PLAIN", "LOGIN"), ("NTLM", "LOGIN"), ("XOAUTH2", "PLAIN")],
)
async def test_a_usable_mechanism_is_found_among_others(
    hass: HomeAssistant, bed: Bed, mechanisms: tuple[str, ...]
) -> None:
    assert (await dialog_at(hass, bed, HEALTHY.but(mechanisms=mechanisms))).outcome == "ok"


@report(
    source="jstedfast/MailKit#1932",
    symptom='An Exchange offers NTLM alone; "no compatible authentication mechanisms found".',
    ours="auth_mechanism_unsupported, naming what is offered; oauth_required for tokens alone.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    ("mechanisms", "outcome"),
    [
        (("NTLM",), "auth_mechanism_unsupported"),
        (("GSSAPI", "NTLM"), "auth_mechanism_unsupported"),
        (("XOAUTH2",), "oauth_required"),
        (("OAUTHBEARER", "XOAUTH2"), "oauth_required"),
    ],
)
async def test_what_is_offered_is_named_where_nothing_fits(
    hass: HomeAssistant, bed: Bed, mechanisms: tuple[str, ...], outcome: str
) -> None:
    dialog = await dialog_at(hass, bed, HEALTHY.but(mechanisms=mechanisms))

    assert dialog.outcome == outcome
    if outcome == "auth_mechanism_unsupported":
        assert all(name in dialog.said for name in mechanisms)


@report(
    source="mguessan/davmail#59",
    symptom="503 or 550 instead of 530 where a login is wanted; taken for a refused sender.",
    ours="auth_required by its words.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        "530 5.7.0 Authentication required",
        "530 5.7.1 Client was not authenticated",
        "503 5.7.0 Authentication required",
        "550 Unauthenticated senders not allowed",
        "550 5.7.1 Please log in first",
    ],
)
async def test_a_missing_login_is_asked_for(hass: HomeAssistant, bed: Bed, reply: str) -> None:
    script: Script = refusing(Step.MAIL, reply)

    dialog = await dialog_at(hass, bed, script, username=None, password=None)

    assert dialog.outcome == "auth_required"
    assert reply in dialog.said

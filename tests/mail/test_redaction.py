"""No form of a secret gets past: not in a refusal, not in a welcome, not in a keyword of EHLO."""

import base64
from collections.abc import Callable
import html
import json
import re
import time
from urllib.parse import quote, quote_plus

import pytest

from custom_components.email_courier.mail.envelope import Envelope
from custom_components.email_courier.mail.failure import FailureKind
from custom_components.email_courier.mail.redaction import (
    HIDDEN,
    NOTHING_HIDDEN,
    SHORTEST,
    Redactor,
    fold,
)
from custom_components.email_courier.mail.reply import MAX_TEXT, Reply
from custom_components.email_courier.mail.settings import Encryption, Login, TokenLogin
from custom_components.email_courier.mail.smtp.sasl import explain
from custom_components.email_courier.mail.smtp.session import proof_of
from custom_components.email_courier.mail.verify.handshake import encryption_at, prove
from tests.support.fixtures import Bed
from tests.support.script import (
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_RELAY,
    TOKEN,
    USERNAME,
    Pipelining,
    Step,
    say,
)
from tests.support.sessions import SENDER, context_for, failure_of, session_for, settings_for
from tests.support.tokens import Tokens

ENVELOPE = Envelope(SENDER, ("a@example.test", "b@example.test"))
MESSAGE = b"Subject: x\r\n\r\nx\r\n"
HALF = len(PASSWORD) // 2


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _lines(text: str, at: int) -> str:
    """Put a text on two lines of a reply, each with its code."""
    return f"{text[:at]}\n{{code}}5.7.8 {text[at:]}"


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "in small letters": str.lower,
    "split at a blank": lambda s: f"{s[:HALF]} {s[HALF:]}",
    "with doubled blanks": lambda s: s.replace("-", "  -  "),
    "every letter for itself": " ".join,
    "over two lines": lambda s: _lines(s, HALF),
    "URL-encoded": lambda s: quote(s.replace("-", "?"), safe="").replace("%3F", "%2D"),
    "URL-encoded whole": lambda s: "".join(f"%{ord(c):02X}" for c in s),
    "URL-encoded in small letters": lambda s: "".join(f"%{ord(c):02x}" for c in s),
    "URL-encoded twice": lambda s: quote("".join(f"%{ord(c):02X}" for c in s)),
    "as HTML": lambda s: html.escape(s).replace("-", "&#45;").replace("S", "&#x53;"),
    "quoted-printable": lambda s: s.replace("-", "=2D"),
    "escaped": lambda s: s.replace("-", "\\x2d").replace("S", "\\u0053"),
    "in hex": lambda s: s.encode().hex(),
    "base64": b64,
    "base64 without padding": lambda s: b64(s).rstrip("="),
    "base64 for a URL": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "base64 of user:password": lambda s: b64(f"{USERNAME}:{s}"),
    "base64 of PLAIN": lambda s: b64(f"\0{USERNAME}\0{s}"),
    "base64 of PLAIN with an identity": lambda s: b64(f"{USERNAME}\0{USERNAME}\0{s}"),
    "base64 split at a blank": lambda s: f"{b64(s)[:7]} {b64(s)[7:]}",
    "base64 over two lines": lambda s: _lines(b64(f"\0{USERNAME}\0{s}"), 40),
    "base64 at the second place": lambda s: b64(f"x{s}y"),
    "base64 at the third place": lambda s: b64(f"xx{s}yy"),
    "base64 URL-encoded": lambda s: quote(b64(f"{USERNAME}:{s}"), safe=""),
}
EVERY_FORM = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())


def reply_with(code: int, words: str) -> str:
    """Return a reply as a server sends it, with its code in front of every line."""
    first, *more = words.replace("{code}", "").split("\n")
    lines = [first, *more]
    return "\n".join(
        f"{code}{' ' if number == len(lines) else '-'}{line}"
        for number, line in enumerate(lines, 1)
    )


def holds_secret(shown: str, secret: str = PASSWORD) -> bool:
    """Tell whether a half of a secret, or of its base64, can be read anywhere."""
    bare = "".join(shown.split()).lower()
    parts = [secret[:HALF], secret[-HALF:]]
    parts += ["".join(f"%{ord(c):02x}" for c in part) for part in parts]
    parts += [secret.encode().hex()[:12], secret.encode().hex()[-12:]]
    for before in ("", "x", "xx"):
        whole = b64(before + secret + "..")
        parts += [whole[4:11], whole[-12:-5]]
    return any(part.lower() in bare for part in parts)


@EVERY_FORM
def test_every_form_of_a_secret_is_hidden(form: Callable[[str], str]) -> None:
    words = form(PASSWORD).replace("{code}", "535-")
    shown = Redactor.for_login(USERNAME, [PASSWORD]).text(f"said <{words}> to me")
    assert not holds_secret(shown)
    assert shown.startswith(f"said <{HIDDEN}")
    assert shown.endswith("> to me")


@pytest.mark.parametrize(
    "secret",
    ["pässwörd-lang", "Straße-am-Fluß", "пароль-длинный", " with  blanks ", "a+b/c=d_e&f%41"],
)
@pytest.mark.parametrize(
    "form",
    [
        str,
        str.upper,
        quote,
        quote_plus,
        html.escape,
        b64,
        lambda s: b64(f"\0{USERNAME}\0{s}"),
        lambda s: s.encode().decode("latin-1"),
        lambda s: s.encode("ascii", "replace").decode() if s[1:2].isascii() else s,
    ],
    ids=["plain", "upper", "quote", "plus", "html", "base64", "PLAIN", "misread", "lost"],
)
def test_any_password_is_hidden_in_any_alphabet(secret: str, form: Callable[[str], str]) -> None:
    shown = Redactor.for_login(USERNAME, [secret]).text(f"no ({form(secret)})")
    assert re.fullmatch(rf"no \((\s|%20|\+)*{re.escape(HIDDEN)}[\s+\x7f-\x9f]*(%20)?\)", shown)


@pytest.mark.parametrize(
    ("secret", "form"),
    [
        ("correct\U0001f600horse", json.dumps),
        ("correct\U0001f600horse", lambda s: s.replace("\U0001f600", "\\U0001F600")),
        ("pa\"ss'wo\\rd", lambda s: json.dumps(json.dumps(s))),
        ("pa\"ss'wo&rd", lambda s: html.escape(html.escape(s))),
        ("pa\"ss'wo&rd", lambda s: quote(html.escape(s))),
        ("pa\"ss'wo&rd", lambda s: html.escape(quote(s))),
        ("pa\"ss'wo&rd", lambda s: html.escape(json.dumps(s))),
        ("it's'mine'77", lambda s: s.replace("'", "''")),
        ('in"quotes"77', lambda s: s.replace('"', '""')),
        ("50%off%now", lambda s: s.replace("%", "%%")),
        ("tab\tstop", json.dumps),
        ("p\u00e4ssw\u00f6rter", lambda s: s.encode("ascii", "ignore").decode()),
        ("abcd efgh ijkl mnop", lambda s: b64(s.replace(" ", ""))),
        ("ends in blanks  ", lambda s: b64(s.strip())),
    ],
)
def test_a_secret_is_hidden_however_it_was_escaped(secret: str, form: Callable[[str], str]) -> None:
    shown = Redactor.for_login(USERNAME, [secret]).text(f"no ({form(secret)})")
    assert re.fullmatch(rf"""no \([\\"&quot;]*{re.escape(HIDDEN)}[\\"&quot;]*\)""", shown)


@pytest.mark.parametrize("escape", [r"\U00110000", r"\uD83D", r"\uDE00\uD83D", "\\"])
def test_an_escape_of_no_character_is_no_error(escape: str) -> None:
    assert Redactor.for_login(USERNAME, [PASSWORD]).text(escape) == escape


def test_a_line_keeps_its_codes_and_what_is_beside_the_secret() -> None:
    reply = Reply.parse(
        535, "5.7.8 no: Open-Sesa\n5.7.8 me-7421, sorry", Redactor.for_login("", [PASSWORD])
    )
    assert reply.lines == (f"5.7.8 no: {HIDDEN}", f"5.7.8 {HIDDEN}, sorry")
    assert reply.enhanced == "5.7.8"


def test_a_long_line_is_cut_only_after_its_secret_is_gone() -> None:
    text = "x" * (MAX_TEXT - 8) + " " + PASSWORD
    assert "Open" not in Reply.parse(535, text, Redactor.for_login("", [PASSWORD])).text


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ("test", "the test failed", f"the {HIDDEN} failed"),
        ("test", "so te st it", f"so {HIDDEN} it"),
        ("test", "that establishes", "that establishes"),
        ("abab", "so ab abab", f"so ab {HIDDEN}"),
        ("1212", "5.7.8 12 1212", f"5.7.8 12 {HIDDEN}"),
        ("abc", "abc and abcd", "abc and abcd"),
        ("abc", f"got {b64(f'\0{USERNAME}\0abc')}", f"got {HIDDEN}"),
        ("abc", f"got {USERNAME}:abc", f"got {HIDDEN}"),
        ("", "nothing", "nothing"),
        ("Open-Sesame-7421", "5.7.8 Sesame street 7421", "5.7.8 Sesame street 7421"),
    ],
)
def test_a_short_secret_leaves_a_reply_readable(secret: str, text: str, shown: str) -> None:
    assert Redactor.for_login(USERNAME, [secret]).text(text) == shown


def test_what_is_no_secret_stays_as_it_was() -> None:
    fingerprint = ":".join(["A1"] * 32)
    text = f"250 2.0.0 Ok: queued as 4Zx1  ({fingerprint}) =?utf-8?q?a_b?= 50%25 &amp; \\x41"
    assert Redactor.for_login(USERNAME, [PASSWORD]).text(text) == text
    assert NOTHING_HIDDEN.text(text) == text
    assert len("abc") < SHORTEST


def test_small_letters_are_as_many_as_there_were() -> None:
    every = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x30000))))
    assert len(fold(every)) == len(every)


@pytest.mark.parametrize(
    "unit",
    [
        "a ",
        "a\n",
        "%41",
        "&#65;",
        "=41 ",
        f"{PASSWORD} ",
        f"{b64(PASSWORD)} ",
        b64(f"xx{PASSWORD}"),
        "Open-Sesame-742",
        "\n250-2.1.1 ",
        "%41 =41&#65;_\\x41\n",
    ],
)
def test_a_text_of_eight_times_the_length_takes_about_eight_times_as_long(unit: str) -> None:
    redactor = Redactor.for_login(USERNAME, [PASSWORD])

    def least(length: int) -> float:
        text = (unit * length)[:length]
        times = []
        for _ in range(5):
            begun = time.process_time()
            redactor.text(text)
            times.append(time.process_time() - begun)
        return min(times)

    assert least(65_536) < 4 * 8 * max(least(8192), 0.001)


def test_an_error_challenge_holds_no_token_and_no_half_of_one() -> None:
    said = {"status": "x" * 190 + " " + TOKEN}
    assert "ya29" not in explain(b64(json.dumps(said)), Redactor.for_login("", [TOKEN]))


REFUSING = [Step.AUTH, Step.AUTH_VERDICT, Step.MAIL]


@EVERY_FORM
@pytest.mark.parametrize("step", REFUSING)
async def test_a_refusal_never_quotes_the_password(
    bed: Bed, step: Step, form: Callable[[str], str]
) -> None:
    echo = reply_with(554, "5.7.8 Told you: " + form(PASSWORD))
    server = await bed.serve(HEALTHY_TLS.but(answers={step: say(echo)}))
    failure = await failure_of(bed, server)
    assert "Told you" in failure.server_words
    assert not holds_secret(f"{failure} {failure!r} {failure.as_dict()}")


@EVERY_FORM
@pytest.mark.parametrize("step", [Step.GREETING, Step.EHLO])
async def test_a_server_that_knows_the_password_already_does_not_get_it_shown(
    bed: Bed, step: Step, form: Callable[[str], str]
) -> None:
    echo = reply_with(554, "5.7.8 Told you: " + form(PASSWORD))
    server = await bed.serve(HEALTHY_TLS.but(answers={step: say(echo), Step.HELO: say(echo)}))
    failure = await failure_of(bed, server)
    assert "Told you" in failure.server_words
    assert not holds_secret(f"{failure} {failure!r} {failure.as_dict()}")


@EVERY_FORM
async def test_ehlo_keywords_and_the_greeting_are_shown_without_the_password(
    bed: Bed, form: Callable[[str], str]
) -> None:
    hello = f"hello\nX-{form(PASSWORD)}\nSIZE 1000 {form(PASSWORD)}\nAUTH PLAIN {form(PASSWORD)}"
    answers = {
        Step.GREETING: say(f"220 {form(PASSWORD).split(chr(10))[0]}.test ESMTP"),
        Step.EHLO: say(reply_with(250, hello)),
    }
    server = await bed.serve(HEALTHY_TLS.but(answers=answers))
    session = session_for(bed, server)
    await session.open()
    proof = proof_of(session)
    session.quit()
    assert session.logged_in
    if form is not FORMS["over two lines"] and form is not FORMS["base64 over two lines"]:
        assert not holds_secret(proof.server)
    assert not holds_secret(f"{proof.extensions} {session.capabilities.mechanisms}")


@pytest.mark.parametrize(
    "password", ["PLAIN", "AUTH PLAIN", "STARTTLS", "8BITMIME", "250-", "334 "]
)
async def test_a_password_that_is_a_word_of_the_protocol_breaks_nothing(
    bed: Bed, password: str
) -> None:
    server = await bed.serve(HEALTHY_TLS.but(users={USERNAME: password}))
    session = session_for(bed, server, login=Login(USERNAME, password))
    await session.open(sender=SENDER)
    session.quit()
    assert session.mechanism == "PLAIN"
    assert "8bitmime" in session.capabilities.extensions


@pytest.mark.parametrize("mechanism", ["CRAM-MD5", "SCRAM-SHA-256"])
@pytest.mark.parametrize("password", ["334 ", "mail.example.test", "4096", "i=4096"])
async def test_a_challenge_is_read_as_it_was_said(bed: Bed, mechanism: str, password: str) -> None:
    script = HEALTHY_TLS.but(mechanisms=(mechanism,), users={USERNAME: password})
    session = session_for(bed, await bed.serve(script), login=Login(USERNAME, password))
    await session.open()
    session.quit()
    assert session.logged_in


async def test_what_a_refusal_means_is_read_as_it_was_said(bed: Bed) -> None:
    said = "535 5.7.8 Application-specific password required"
    for password, shown in ((PASSWORD, "password"), ("password", HIDDEN)):
        script = HEALTHY_TLS.but(users={USERNAME: password}, answers={Step.AUTH_VERDICT: say(said)})
        failure = await failure_of(bed, await bed.serve(script), login=Login(USERNAME, password))
        assert failure.kind is FailureKind.APP_PASSWORD_REQUIRED
        assert f"specific {shown} required" in failure.server_words


@EVERY_FORM
@pytest.mark.parametrize("pipelining", [Pipelining.OFFERED, Pipelining.ABSENT])
async def test_no_reply_to_a_mail_holds_the_password(
    bed: Bed, pipelining: Pipelining, form: Callable[[str], str]
) -> None:
    positive = reply_with(250, "2.1.0 Ok: " + form(PASSWORD))
    refused = reply_with(550, "5.1.1 No: " + form(PASSWORD))
    script = HEALTHY_TLS.but(
        pipelining=pipelining,
        answers={Step.MAIL: say(positive), Step.DOT: say(positive)},
        recipient_replies={"a@example.test": refused},
    )
    session = session_for(bed, await bed.serve(script))
    await session.open()
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.quit()
    [refusal, acceptance] = delivery.outcomes
    assert acceptance.accepted
    assert acceptance.reply is not None
    assert "Ok: " in acceptance.reply.text
    assert refusal.failure is not None
    assert not holds_secret(f"{delivery!r} {acceptance.reply} {refusal.failure.as_dict()}")


@EVERY_FORM
@pytest.mark.parametrize("step", [Step.DATA, Step.DOT])
async def test_a_refused_message_does_not_bring_the_password_back(
    bed: Bed, step: Step, form: Callable[[str], str]
) -> None:
    echo = reply_with(554, "5.7.1 No: " + form(PASSWORD))
    session = session_for(bed, await bed.serve(HEALTHY_TLS.but(answers={step: say(echo)})))
    await session.open()
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.abort()
    assert not delivery.accepted
    assert not holds_secret(repr(delivery))


@pytest.mark.parametrize("step", [Step.AUTH_VERDICT, Step.MAIL])
async def test_bytes_that_break_the_protocol_are_quoted_without_the_password(
    bed: Bed, step: Step
) -> None:
    said = f"{'x' * 190}{PASSWORD}\r\n".encode()
    server = await bed.serve(HEALTHY_TLS.but(answers={step: say(said)}))
    failure = await failure_of(bed, server)
    assert failure.kind is FailureKind.PROTOCOL_ERROR
    assert not holds_secret(failure.server_words)


async def test_a_line_that_is_too_long_to_be_kept_ends_with_no_half_of_the_password(
    bed: Bed,
) -> None:
    said = f"oops {PASSWORD * 60}\r\n".encode()
    server = await bed.serve(HEALTHY_TLS.but(answers={Step.MAIL: say(said)}))
    failure = await failure_of(bed, server)
    assert failure.kind is FailureKind.PROTOCOL_ERROR
    assert "oops" in failure.server_words
    assert not holds_secret(failure.server_words)


@pytest.mark.parametrize("secret", [TOKEN, "refresh-7421-token"])
@pytest.mark.parametrize("step", [Step.GREETING, Step.AUTH_VERDICT, Step.MAIL])
async def test_no_token_that_is_known_is_ever_quoted(bed: Bed, step: Step, secret: str) -> None:
    echo = say(f"554 5.7.1 No: {secret.upper()} {b64(secret)}")
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("XOAUTH2",), answers={step: echo}))
    login = TokenLogin(USERNAME, Tokens(TOKEN, "refresh-7421-token"))
    failure = await failure_of(bed, server, login=login)
    assert "No: " in failure.server_words
    assert not holds_secret(failure.server_words, secret)


async def test_the_second_look_at_a_port_quotes_no_password_either(bed: Bed) -> None:
    server = await bed.serve(
        PLAIN_RELAY.but(answers={Step.GREETING: say(f"220 {b64(PASSWORD)} {PASSWORD} ESMTP")})
    )
    settings = settings_for(server, encryption=Encryption.TLS)
    failure = await failure_of(bed, server, encryption=Encryption.TLS)
    assert failure.kind is FailureKind.TLS_NOT_EXPECTED
    with pytest.raises(Exception, match="tls_not_expected") as caught:
        await prove(settings, context_for(bed), SENDER)
    assert HIDDEN in str(caught.value)
    assert not holds_secret(str(caught.value))


async def test_finding_the_encryption_quotes_no_password(bed: Bed) -> None:
    echo = say(f"554 5.7.1 {PASSWORD}")
    server = await bed.serve(PLAIN_RELAY.but(answers={Step.EHLO: echo, Step.HELO: echo}))
    with pytest.raises(Exception, match="554") as caught:
        await encryption_at(settings_for(server), context_for(bed))
    assert not holds_secret(str(caught.value))


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.7.1 Blocked: https://home.example/api/email_courier/answer?t={token}",
        "550 Blocked: https%3A%2F%2Fhome.example%2Fapi%2Femail_courier%2Fanswer%3Ft%3D{token}",
        "550 <a href='https://home.example/api/email_courier/answer?t=3D{token}'>",
        "550-Blocked: https://home.example/api/email_courier\n550 /answer?t={token}",
        "550 HTTPS://HOME.EXAMPLE/API/EMAIL_COURIER/ANSWER?T={token}",
    ],
)
def test_a_link_that_acts_at_home_is_hidden_where_a_server_quotes_the_mail(reply: str) -> None:
    token = "AbCdEfGhIjKlMnOpQrStUvWxYz-_0123456789A"
    for redactor in (NOTHING_HIDDEN, Redactor.for_login("anna", ["secret-of-anna"])):
        hidden = redactor.text(reply.format(token=token))

        assert HIDDEN in hidden
        assert not any(token[at : at + 6] in hidden for at in range(len(token) - 5))
        assert hidden.startswith("550")

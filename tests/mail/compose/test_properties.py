"""Any strings in any field give a valid mail or a named error: never more than was asked for."""

from collections.abc import Callable
from copy import replace
from itertools import count

from hypothesis import given, strategies as st

from custom_components.email_courier.mail.address import Mailbox, parse_mailbox
from custom_components.email_courier.mail.compose.content import (
    Attachment,
    Button,
    Content,
    ContentError,
    Priority,
)
from custom_components.email_courier.mail.compose.encoding import body_text
from custom_components.email_courier.mail.compose.message import compose, wire_size

from .cases import NOW
from .reading import read

NASTY = st.lists(
    st.sampled_from(
        [
            "\r\n", "\n", "\r", "\0", "\x85", "\u2028", "\ud800", "\t", " ", ".", "--", "=_id1",
            "=?utf-8?q?", "?=", "Bcc: evil@evil.test", "To:", "evil@evil.test", "<", ">", '"', ",",
            ";", ":", "@", "\\", "(", ")", "%", "*", "é", "日本", "🔥", "\u202e", "\u037e",
            "From ", "cid:", "![", "](", "<script>", "Content-Type: text/html", "\r\n\r\n", "\n.\n",
            "a", "x" * 90,
        ]
    ),
    max_size=8,
).map("".join)  # fmt: skip
ANY = NASTY | st.text()


attachments = st.builds(
    Attachment,
    filename=ANY,
    source=st.binary(max_size=200) | ANY.map(lambda text: text.encode("utf-8", "replace")),
    content_type=st.none() | st.sampled_from(["image/png", "text/csv", "message/rfc822"]),
    content_id=st.none() | ANY,
)


@st.composite
def mailboxes(draw: st.DrawFn) -> Mailbox:
    """Draw an address that the parser takes, under any name."""
    local = draw(st.sampled_from(["anna", "ben+x", '"a b"', '"a@b"', "jörg", "o'neil"]))
    domain = draw(st.sampled_from(["example.test", "bücher.example", "localhost", "[192.0.2.1]"]))
    return parse_mailbox(f"{local}@{domain}").named(draw(ANY))


def tuples[T](elements: st.SearchStrategy[T], most: int) -> st.SearchStrategy[tuple[T, ...]]:
    """Draw a short tuple."""
    return st.lists(elements, max_size=most).map(tuple)


contents = st.builds(
    lambda **fields: Content(**fields),  # noqa: PLW0108 - of a named tuple all would be filled in
    sender=mailboxes(),
    to=tuples(mailboxes(), 3),
    cc=tuples(mailboxes(), 2),
    bcc=tuples(mailboxes(), 2),
    reply_to=tuples(mailboxes(), 2),
    subject=ANY,
    text=ANY,
    attachments=tuples(attachments, 3),
    images=tuples(attachments, 2),
    priority=st.none() | st.sampled_from(Priority),
    thread=st.none() | ANY,
    base_url=st.none() | st.just("https://house.example"),
    home_name=ANY,
    language=ANY,
)


@given(contents, ANY, st.sampled_from(["html", "markdown", None]))
def test_any_text_gives_exactly_the_mail_that_was_asked_for(
    content: Content, page: str, kind: str | None
) -> None:
    html, markdown = (page if kind == wanted else None for wanted in ("html", "markdown"))
    _check(replace(content, html=html, markdown=markdown))


@given(contents, st.dictionaries(st.sampled_from(["X-A", "X-b"]) | ANY, ANY, max_size=3))
def test_any_custom_field_is_one_field_or_refused(
    content: Content, headers: dict[str, str]
) -> None:
    _check(replace(content, headers=headers))


@given(contents, ANY, ANY, ANY)
def test_any_button_and_any_type_are_taken_or_refused(
    content: Content, text: str, url: str, content_type: str
) -> None:
    odd = Attachment("a", b"", content_type)
    _check(replace(content, markdown="a", button=Button(text, url), attachments=(odd,)))


def _check(content: Content) -> None:
    """Compose; where that gives a mail, it holds what was asked for and nothing else."""
    try:
        mail = compose(content, now=NOW, unique=_tokens())
    except ContentError:
        return
    shown = read(mail)
    asked = dict.fromkeys(m.address for m in (*content.to, *content.cc, *content.bcc))
    assert mail.envelope.recipients == tuple(asked)
    shown_to = set(shown.addresses("To"))
    assert shown_to <= {mailbox.address for mailbox in content.to}
    if all(map(str.isascii, asked)):
        assert len(shown_to) == len({*content.to})
    assert set(shown.addresses("Cc")) <= {mailbox.address for mailbox in content.cc}
    assert shown.addresses("From") == [content.sender.address]
    assert "Bcc" not in shown.names
    assert len(shown.names) == len(set(shown.names)) == _expected_fields(content, shown.names)

    assert len(shown.parts) == 1 + bool(content.html or content.markdown) + len(
        content.attachments
    ) + len(content.images)
    if content.text.strip() or not (content.html or content.markdown):
        assert shown.text("text/plain") == body_text(content.text)
    files = [file.source for file in (*content.attachments, *content.images)]
    assert sorted(part.content for part in shown.parts if part.disposition) == sorted(
        source for source in files if isinstance(source, bytes)
    )
    assert wire_size(content, now=NOW) >= len(mail.data)


def _expected_fields(content: Content, names: list[str]) -> int:
    always = ["From", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    assert set(always) < set(names)
    return (
        len(always)
        + len(content.headers)
        + sum(name in names for name in ("To", "Cc", "Subject", "Content-Transfer-Encoding"))
        + bool(content.reply_to)
        + 2 * bool(content.thread)
        + 3 * (content.priority is not None)
    )


def _tokens() -> Callable[[], str]:
    numbers = count()
    return lambda: f"token{next(numbers)}"

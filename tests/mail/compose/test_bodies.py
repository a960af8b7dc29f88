"""Which parts a message has."""

from typing import Any

import pytest

from custom_components.email_courier.mail.compose.content import (
    Attachment,
    Button,
    Content,
    ContentError,
    ContentFault,
    Layout,
)
from custom_components.email_courier.mail.compose.message import compose

from .cases import ANNA, HOUSE, JPEG, NOW, PDF, PNG
from .reading import ReadMail, read

PAGE = '<p>See</p><img src="cid:door">'


def _mail(**fields: Any) -> ReadMail:
    return read(compose(Content(sender=HOUSE, to=(ANNA,), **fields), now=NOW))


@pytest.mark.parametrize(
    ("fields", "structure"),
    [
        ({"text": "a"}, "text/plain"),
        ({"text": "a", "html": ""}, "text/plain"),
        ({"text": "a", "html": PAGE}, "alternative(text/plain, text/html)"),
        ({"text": "a", "markdown": "b"}, "alternative(text/plain, text/html)"),
        (
            {"text": "a", "attachments": (Attachment("a.pdf", PDF),)},
            "mixed(text/plain, application/pdf)",
        ),
        (
            {"html": PAGE, "attachments": (Attachment("a.png", PNG, content_id="door"),)},
            "alternative(text/plain, related(text/html, image/png))",
        ),
        (
            {
                "html": PAGE,
                "attachments": (
                    Attachment("a.pdf", PDF),
                    Attachment("a.png", PNG, content_id="door"),
                ),
            },
            "mixed(alternative(text/plain, related(text/html, image/png)), application/pdf)",
        ),
        (
            {"text": "a", "attachments": (Attachment("a.png", PNG, content_id="door"),)},
            "mixed(text/plain, image/png)",
        ),
        (
            {"markdown": "a", "attachments": (Attachment("a.pdf", PDF, content_id="plan"),)},
            "mixed(alternative(text/plain, text/html), application/pdf)",
        ),
        (
            {"text": "a", "images": (Attachment("a.png", PNG),)},
            "mixed(text/plain, image/png)",
        ),
        (
            {"html": PAGE, "images": (Attachment("a.png", PNG), Attachment("a.pdf", PDF))},
            "mixed(alternative(text/plain, related(text/html, image/png)), application/pdf)",
        ),
    ],
)
def test_parts_are_nested_as_readers_expect(fields: dict[str, Any], structure: str) -> None:
    assert _mail(**fields).structure == structure


@pytest.mark.parametrize(
    ("typed", "read_back"),
    [
        ("", ""),
        ("one", "one\n"),
        ("one\n", "one\n"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd\n"),
        (".\n..\n", ".\n..\n"),
        ("x" * 5000, "x" * 5000 + "\n"),
        ("Grüße 🔥", "Grüße 🔥\n"),
        ("nul \0 bell \a lone \ud800", "nul \ufffd bell \ufffd lone \ufffd\n"),
        ("--=_boundary--\n", "--=_boundary--\n"),
        ("Bcc: evil@example.test\n\nhi", "Bcc: evil@example.test\n\nhi\n"),
    ],
)
def test_the_message_is_the_plain_part(typed: str, read_back: str) -> None:
    assert _mail(text=typed).text("text/plain") == read_back
    assert _mail(text=typed, html=PAGE).text("text/plain") == (read_back or "See\n")


def test_markdown_is_the_plain_part_as_text_where_there_is_no_message() -> None:
    assert _mail(markdown="**Hi**").text("text/plain") == "Hi\n"
    assert _mail(markdown="**Hi**", text="Hi").text("text/plain") == "Hi\n"


def test_a_picture_follows_a_page_of_ones_own_that_does_not_name_it_in_the_card() -> None:
    door = Attachment("door.png", PNG, content_id="door")
    html = '<p>Mine</p><img src="cid:door2">'
    page = _mail(html=html, attachments=(door,), layout=Layout.CARD).text("text/html")

    assert page.index("cid:door2") < page.index('src="cid:door"')
    assert _mail(html=html, attachments=(door,)).text("text/html").strip() == html


def test_html_is_passed_on_as_it_is() -> None:
    assert _mail(html=PAGE).text("text/html") == PAGE + "\n"


def test_an_inline_picture_has_the_content_id_that_html_names() -> None:
    mail = _mail(html=PAGE, attachments=(Attachment("a.png", PNG, content_id="door"),))

    assert [part.content_id for part in mail.parts] == [None, None, "<door>"]
    assert mail.parts[2].disposition == "inline"


@pytest.mark.parametrize("written", ["back door.png", "back%20door.png"])
def test_a_picture_whose_name_no_content_id_can_be_is_still_shown(written: str) -> None:
    mail = _mail(html=f'<img src="cid:{written}">', images=(Attachment("/x/back door.png", PNG),))
    content_id = str(mail.parts[2].content_id)[1:-1]

    assert mail.text("text/html") == f'<img src="cid:{content_id}">\n'
    assert content_id.isascii()
    assert " " not in content_id


@pytest.mark.parametrize("typed", ["<door>", " <door> ", "cid:door", "<cid:door>", "door\n"])
def test_a_content_id_may_stand_as_a_header_or_html_shows_it(typed: str) -> None:
    mail = _mail(html=PAGE, attachments=(Attachment("a.png", PNG, content_id=typed),))

    assert mail.parts[2].content_id == "<door>"
    assert mail.text("text/html") == PAGE + "\n"


@pytest.mark.parametrize(
    "written",
    [
        '"cid:Tür & Tor"',
        '"cid:Tür &amp; Tor"',
        "'cid:T&uuml;r &amp; Tor'",
        '"cid:T%C3%BCr%20&%20Tor"',
        '"cid:T%c3%bcr%20%26%20Tor"',
        '"CID:Tür & Tor"',
        "cid:T%C3%BCr%20%26%20Tor",
    ],
)
def test_html_may_write_an_odd_content_id_in_any_way(written: str) -> None:
    page = f'<img src={written}><img src="cid:Tür & Tor 2">'
    files = (Attachment("a.png", PNG, content_id="Tür & Tor"),)
    mail = _mail(html=page, attachments=files)
    sent = str(mail.parts[2].content_id)[1:-1]

    assert f"cid:{sent}" in mail.text("text/html")
    assert sent.isascii()
    assert '"cid:Tür & Tor 2"' in mail.text("text/html")


def test_related_parts_name_the_type_of_their_root() -> None:
    door = Attachment("a.png", PNG, content_id="door")
    mail = _mail(html=PAGE, attachments=(door, Attachment("a.pdf", PDF)))
    related = [p for p in mail.message.walk() if p.get_content_subtype() == "related"]

    assert [part.get_param("type") for part in related] == ["text/html"]


def test_html_alone_has_a_plain_part_made_from_it() -> None:
    page = '<h1>Leak</h1><p>See <a href="https://house.example/leak">the map</a>.</p>'

    assert (
        _mail(html=page).text("text/plain") == "Leak\n\nSee the map (https://house.example/leak).\n"
    )
    assert _mail(html=page, text=" \n").text("text/plain").startswith("Leak")
    assert _mail(html=page, text="Hi").text("text/plain") == "Hi\n"


def test_html_that_shows_nothing_has_the_subject_as_its_plain_part() -> None:
    assert _mail(html="<p> </p>", subject="Leak").text("text/plain") == "Leak\n"


def test_two_classic_pictures_of_one_name_are_not_mistaken_for_each_other() -> None:
    mail = _mail(
        html=PAGE, images=(Attachment("/a/door.png", PNG), Attachment("/b/door.png", JPEG))
    )

    assert [part.disposition for part in mail.parts[2:]] == ["inline", "attachment"]


def test_a_content_id_stands_once() -> None:
    door = Attachment("a.png", PNG, content_id="door")
    with pytest.raises(ContentError) as raised:
        _mail(html=PAGE, attachments=(door, door))

    assert raised.value.reason is ContentFault.CONTENT_ID_REPEATED
    assert raised.value.facts == {"content_id": "door"}


def test_html_and_markdown_exclude_each_other() -> None:
    with pytest.raises(ContentError) as raised:
        _mail(html=PAGE, markdown="b")

    assert raised.value.reason is ContentFault.HTML_AND_MARKDOWN


def test_a_button_needs_markdown() -> None:
    with pytest.raises(ContentError) as raised:
        _mail(html=PAGE, button=Button("Open", "https://house.example"))

    assert raised.value.reason is ContentFault.BUTTON_NEEDS_MARKDOWN


def test_attachments_arrive_byte_for_byte() -> None:
    every_byte = bytes(range(256)) * 400 + b"\r\n.\r\n\n"
    mail = _mail(
        text="a", attachments=(Attachment("all.bin", every_byte), Attachment("empty.txt", b""))
    )

    assert [part.content for part in mail.parts[1:]] == [every_byte, b""]

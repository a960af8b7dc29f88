"""What users reported of other programs that write mail: repository and number of each report."""

from typing import Any

import pytest

from custom_components.email_courier.mail.address import parse_mailbox, parse_mailboxes
from custom_components.email_courier.mail.compose.attachments import attachment_part
from custom_components.email_courier.mail.compose.content import Attachment, Content
from custom_components.email_courier.mail.compose.message import compose

from .cases import ANNA, HOUSE, NOW, PNG
from .reading import ReadMail, read

LONG_ID = "16258590485080.7800325544861049@content.messagingengine.example"


def _mail(**fields: Any) -> ReadMail:
    """Compose and read back, which checks lines, encoded words and defects."""
    return read(compose(_content(**fields), now=NOW))


def _raw(**fields: Any) -> str:
    return bytes(compose(_content(**fields), now=NOW).data).decode()


def _content(**fields: Any) -> Content:
    asked: dict[str, Any] = {"sender": HOUSE, "to": (ANNA,), **fields}
    return Content(**asked)


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(
            "Re: [SOS-1495488] Commande et livraison - Demande de retour - 251210-AABBCC - Abo "
            "actualités digitales 20 semaines d’abonnement à 24 heures, Bilan, Tribune de Genève",
            id="python/cpython#144156",
        ),
        pytest.param("ффффффффффффффффффффффффффффф ф", id="python/cpython#92081"),
        pytest.param("Hello Wörld! " * 8, id="python/cpython#13608"),
        pytest.param(
            "Livraison retardée. Arrivée prévue\u202f: 5 août, 11h48", id="lettre/lettre#812"
        ),
        pytest.param("a" * 890, id="PHPMailer/PHPMailer#1525"),
        pytest.param("Zusammenfassung Ihrer Bestellung — " * 24, id="productdevbook/unemail#121"),
        pytest.param("🎟 Test folding of subject header " * 5, id="emersion/go-message#54"),
        pytest.param("foö " * 30, id="lobsters/lobsters#328"),
        pytest.param("a  b   c é  d", id="nodemailer/buildmail#12"),
    ],
)
def test_a_subject_arrives_as_it_was_written(subject: str) -> None:
    assert _mail(subject=subject).message["Subject"] == subject.strip()


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        pytest.param("a\ud800b", "a\ufffdb\n", id="MuckRock/muckrock#2106"),
        pytest.param("a\r\rb\n\rc", "a\n\nb\n\nc\n", id="kisli/vmime#7"),
        pytest.param("x" * 75 + "." * 9, "x" * 75 + "." * 9 + "\n", id="swiftmailer#72"),
        pytest.param("a" * 73 + "øaaa", "a" * 73 + "øaaa\n", id="snoyberg/mime-mail#34"),
        pytest.param("é" * 200, "é" * 200 + "\n", id="php/php-src#120"),
        pytest.param("a \t\nb  ", "a \t\nb  \n", id="runbox/runbox7#393"),
        pytest.param("=\n==C3=A9", "=\n==C3=A9\n", id="staktrace/quoted-printable#26"),
    ],
)
def test_a_text_arrives_as_it_was_written(text: str, sent: str) -> None:
    assert _mail(text=text).text("text/plain") == sent


def test_a_page_of_one_long_line_is_not_broken_by_a_relay() -> None:
    """PHPMailer/PHPMailer#314."""
    page = "<p>" + "https://x.test/" + "a" * 3000 + "</p>"

    assert _mail(html=page).text("text/html") == page + "\n"


def test_a_long_list_of_references_is_folded() -> None:
    """mikel/mail#401, floatpane/matcha#1115, djcb/mu#859."""
    ids = " ".join(f"<Kohciuku{i}@apholovu.example>" for i in range(80))

    assert _mail(headers={"References": ids}).message["References"] == ids
    assert max(map(len, _raw(headers={"References": ids}).split("\r\n"))) <= 78


def test_a_long_message_id_is_no_encoded_word() -> None:
    """jstedfast/MimeKit#479, PHPMailer/PHPMailer#2437, PHPMailer/PHPMailer#1875."""
    raw = _raw(
        html=f'<img src="cid:{LONG_ID}">',
        headers={"In-Reply-To": f"<{'A' * 70}@example.test>"},
        attachments=(Attachment("a.png", PNG, content_id=LONG_ID),),
    )

    assert f"In-Reply-To: <{'A' * 70}@example.test>\r\n" in raw
    assert f"Content-ID: <{LONG_ID}>\r\n" in raw


def test_sixty_recipients_fit_into_lines() -> None:
    """dahlia/upyo#40, bruceg/nullmailer#92."""
    many = parse_mailboxes(", ".join(f"recipient-{i:03}@example.test" for i in range(60)))

    assert len(_mail(to=many).addresses("To")) == 60


@pytest.mark.parametrize(
    "filename",
    [
        pytest.param("😊.txt", id="nodemailer/nodemailer#496"),
        pytest.param("Sass 基础教程.txt", id="nodemailer/nodemailer#416"),
        pytest.param("ジョブ得受注一覧レポート20180410.xlsx", id="jstedfast/MimeKit#401"),
        pytest.param("Test Å!@#$#^%&^(&(){}(9).jpg", id="jstedfast/MimeKit#269"),
        pytest.param("Übersicht Jänner.pdf", id="wneessen/go-mail#605"),
        pytest.param("1234567890" * 6 + "1234.txt70", id="kisli/vmime#87"),
        pytest.param("Quittung Nr. 025-3 " + "x y" * 30 + ".pdf", id="PHPMailer#1469"),
        pytest.param("a;b=c, d'e.txt", id="jstedfast/MimeKit#674"),
    ],
)
def test_a_file_name_is_known_to_old_and_new_readers(filename: str) -> None:
    part = _mail(text="a", attachments=(Attachment(filename, b"x"),)).message
    file = next(iter(part.iter_attachments()))

    assert file.get_filename() == filename
    assert file["Content-Type"].params["name"] == filename
    assert "name*" not in _raw(attachments=(Attachment(filename, b"x"),)).partition("filename")[0]


@pytest.mark.parametrize(
    ("inside", "declared", "parameter"),
    [
        pytest.param("REQUEST", "text/calendar", "REQUEST", id="nodemailer/nodemailer#1615"),
        pytest.param(
            "CANCEL", "text/calendar; method=CANCEL", "CANCEL", id="swiftmailer/swiftmailer#901"
        ),
        pytest.param(
            "PUBLISH", "text/calendar; method=REQUEST", "PUBLISH", id="maevsi/vibetype#2368"
        ),
    ],
)
def test_an_invitation_names_the_method_that_it_holds(
    inside: str, declared: str, parameter: str
) -> None:
    event = f"BEGIN:VCALENDAR\r\nMETHOD:{inside}\r\nEND:VCALENDAR\r\n".encode()
    part = attachment_part(Attachment("invite.ics", event, declared))

    assert dict(part.fields)["Content-Type"].startswith(
        f"text/calendar; charset=utf-8; method={parameter};"
    )


@pytest.mark.parametrize(
    ("content", "declared", "charset"),
    [
        pytest.param("ü".encode("utf-16"), None, "utf-16", id="jakartaee/mail-api#18"),
        pytest.param("ü".encode(), "text/csv", "utf-8", id="linagora/tmail-flutter#2602"),
        pytest.param(
            "я".encode("cp1251"), "text/csv; charset=windows-1251", "windows-1251",
            id="mailgun/mailgun.js#89",
        ),
        pytest.param(b"a", 'text/csv; Charset="ISO-8859-2"', "iso-8859-2", id="MSGReader#211"),
        pytest.param("ü".encode("latin-1"), "text/csv", None, id="anymail/django-anymail#150"),
    ],
)  # fmt: skip
def test_a_text_file_keeps_its_bytes_and_its_charset(
    content: bytes, declared: str | None, charset: str | None
) -> None:
    file = Attachment("a.csv", content, declared)
    mail = _mail(text="a", attachments=(file,))
    sent = next(iter(mail.message.iter_attachments()))

    assert sent.get_payload(decode=True) == content
    assert sent.get_content_charset() == charset


@pytest.mark.parametrize(
    ("typed", "address", "name"),
    [
        pytest.param("\u200blarry@x.test", "larry@x.test", "", id="mikel/mail#1173"),
        pytest.param("xyz@x.\u200btest\u200b", "xyz@x.test", "", id="jquery-validation#1287"),
        pytest.param("\ufeffbob@x.test", "bob@x.test", "", id="knadh/listmonk#1845"),
        pytest.param(
            "Andris, Reinman <a@x.test>", "a@x.test", "Andris, Reinman", id="nodemailer#973"
        ),
        pytest.param(
            "Joe Foo, PhD <joe@x.test>", "joe@x.test", "Joe Foo, PhD", id="mailparser#375"
        ),
        pytest.param(
            '"test@x.test"@example.test', '"test@x.test"@example.test', "",
            id="nodemailer/nodemailer#1102",
        ),
        pytest.param(
            "111(aaa）<bb@x.test>", "bb@x.test", "111(aaa）", id="nodemailer/addressparser#12"
        ),
    ],
)  # fmt: skip
def test_an_address_is_understood_and_read_back(typed: str, address: str, name: str) -> None:
    mailbox = parse_mailbox(typed)

    assert (mailbox.address, mailbox.name) == (address, name)
    shown = _mail(to=(mailbox,)).message["To"].addresses
    assert [(a.addr_spec, a.display_name) for a in shown] == [(address, name)]


@pytest.mark.parametrize(
    "name", [pytest.param("Lang, Zoë @ home", id="python/cpython#121284"), "a\\b é", "(x) <y> ü"]
)
def test_a_name_with_specials_stays_one_name(name: str) -> None:
    mailbox = ANNA.named(name)

    assert [a.display_name for a in _mail(to=(mailbox,)).message["To"].addresses] == [name]


def test_only_a_local_part_makes_a_mail_need_smtputf8() -> None:
    """kisli/vmime#186, symfony/symfony#58361, openmediavault#1058, jstedfast/MimeKit#706."""
    content = Content(
        sender=parse_mailbox("Zoë <zoe@grå.example>"), to=(ANNA,), subject="Größe", text="ß"
    )

    assert not compose(content, now=NOW).envelope.smtputf8


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("CON", "_CON"),
        ("aux.txt", "_aux.txt"),
        ("console.txt", "console.txt"),
        ("..", "attachment.bin"),
        ("...", "attachment.bin"),
        ("a\u202etxt.exe", "atxt.exe"),
        ("\u200b\ufeff", "attachment.bin"),
    ],
)
def test_a_file_can_be_saved_under_its_name(filename: str, shown: str) -> None:
    mail = _mail(text="a", attachments=(Attachment(filename, b"\0"),))

    assert mail.parts[1].filename == shown

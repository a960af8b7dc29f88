"""The shape of a mail: its parts, its lines, its names."""

from pathlib import Path
import re

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import (
    account_at,
    attached,
    only_mail,
    parts_of,
    pictures_in,
    read,
    send,
    text_of,
)
from tests.reports.reports import report
from tests.reports.servers import Bed

TO = "bea@example.test"


@pytest.fixture
def folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A folder from which files may be sent."""
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    return tmp_path


@report(
    source="cyrusimap/cyrus-imapd#3794",
    symptom="multipart/related without its mandatory type parameter: clients show no picture.",
    ours='type="text/html" beside the boundary (RFC 2387).',
    held_at_first=False,
)
@pytest.mark.parametrize("pictures", [1, 2])
@pytest.mark.parametrize("text", [{"message": "Hello"}, {}])
async def test_related_parts_name_their_root(
    hass: HomeAssistant, bed: Bed, folder: Path, pictures: int, text: dict[str, str]
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    paths = pictures_in(folder, *(f"p{number}.jpg" for number in range(pictures)))
    html = "".join(f'<img src="cid:p{number}">' for number in range(pictures))

    await send(
        hass,
        to=TO,
        html=html,
        attachments=[{"path": path, "content_id": f"p{n}"} for n, path in enumerate(paths)],
        **text,
    )

    (related,) = [
        part for part in parts_of(only_mail(server)) if part.get_content_subtype() == "related"
    ]
    assert related.get_param("type") == "text/html"
    assert next(related.iter_parts()).get_content_type() == "text/html"


@report(
    source="sendgrid/sendgrid-php#16",
    symptom="HTML alone comes with an empty text part, or none, and counts as spam.",
    ours="The text part is made from the HTML.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<h1>Alarm</h1><p>The <b>door</b> is open.</p>", ["Alarm", "The door is open."]),
        ("<ul><li>One</li><li>Two</li></ul>", ["One", "Two"]),
        ("<p>a &amp; b &lt; c &euro; &#228;</p>", ["a & b < c € ä"]),
        ('<a href="https://home.example.test/x">Open</a>', ["Open", "https://home.example.test/x"]),
        ("<style>p {color: red}</style><script>x()</script><p>Seen</p>", ["Seen"]),
        ("<table><tr><td>Kitchen</td><td>21 °C</td></tr></table>", ["Kitchen", "21 °C"]),
    ],
)
async def test_html_alone_has_a_text_beside_it(
    hass: HomeAssistant, bed: Bed, html: str, words: list[str]
) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, to=TO, html=html)

    text = text_of(only_mail(server))
    assert all(word in text.replace("**", "").replace("_", "") for word in words), text
    assert "<" not in text.replace("b < c", "").replace("<https", "")
    assert "color: red" not in text
    assert "x()" not in text


@report(
    source="jberkel/sms-backup-plus#570",
    symptom='A line of a message begins with "From ", and tears the mailbox file apart there.',
    ours="=46rom in quoted-printable: the wire holds no such line.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "message",
    [
        "Report:\nFrom the cellar",
        "From here on\nFrom there",
        "Grüße\n\nFrom now on",
        "From " + "x" * 200,
    ],
)
async def test_no_line_begins_with_from(hass: HomeAssistant, bed: Bed, message: str) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, to=TO, message=message, html=f"<pre>{message}</pre>")

    mail = only_mail(server)
    body = mail.content.partition(b"\r\n\r\n")[2]
    assert not re.search(rb"^From ", body, re.MULTILINE)
    assert text_of(mail).rstrip("\n") == message


@report(
    source="sklarsa/django-sendgrid-v5#21",
    symptom="Content-ID: <<door>>: the picture is not shown in the text.",
    ours="Brackets around a content ID, and cid: before it, are taken off.",
    held_at_first=False,
)
@pytest.mark.parametrize("typed", ["<door>", "door", "cid:door", " <door> "])
async def test_a_content_id_may_be_written_as_its_header_shows_it(
    hass: HomeAssistant, bed: Bed, folder: Path, typed: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    (path,) = pictures_in(folder, "door.jpg")

    await send(
        hass,
        to=TO,
        html='<img src="cid:door">',
        attachments=[{"path": path, "content_id": typed}],
    )

    (picture,) = attached(only_mail(server))
    assert picture.get_content_disposition() == "inline"
    used = re.findall(r'src="cid:([^"]+)"', text_of(only_mail(server), "html"))
    assert picture["Content-ID"] == f"<{used[0]}>"


@report(
    source="jstedfast/MailKit#1041",
    symptom="Umlauts in a file name: some Outlooks show AT000001.dat.",
    ours="name as an encoded word beside filename* (RFC 2231), as the large mailers do.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "name", ["Türklingel.jpg", "今日は世.jpg", "Übersicht Jänner " + "x" * 80 + ".jpg"]
)
async def test_a_file_name_is_given_in_both_ways(
    hass: HomeAssistant, bed: Bed, folder: Path, name: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    (path,) = pictures_in(folder, name)

    await send(hass, to=TO, attachments=[{"path": path}])

    (part,) = attached(only_mail(server))
    assert part.get_filename() == name
    raw = re.sub(rb"\r\n[ \t]+", b" ", only_mail(server).content)
    (header,) = re.findall(rb"^Content-Type: image/jpeg.*$", raw, re.MULTILINE)
    assert re.search(rb'\bname="?=\?utf-8\?', header, re.IGNORECASE), header


@report(
    source="datawookie/emayili#46",
    symptom="Quotation marks, semicolons and percent signs in file names break the header.",
    ours="Every file name arrives as it was, without folders.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('a"b.jpg', 'a"b.jpg'),
        ("a;b=c.jpg", "a;b=c.jpg"),
        ("100%.jpg", "100%.jpg"),
        ("a'b (1).jpg", "a'b (1).jpg"),
        ("señor.csv", "señor.csv"),
    ],
)
async def test_file_names_arrive_as_they_are(
    hass: HomeAssistant, bed: Bed, folder: Path, name: str, shown: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    (path,) = pictures_in(folder, "x.jpg")

    await send(hass, to=TO, attachments=[{"path": path, "filename": name}])

    (part,) = attached(only_mail(server))
    assert part.get_filename() == shown


@report(
    source="juntagrico/juntagrico#397",
    symptom="Text files arrive in another charset or with other line ends.",
    ours="Every attachment arrives byte by byte.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "Tür;21\nKüche;22\n".encode()),
        ("b.csv", "Tür;21\r\nKüche;22".encode("latin-1")),
        ("c.ics", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
        ("d.txt", b"From me\n.\n..\n" + b"x" * 2000),
        ("e.json", b'{"a": "\xc3\xa4"}'),
        ("f.eml", b"Subject: x\n\nFrom y\n"),
        ("g.bin", bytes(range(256)) * 5),
    ],
)
async def test_attachments_arrive_byte_by_byte(
    hass: HomeAssistant, bed: Bed, folder: Path, name: str, data: bytes
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    (folder / name).write_bytes(data)

    await send(hass, to=TO, attachments=[{"path": str(folder / name)}])

    (part,) = attached(only_mail(server))
    assert part.get_filename() == name
    content = part.get_payload(decode=True)
    if part.get_content_type() == "message/rfc822":
        (inner,) = part.iter_parts()
        content = inner.as_bytes()
    assert content == data


@report(
    source="VernissageApp/VernissageServer#28",
    symptom="521 5.5.2 Error: bare <LF> received.",
    ours="Every line on the wire ends in CRLF, whatever the template had.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "message", ["a\nb\n", "a\r\nb", "a\rb", "a\n\r\nb\r\r\nc", "a\x0bb\x0cc", "a\u2028b\u0085c"]
)
async def test_every_line_ends_as_smtp_wants_it(
    hass: HomeAssistant, bed: Bed, message: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, to=TO, message=message, html=f"<p>{message}</p>")

    content = only_mail(server).content.replace(b"\r\n", b"")
    assert b"\n" not in content
    assert b"\r" not in content


@report(
    source="jstedfast/MimeKit#512",
    symptom="A dot at the begin of a line is lost or doubled.",
    ours="Dots arrive as they were.",
    held_at_first=True,
)
@pytest.mark.parametrize("message", [".", "..", ".\n.\n..\n.x", "a\n.\nb", "." * 300])
async def test_dots_arrive_as_they_were(hass: HomeAssistant, bed: Bed, message: str) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, to=TO, message=message)

    assert text_of(only_mail(server)).rstrip("\n") == message


@report(
    source="getsentry/sentry#7454",
    symptom="550 maximum allowed line length is 998 octets, got 1802.",
    ours="No line is longer than 998 octets, whatever its text, names and recipients.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "fields",
    [
        {"message": "x" * 5000},
        {"message": "ä" * 5000},
        {"html": "<p>" + "<b>x</b>" * 800 + "</p>"},
        {"title": "x" * 1386},
        {"title": "あ" * 400},
        {"to": [f"Recipient {number} <r{number}@example.test>" for number in range(60)]},
        {"headers": {"X-Long": "word " * 150}},
    ],
)
async def test_no_line_is_too_long(
    hass: HomeAssistant, bed: Bed, fields: dict[str, object]
) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, **{"to": TO, **fields})

    assert max(map(len, only_mail(server).content.split(b"\r\n"))) <= 998


@report(
    source="krayin/laravel-crm#1145",
    symptom="550-5.7.1 This message is not RFC 5322 compliant: duplicate headers.",
    ours="Each header field of RFC 5322 at most once; Date, From and Message-ID always.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"html": "<p>x</p>", "markdown": None},
        {"reply_to": "carl@example.test", "thread": "door", "priority": "high"},
        {"headers": {"X-A": "1"}},
    ],
)
async def test_each_header_stands_once(
    hass: HomeAssistant, bed: Bed, fields: dict[str, object]
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    given = {name: value for name, value in fields.items() if value is not None}

    await send(hass, to=TO, **given)

    message = read(only_mail(server).content)
    for name in ("Date", "From", "Message-ID", "Subject", "To", "MIME-Version", "Content-Type"):
        assert len(message.get_all(name, [])) == 1, name
    assert re.fullmatch(r"<[^\s<>@]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+>", message["Message-ID"])

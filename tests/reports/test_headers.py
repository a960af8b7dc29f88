"""Subjects and names in headers, with all the letters and punctuation of real life."""

import re

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import account_at, only_mail, read, send, subject_of
from tests.reports.reports import report
from tests.reports.servers import USERNAME, Bed

TO = "bea@example.test"


@report(
    source="genkgo/mail#96",
    symptom="A long subject in Japanese is cut inside an encoded word: some mailers show code.",
    ours="Each encoded word is whole, at most 75 octets, and holds whole characters.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "title",
    [
        "あいうえおかきくけこさしすせそたちつてと" * 4,
        "👟👨‍👩‍👧‍👦🏳️‍🌈" * 12,
        "Проверка работы длинной темы письма, при котором после кодирования строка делится",
        "Ο φίλος σας",
        "é" * 100,
        "Wäsche " * 40,
    ],
)
async def test_a_long_subject_is_folded_between_characters(
    hass: HomeAssistant, bed: Bed, title: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, to=TO, title=title)

    mail = only_mail(server)
    assert subject_of(mail) == title.strip()
    for word in re.findall(rb"=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=", mail.content):
        assert len(word) <= 75
        assert "\ufffd" not in str(read(b"Subject: " + word + b"\r\n\r\n")["Subject"])


@report(
    source="PHPMailer/PHPMailer#1525",
    symptom="Folding adds blanks to a long subject, or breaks it.",
    ours="A subject arrives as it was, whatever its length.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "title",
    ["a" * 800, "word " * 150, "x" * 70 + " " + "y" * 90, "=?utf-8?Q?not_encoded?=", "a  b   c"],
)
async def test_a_long_subject_arrives_as_it_was(hass: HomeAssistant, bed: Bed, title: str) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, to=TO, title=title)

    assert subject_of(only_mail(server)) == title.strip()


@report(
    source="EricJMarti/inventory-hunter#182",
    symptom="Header values may not contain linefeed or carriage return characters.",
    ours="Line ends in a title become blanks; they inject no header.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "title",
    [
        "Alarm\n",
        "Alarm\nin the cellar",
        "\n\nAlarm",
        "Alarm\r\nBcc: evil@example.test",
        "Alarm\r\n\r\n<script>",
        "Alarm\x00\x07",
        "Alarm\u2028next",
    ],
)
async def test_line_ends_in_a_title_are_blanks(hass: HomeAssistant, bed: Bed, title: str) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, to=TO, title=title)

    mail = only_mail(server)
    assert subject_of(mail).startswith("Alarm")
    assert read(mail.content)["Bcc"] is None
    assert mail.recipients == (TO,)


@report(
    source="netdata/netdata#2586",
    symptom='"Me, myself and I" as the name: the address is torn at its comma.',
    ours="Names are quoted or encoded as they need it, and arrive as they were.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "name",
    [
        "Me, myself and I",
        'The "House"',
        "Haus (Keller)",
        "Straße 5; Hof",
        "a@b",
        "Käte, Müller",
        "統一身份認證",
        "x" * 120,
        "back\\slash",
        "<angle>",
    ],
)
async def test_a_senders_name_arrives_as_it_was(hass: HomeAssistant, bed: Bed, name: str) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, to=TO, sender_name=name)

    mail = only_mail(server)
    (sender,) = read(mail.content)["From"].addresses
    assert sender.display_name == name
    assert sender.addr_spec == USERNAME
    assert mail.content.split(b"\r\n\r\n", 1)[0].isascii()


@report(
    source="homematic-community/hm_email#13",
    symptom="Raw umlauts in a header: IONOS refuses the mail.",
    ours="Headers are ASCII, whatever stands in names, titles and own fields.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "fields",
    [
        {"to": "Käte Groß <bea@example.test>"},
        {"to": TO, "reply_to": "Jürgen <carl@example.test>"},
        {"to": TO, "headers": {"X-Raum": "Küche"}},
        {"to": TO, "thread": "Tür ß"},
        {"to": "bea@bücher.test"},
    ],
)
async def test_headers_are_ascii(hass: HomeAssistant, bed: Bed, fields: dict[str, object]) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, **fields)

    assert only_mail(server).content.split(b"\r\n\r\n", 1)[0].isascii()


@report(
    source="element-hq/matrix-authentication-service#4747",
    symptom="550-5.7.1 Messages missing a valid Message-ID header are not accepted.",
    ours="Every mail has one, under a domain, and it is what the response says.",
    held_at_first=True,
)
async def test_every_mail_has_its_own_message_id(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    told = [(await send(hass, to=TO))["message_id"] for _ in range(3)]

    found = [read(mail.content)["Message-ID"] for mail in server.record.mails]
    assert found == told
    assert len(set(found)) == 3
    assert all(re.fullmatch(r"<[^<>@\s]+@[^<>@\s.]+\.[^<>@\s]+>", one) for one in found)


@report(
    source="home-assistant/core#4693",
    symptom="Mails without Date are sorted to 1970, and count as spam.",
    ours="Date with the zone of the home.",
    held_at_first=True,
)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "UTC"])
async def test_every_mail_has_a_date(hass: HomeAssistant, bed: Bed, zone: str) -> None:
    await hass.config.async_set_time_zone(zone)
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, to=TO)

    date = read(only_mail(server).content)["Date"].datetime
    assert date.utcoffset() is not None
    assert str(read(only_mail(server).content)["Date"]).rsplit(" ", 1)[1] != "-0000"

"""Addresses as people, templates and telephone companies write them."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest

from tests.reports.driver import (
    account_at,
    classic,
    kind_of,
    only_mail,
    pass_time,
    read,
    recipient,
    refused,
    send,
    waiting,
)
from tests.reports.reports import report
from tests.reports.servers import HEALTHY, Bed

TO = "bea@example.test"


@report(
    source="somnisoft/smtp-client#15",
    symptom="One recipient needs SMTPUTF8, the server has none, and nobody gets the mail.",
    ours="The others get it; that one is refused by name.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "fields",
    [
        {"to": TO, "bcc": "pelé@example.test"},
        {"to": [TO, "pelé@example.test"]},
        {"to": TO, "cc": "用户@例子.test"},
        {"to": ["Ольга <ольга@example.test>", TO]},
    ],
)
async def test_an_address_that_the_server_cannot_take_stops_nobody_else(
    hass: HomeAssistant, bed: Bed, fields: dict[str, str]
) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    response = await send(hass, **fields)

    assert only_mail(server).recipients == (TO,)
    assert response["status"] == "partial"
    assert response["accepted"] == [TO]
    (other,) = response["refused"]
    assert not other["address"].isascii()
    assert other["reply"]


@report(
    source="ruby/net-smtp#61",
    symptom="The only recipient has a letter that is not ASCII; the error says nothing of it.",
    ours="It is refused by name, and nothing waits for ever.",
    held_at_first=True,
)
async def test_an_only_recipient_that_cannot_be_taken_is_an_error(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    error = await refused(hass, to="pelé@example.test")

    assert "pelé@example.test" in str(error)
    assert waiting(hass) == 0


@report(
    source="kisli/vmime#186",
    symptom="SMTPUTF8 is sent whenever it is offered, and the next server bounces the mail.",
    ours="Only where an address needs it.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    ("address", "needed"), [(TO, False), ("pelé@example.test", True), ("a@bücher.test", False)]
)
async def test_smtputf8_is_asked_for_only_where_it_is_needed(
    hass: HomeAssistant, bed: Bed, address: str, needed: bool
) -> None:
    server = await bed.serve(HEALTHY.but(smtputf8=True))
    await account_at(hass, server)

    await send(hass, to=address, title="Grüße", message="Grüße")

    assert ("SMTPUTF8" in only_mail(server).parameters) is needed


@report(
    source="aio-libs/aiosmtpd#257",
    symptom="A local part of more than 64 octets, as lists and relays make them, is refused.",
    ours="Sent; the server decides (RFC 5321, 4.5.3.1).",
    held_at_first=False,
)
@pytest.mark.parametrize("octets", [64, 65, 76, 128, 200])
async def test_a_long_local_part_is_sent(hass: HomeAssistant, bed: Bed, octets: int) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    address = f"{'x' * octets}@example.test"

    await send(hass, to=address)

    assert only_mail(server).recipients == (address,)


@report(
    source="PHPMailer/PHPMailer#418",
    symptom="try..this..0511@docomo.ne.jp is refused although it has a mailbox.",
    ours="A local part that is no dot-atom is quoted, and sent.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("taro..yamada@docomo.example", '"taro..yamada"@docomo.example'),
        ("try..this..0511@docomo.example", '"try..this..0511"@docomo.example'),
        ("xxx.yyy.@docomo.example", '"xxx.yyy."@docomo.example'),
        (".hanako@docomo.example", '".hanako"@docomo.example'),
        ("Taro <taro..yamada@docomo.example>", '"taro..yamada"@docomo.example'),
        ('"john..doe"@example.test', '"john..doe"@example.test'),
        ('"o\'brien"@example.test', "o'brien@example.test"),
        ("o'brien+ha@example.test", "o'brien+ha@example.test"),
    ],
)
async def test_dots_in_unusual_places_are_quoted(
    hass: HomeAssistant, bed: Bed, typed: str, sent: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, to=typed)

    mail = only_mail(server)
    assert mail.recipients == (sent,)
    assert sent in mail.content.decode()


@report(
    source="mikel/mail#1173",
    symptom="Invisible characters and line ends from copying make an address invalid.",
    ours="They are taken away; a line break is a separator.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "typed",
    [
        "anna@example.test\n",
        "\nanna@example.test",
        "anna@example.test\r\n",
        "  anna@example.test\t",
        "\u200banna@example.test",
        "\ufeffanna@example.test",
        "\u202aanna@example.test\u202c",
        "anna@example.test\u00a0",
        "Anna <anna@example.test>\n",
    ],
)
async def test_an_address_is_cleaned(hass: HomeAssistant, bed: Bed, typed: str) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, to=typed)

    assert only_mail(server).recipients == ("anna@example.test",)


@report(
    source="verbb/formie#1739",
    symptom="A list with a trailing separator or blank: 553 Recipient domain not specified.",
    ours="Commas, semicolons and line ends separate; empty entries are passed over.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "typed",
    [
        "anna@example.test, bea@example.test, ",
        "anna@example.test; bea@example.test",
        "anna@example.test\nbea@example.test\n",
        "anna@example.test,\n  bea@example.test",
        ["anna@example.test\n", "bea@example.test"],
        "anna@example.test\r\nbea@example.test",
        "Anna <anna@example.test>\nBea <bea@example.test>",
    ],
)
async def test_lists_are_taken_in_all_forms(
    hass: HomeAssistant, bed: Bed, typed: str | list[str]
) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)

    await send(hass, to=typed)
    await classic(hass, entry, target=typed)

    for mail in server.record.mails:
        assert mail.recipients == ("anna@example.test", "bea@example.test")
    assert len(server.record.mails) == 2


@report(
    source="SparkPost/node-sparkpost#246",
    symptom="An address with a blank behind it is stored, and every mail to it fails later.",
    ours="The dialog of a recipient cleans what is typed.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "typed", [["bea@example.test "], ["bea@example.test\n"], ["\u200bbea@example.test"]]
)
async def test_a_recipient_is_stored_clean(hass: HomeAssistant, bed: Bed, typed: list[str]) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)

    entity_id, errors = await recipient(hass, entry, "Bea", typed)

    assert not errors
    await send(hass, entity_id=entity_id)
    assert only_mail(server).recipients == (TO,)


@report(
    source="egulias/EmailValidator#372",
    symptom="Control characters in an address reach the server: 501, or worse.",
    ours="invalid_recipient before the network is touched, quoting the address.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "typed",
    [
        "an\0na@example.test",
        "anna@exa\x07mple.test",
        "anna",
        "anna@",
        "@example.test",
        "anna@example..test",
        "anna bea@example.test",
        "anna@@example.test",
        "Anna <anna@example.test",
    ],
)
async def test_no_address_is_told_before_anything_is_sent(
    hass: HomeAssistant, bed: Bed, typed: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    before = server.record.connections

    error = await refused(hass, to=[TO, typed])

    assert isinstance(error, ServiceValidationError)
    assert kind_of(error) == "invalid_recipient"
    assert server.record.connections == before


@report(
    source="PHPMailer/PHPMailer#3063",
    symptom="A line break in an address becomes commands of the server.",
    ours="What looks like an injection is no address at all.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "typed",
    [
        "anna@example.test>\r\nRCPT TO:<evil@example.test",
        "anna@example.test\r\nDATA",
        "x <anna@example.test>\r\nBcc: evil@example.test",
    ],
)
async def test_an_address_injects_no_command(hass: HomeAssistant, bed: Bed, typed: str) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await refused(hass, to=typed)

    assert not server.record.mails


@report(
    source="jstedfast/MailKit#309",
    symptom="One RCPT is refused, and the whole mail is given up.",
    ours="The others get the mail; the refused one is named with the server's reply.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.1 <nobody@example.test>: User unknown",
        "501 5.1.3 Bad recipient address syntax",
        "553 5.1.3 The recipient address <x> is not a valid RFC-5321 address",
        "554 5.7.1 Relay access denied",
    ],
)
async def test_a_refused_recipient_stops_nobody_else(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    server = await bed.serve()
    no = {"nobody@example.test": reply}
    await account_at(hass, server, HEALTHY.but(recipient_replies=no))

    response = await send(hass, to=["nobody@example.test", TO])

    assert response["status"] == "partial"
    assert only_mail(server).recipients == (TO,)
    assert response["refused"] == [{"address": "nobody@example.test", "reply": reply}]


@report(
    source="axllent/mailpit#205",
    symptom="452 4.5.3 Too many recipients: the sending operation fails.",
    ours="Those who were taken get the mail at once, the others with a later one.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply", ["452 4.5.3 Too many recipients", "552 5.5.3 Maximum limit of 2 recipients reached"]
)
async def test_too_many_recipients_are_taken_in_turns(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    server = await bed.serve()
    everyone = [f"r{number}@example.test" for number in range(5)]
    too_many = dict.fromkeys(everyone[2:], reply)
    await account_at(hass, server, HEALTHY.but(recipient_replies=too_many))

    await send(hass, to=everyone)
    server.script = HEALTHY
    await pass_time(hass, hours=1)

    got = [address for mail in server.record.mails for address in mail.recipients]
    assert sorted(got) == everyone
    assert waiting(hass) == 0
    assert len({read(mail.content)["Message-ID"] for mail in server.record.mails}) == 1

"""More recipients than a server takes for one mail: the rest goes at once, in a further one."""

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import account_at, last_failure, pass_time, send, waiting
from tests.reports.reports import report
from tests.reports.servers import HEALTHY, Bed

GMAIL = (
    "452-4.5.3 Your message has too many recipients. For more information regarding\n"
    "452-4.5.3 Google's sending limits, go to\n"
    "452 4.5.3 https://support.google.com/mail/answer/22839 - gsmtp"
)
REGIONS = "452 4.5.3 Recipients belong to multiple regions ATTR38 [AM7EUR06FT068.eop-eur06]"


async def _everybody_gets_it(
    hass: HomeAssistant, bed: Bed, people: int, limit: int, words: str
) -> list[int]:
    """Send to so many people, and return how many each mail went to; nobody may have to wait."""
    server = await bed.serve()
    await account_at(hass, server, HEALTHY.but(recipients_per_mail=limit, too_many=words))
    addresses = [f"guest{number}@example.test" for number in range(people)]

    response = await send(hass, to=addresses)

    assert response["status"] == "sent"
    assert waiting(hass) == 0
    assert last_failure(hass) == "none"
    reached = [address for mail in server.record.mails for address in mail.recipients]
    assert reached == addresses
    assert len({mail.content for mail in server.record.mails}) == 1
    return [len(mail.recipients) for mail in server.record.mails]


async def _the_rest_waits(
    hass: HomeAssistant, bed: Bed, words: str, failure: str, minutes: float
) -> None:
    """See that those beyond the limit are not asked for at once, and get the mail later."""
    server = await bed.serve()
    await account_at(hass, server, HEALTHY.but(recipients_per_mail=5, too_many=words))
    before = len(server.record.commands("MAIL"))

    response = await send(hass, to=[f"guest{number}@example.test" for number in range(8)])

    assert response["status"] == "partial"
    assert waiting(hass) == 1
    assert last_failure(hass) == failure
    assert len(server.record.commands("MAIL")) == before + 1
    server.script = HEALTHY
    await pass_time(hass, minutes=minutes)
    assert waiting(hass) == 0
    assert [len(mail.recipients) for mail in server.record.mails] == [5, 3]


@report(
    source="jakartaee/mail-api#20",
    symptom="452 #4.5.3 Too many recipients. with 82 of them: an exception, and nobody gets it.",
    ours="The rest is asked for at once in further transactions; everybody gets one copy.",
    held_at_first=False,
)
async def test_a_limit_below_a_hundred(hass: HomeAssistant, bed: Bed) -> None:
    words = "452 #4.5.3 Too many recipients."
    assert await _everybody_gets_it(hass, bed, 82, 50, words) == [50, 32]


@report(
    source="gogs/gogs#2231",
    symptom="Servers such as Postfix (smtpd_recipient_limit) reject mail to more people than that.",
    ours="A thousand people get it in ten transactions, one after the other and at once.",
    held_at_first=False,
)
async def test_a_thousand_people_at_a_server_that_takes_a_hundred(
    hass: HomeAssistant, bed: Bed
) -> None:
    words = "452 4.5.3 Too many recipients"
    assert await _everybody_gets_it(hass, bed, 1000, 100, words) == [100] * 10


@report(
    source="emersion/go-smtp#195",
    symptom="552 5.5.3 Maximum limit of 50 recipients reached: 5xx, so taken for a refusal.",
    ours="To RCPT 552 x.5.3 is the old form of 452 (RFC 5321, 4.5.3.1.10): the rest goes at once.",
    held_at_first=False,
)
async def test_the_old_code_for_too_many(hass: HomeAssistant, bed: Bed) -> None:
    words = "552 5.5.3 Maximum limit of 50 recipients reached"
    assert await _everybody_gets_it(hass, bed, 120, 50, words) == [50, 50, 20]


@report(
    source="foxcpp/maddy#149",
    symptom="Nobody can rely on more than 100 recipients a mail, and 552 needs a case of its own.",
    ours="Both codes count without an enhanced code or known words, too.",
    held_at_first=False,
)
@pytest.mark.parametrize("words", ["452 Requested action not taken", "552 Too many recipients"])
async def test_bare_codes(hass: HomeAssistant, bed: Bed, words: str) -> None:
    assert await _everybody_gets_it(hass, bed, 101, 100, words) == [100, 1]


@report(
    source="dcposch/scramble#88",
    symptom="451 4.3.0 Multiple destination domains per transaction is unsupported.",
    ours="Words about one transaction count as well: the others go in another one at once.",
    held_at_first=False,
)
async def test_one_domain_per_transaction(hass: HomeAssistant, bed: Bed) -> None:
    words = "451 4.3.0 Multiple destination domains per transaction is unsupported."
    assert await _everybody_gets_it(hass, bed, 3, 1, words) == [1, 1, 1]


@report(
    source="reacherhq/check-if-email-exists#1334",
    symptom="Hotmail: 452 4.5.3 Recipients belong to multiple regions ATTR38; no mail goes out.",
    ours="x.5.3 is enough: who lives elsewhere is asked for at once in another transaction.",
    held_at_first=False,
)
async def test_recipients_of_several_regions(hass: HomeAssistant, bed: Bed) -> None:
    assert await _everybody_gets_it(hass, bed, 4, 2, REGIONS) == [2, 2]


@report(
    source="OpenSMTPD/OpenSMTPD#918",
    symptom="Too many recipients with seven people in Cc.",
    ours="However small the limit is, everybody gets the mail at once.",
    held_at_first=False,
)
async def test_seven_people(hass: HomeAssistant, bed: Bed) -> None:
    words = "451 4.5.3 Too many recipients"
    assert await _everybody_gets_it(hass, bed, 7, 5, words) == [5, 2]


@report(
    source="neomutt/neomutt#4319",
    symptom="A provider takes ten recipients a mail; the rest must be sent by hand.",
    ours="The limit is found out at the first transaction, and kept to in those that follow.",
    held_at_first=False,
)
async def test_ten_a_mail(hass: HomeAssistant, bed: Bed) -> None:
    words = "452 4.5.3 Error: too many recipients"
    assert await _everybody_gets_it(hass, bed, 35, 10, words) == [10, 10, 10, 5]


@report(
    source="woowacourse-teams/2025-ah-madda#741",
    symptom="Gmail: 452-4.5.3 Your message has too many recipients; the announcement fails.",
    ours="Gmail's answer in three lines is understood, and the rest goes at once.",
    held_at_first=False,
)
async def test_gmails_answer(hass: HomeAssistant, bed: Bed) -> None:
    assert await _everybody_gets_it(hass, bed, 253, 100, GMAIL) == [100, 100, 53]


@report(
    source="knadh/listmonk#1300",
    symptom="450 Too many recipient attempts: a limit of speed, answered by trying again at once.",
    ours="Not a full transaction: the rest is not asked for at once, but waits and then arrives.",
    held_at_first=True,
)
async def test_a_limit_of_speed_is_not_run_against(hass: HomeAssistant, bed: Bed) -> None:
    await _the_rest_waits(hass, bed, "450 Too many recipient attempts", "deferred", 2)


@report(
    source="PHPMailer/PHPMailer#298",
    symptom="A daily limit is reached in the middle of the recipients; who failed is hard to know.",
    ours="The rest is kept under its own failure, a quota, tried hourly and then delivered.",
    held_at_first=True,
)
async def test_a_daily_limit_in_the_middle(hass: HomeAssistant, bed: Bed) -> None:
    words = "452 4.5.3 You have exceeded your limit of 20000 recipients per day"
    await _the_rest_waits(hass, bed, words, "quota_exceeded", 61)

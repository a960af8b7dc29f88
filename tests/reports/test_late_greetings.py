"""Servers that greet late, or not at all, while an account is being made."""

import time

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import dialog_at, refusing, set_up, typed_for
from tests.reports.reports import report
from tests.reports.servers import HEALTHY, HEALTHY_TLS, Bed, GreetDelay, Script, Step, late, stall

TO = "bea@example.test"


@report(
    source="EFForg/starttls-everywhere#69",
    symptom="A greet delay of seconds: the tool speaks first, and the server turns it away.",
    ours="Nothing is said to a server that has not greeted, on the connection that is used.",
    held_at_first=False,
)
@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1.5, 5.0])
async def test_a_late_greeting_is_waited_for_when_the_encryption_is_to_be_found(
    hass: HomeAssistant, bed: Bed, seconds: float
) -> None:
    script = HEALTHY.but(answers={Step.GREETING: late(seconds)})

    assert (await dialog_at(hass, bed, script, encryption="auto")).outcome == "ok"


@report(
    source="nodemailer/smtp-server#46",
    symptom="421 You talk too soon: a client that spoke before the greeting is turned away.",
    ours="Who speaks first is found out on a connection of its own; the others wait.",
    held_at_first=False,
)
@pytest.mark.slow
@pytest.mark.parametrize("encryption", ["auto", "starttls"])
async def test_a_server_that_punishes_early_talkers_gets_an_account(
    hass: HomeAssistant, bed: Bed, encryption: str
) -> None:
    async with GreetDelay(bed, 2.5) as server:
        dialog = await set_up(hass, **typed_for(server, encryption=encryption))

        assert dialog.outcome == "ok", dialog.said
        assert server.turned_away <= 1


@report(
    source="mailcow/mailcow-dockerized#576",
    symptom="Greetings after 10 s and more are legitimate, and count as no mail server.",
    ours="The dialog waits 13 s for a greeting, and answers within 15 s of one that is late.",
    held_at_first=False,
)
@pytest.mark.slow
@pytest.mark.parametrize("encryption", ["starttls", "auto"])
async def test_a_greeting_after_eleven_seconds_is_still_one(
    hass: HomeAssistant, bed: Bed, encryption: str
) -> None:
    script = HEALTHY.but(answers={Step.GREETING: late(11)})

    assert (await dialog_at(hass, bed, script, encryption=encryption)).outcome == "ok"


@report(
    source="emersion/go-smtp#175",
    symptom="A server that never greets holds its client for five minutes.",
    ours="The dialog says no_greeting within 15 s.",
    held_at_first=True,
)
@pytest.mark.slow
@pytest.mark.parametrize("encryption", ["starttls", "auto", "tls"])
async def test_silence_is_told_in_time(hass: HomeAssistant, bed: Bed, encryption: str) -> None:
    begun = time.monotonic()
    script: Script = HEALTHY.but(answers={Step.GREETING: stall()})
    if encryption == "tls":
        script = HEALTHY_TLS.but(answers={Step.TLS: stall()})

    dialog = await dialog_at(hass, bed, script, encryption=encryption)

    assert dialog.outcome in {"no_greeting", "server_too_slow"}
    assert time.monotonic() - begun < 15.5


@report(
    source="nextcloud/mail#11922",
    symptom="A slow server needs a longer time limit, which only an account can be given.",
    ours="The form with the error has a field for the time limit.",
    held_at_first=False,
)
async def test_the_time_limit_can_be_raised_before_there_is_an_account(
    hass: HomeAssistant, bed: Bed
) -> None:
    dialog = await dialog_at(hass, bed, refusing(Step.GREETING, "421 4.3.2 Overloaded"))

    assert [name for name in dialog.fields if "timeout" in name]

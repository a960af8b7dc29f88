"""The history by recipient, mail that cannot be sent again, and what no disk takes."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest

from custom_components.email_courier.mail.outbox.courier import Courier
from tests.reports.driver import DOMAIN, account_at, notify, pass_time, recipient, refused, send
from tests.reports.servers import HEALTHY, Bed, Script, Step
from tests.support.script import say

BEA, CARL = "bea@example.test", "carl@example.test"


async def recent(hass: HomeAssistant, **fields: Any) -> list[dict[str, Any]]:
    response = await hass.services.async_call(
        DOMAIN, "list_recent", fields, blocking=True, return_response=True
    )
    assert isinstance(response, dict)
    mails: Any = response["mails"]
    return list(mails)


@pytest.fixture
async def entry(hass: HomeAssistant, bed: Bed) -> ConfigEntry:
    """Have an account with one mail to a recipient and one to somebody else."""
    entry = await account_at(hass, await bed.serve())
    entity_id, _ = await recipient(hass, entry, "Family", [BEA])
    await notify(hass, entity_id)
    await send(hass, to=CARL)
    return entry


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("named", ["notify.family", "Family", " family ", BEA, BEA.upper()])
async def test_a_recipient_is_named_by_entity_name_or_address(
    hass: HomeAssistant, named: str
) -> None:
    [mail] = await recent(hass, recipient=named)
    assert mail["recipients"] == [BEA]


@pytest.mark.usefixtures("entry")
async def test_a_recipient_that_is_not_there_is_an_error(hass: HomeAssistant) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await recent(hass, recipient="Neighbours")
    assert caught.value.translation_key == "recipient_not_found"


async def test_without_an_account_that_is_loaded_nothing_can_be_listed(
    hass: HomeAssistant, entry: ConfigEntry
) -> None:
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await recent(hass)
    assert caught.value.translation_key == "no_account_loaded"


async def test_mail_that_is_refused_once_more_is_the_error_of_sending_again(
    hass: HomeAssistant, bed: Bed
) -> None:
    script = Script(recipient_replies={CARL: "550 5.1.1 No such user here"})
    await account_at(hass, await bed.serve(), script)
    await refused(hass, to=CARL)
    [mail] = await recent(hass)
    with pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call(
            DOMAIN, "send_again", {"message_id": mail["message_id"]}, blocking=True
        )
    assert caught.value.translation_key == "recipient_rejected"


async def fail(*_: object, **__: object) -> None:
    raise OSError(30, "Read-only file system")


@pytest.mark.usefixtures("entry")
async def test_a_pause_that_no_disk_takes_is_an_error(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Courier, "suspend", fail)
    (pause,) = hass.states.async_entity_ids("switch")
    with pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call("switch", "turn_on", {"entity_id": pause}, blocking=True)
    assert caught.value.translation_key == "pause_not_saved"
    assert "can only be read" in str(caught.value)
    assert "Errno" not in str(caught.value)


async def test_mail_of_which_nobody_can_read_how_long_it_waits_is_no_error(
    hass: HomeAssistant, bed: Bed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setattr(Courier, "overdue", fail)
    greylisted = HEALTHY.but(answers={Step.MAIL: say("451 4.3.0 Try again later")})
    await account_at(hass, await bed.serve(), greylisted)
    assert (await send(hass, to=BEA))["status"] == "queued"
    await pass_time(hass, hours=1)
    assert "It cannot be read for how long mail has waited" in caplog.text

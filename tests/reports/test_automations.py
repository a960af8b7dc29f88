"""Automations reach whom they name, with the picture, once, and at the time that was asked for."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    label_registry as lr,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from tests.reports.driver import (
    DOMAIN,
    account_at,
    attached,
    classic,
    notify,
    only_mail,
    options,
    parts_of,
    pass_time,
    recipient,
    run_step,
    send,
    subject_of,
    text_of,
)
from tests.reports.reports import report
from tests.reports.servers import JPEG, PNG, Bed, StillCamera, add_entities

BEA = "bea@example.test"


@pytest.fixture
def runs(hass: HomeAssistant) -> list[ServiceCall]:
    """What automations have done."""
    return async_mock_service(hass, "test", "run")


async def automate(hass: HomeAssistant, **trigger: Any) -> None:
    """Have an automation wait for a trigger."""
    automation = {
        "alias": "test",
        "mode": "parallel",
        "triggers": [trigger],
        "actions": [{"action": "test.run", "data": {"subject": "{{ trigger.subject }}"}}],
    }
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    await hass.async_block_till_done()
    state = hass.states.get("automation.test")
    assert state is not None
    assert state.state == "on"


async def reload_automations(hass: HomeAssistant) -> None:
    """Switch the automation off and on again, as saving another one in the editor may do."""
    for action in ("turn_off", "turn_on"):
        await hass.services.async_call(
            "automation", action, {"entity_id": "automation.test"}, blocking=True
        )
    await hass.async_block_till_done()


async def reload_account(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Load the account anew, which makes its entities unavailable for a moment."""
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()


async def let_pass(hass: HomeAssistant, freezer: FrozenDateTimeFactory, minutes: float) -> None:
    """Let time pass, also by the clock."""
    freezer.tick(60 * minutes)
    await pass_time(hass, seconds=0)


@report(
    source="home-assistant/core#145941",
    symptom="After a restart of an integration its last event fires automations again.",
    ours="A reload tells nothing of the past again.",
    held_at_first=True,
)
async def test_a_reload_repeats_no_event(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall]
) -> None:
    entry = await account_at(hass, await bed.serve())
    await automate(hass, trigger=f"{DOMAIN}.delivered")
    await send(hass, to=BEA, title="Once")

    for _ in range(2):
        await reload_account(hass, entry)

    assert [run.data["subject"] for run in runs] == ["Once"]


@report(
    source="home-assistant/core#56642",
    symptom="After a reload, a trigger with `for` never fires for what was so before.",
    ours="The time of mail that waits counts from when it was sent, across the reload.",
    held_at_first=True,
)
async def test_time_goes_on_across_a_reload_of_the_automation(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall], freezer: FrozenDateTimeFactory
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    await automate(hass, trigger=f"{DOMAIN}.waiting", options={"for": "00:30:00"})
    await server.stop()
    await send(hass, to=BEA, title="Smoke")

    await let_pass(hass, freezer, 20)
    await reload_automations(hass)
    await let_pass(hass, freezer, 9)
    assert not runs
    await let_pass(hass, freezer, 2)

    assert [run.data["subject"] for run in runs] == ["Smoke"]


@report(
    source="home-assistant/core#175756",
    symptom="When the entities are unavailable for a moment, a trigger with `for` never fires.",
    ours="A reload of the account changes nothing for mail that waits.",
    held_at_first=True,
)
async def test_time_goes_on_across_a_reload_of_the_account(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall], freezer: FrozenDateTimeFactory
) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    await automate(hass, trigger=f"{DOMAIN}.waiting", options={"for": "00:30:00"})
    await server.stop()
    await send(hass, to=BEA, title="Smoke")

    await let_pass(hass, freezer, 20)
    await reload_account(hass, entry)
    await let_pass(hass, freezer, 11)

    assert [run.data["subject"] for run in runs] == ["Smoke"]


@report(
    source="rhizomatics/supernotify#9",
    symptom="Areas, floors and labels are offered and accepted as targets, and nobody gets a mail.",
    ours="Whoever is in them gets it.",
    held_at_first=True,
)
@pytest.mark.parametrize("kind", ["area_id", "floor_id", "label_id", "device_id"])
async def test_every_kind_of_target_reaches_its_recipients(
    hass: HomeAssistant, bed: Bed, kind: str
) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    entity_id, _ = await recipient(hass, entry, "Bea", [BEA])
    await recipient(hass, entry, "Carl", ["carl@example.test"])
    entity = er.async_get(hass).async_get(entity_id)
    assert entity is not None
    assert entity.device_id is not None
    floor = fr.async_get(hass).async_create("Upstairs")
    area = ar.async_get(hass).async_create("Study", floor_id=floor.floor_id)
    label = lr.async_get(hass).async_create("Alarm")
    dr.async_get(hass).async_update_device(
        entity.device_id, area_id=area.id, labels={label.label_id}
    )
    named = {
        "area_id": area.id,
        "floor_id": floor.floor_id,
        "label_id": label.label_id,
        "device_id": entity.device_id,
    }

    step = {"action": f"{DOMAIN}.send_message", "data": {"message": "x"}}
    await run_step(hass, step | {"target": {kind: named[kind]}})

    assert only_mail(server).recipients == (BEA,)


@report(
    source="rhizomatics/supernotify#195",
    symptom="Who is named by a notify entity gets title and message alone; all else is lost.",
    ours="The action takes the entity as its target, and everything that a mail can have.",
    held_at_first=True,
)
async def test_a_notify_entity_as_target_loses_nothing(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    entity_id, _ = await recipient(hass, entry, "Bea", [BEA])
    await add_entities(hass, "camera", StillCamera("Door"))

    step = {
        "action": f"{DOMAIN}.send_message",
        "target": {"entity_id": entity_id},
        "data": {"markdown": "*x*", "camera": "camera.door", "priority": "high"},
    }
    await run_step(hass, step)

    mail = only_mail(server)
    assert "<em>x</em>" in text_of(mail, "html")
    assert len(attached(mail)) == 1
    assert parts_of(mail)[0]["X-Priority"] == "2 (High)"


@report(
    source="home-assistant/frontend#51642",
    symptom="An older automation with `entity_id` in its data has no target in the new editor.",
    ours="`entity_id` in the data and as the target are the same.",
    held_at_first=True,
)
@pytest.mark.parametrize("place", ["data", "target"])
async def test_the_entity_may_stand_in_the_data_or_the_target(
    hass: HomeAssistant, bed: Bed, place: str
) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    entity_id, _ = await recipient(hass, entry, "Bea", [BEA])

    step: dict[str, Any] = {"action": f"{DOMAIN}.send_message", "data": {"message": "x"}}
    step.setdefault(place, {})["entity_id"] = entity_id
    await run_step(hass, step)

    assert only_mail(server).recipients == (BEA,)


@report(
    source="home-assistant/core#13874",
    symptom="A snapshot stops the mail: Could not guess image MIME subtype.",
    ours="A picture is sent as what it is, or as a file where nobody knows; the mail goes out.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    ("picture", "kind"),
    [(JPEG, "image/jpeg"), (PNG, "image/png"), (b"\x00\x01 nothing known", None)],
)
async def test_a_cameras_picture_needs_no_known_type(
    hass: HomeAssistant, bed: Bed, picture: bytes, kind: str | None
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    await add_entities(hass, "camera", StillCamera("Door", picture))

    await send(hass, to=BEA, message="Burglar!", camera="camera.door")

    mail = only_mail(server)
    assert "Burglar!" in text_of(mail)
    (part,) = attached(mail)
    assert part.get_payload(decode=True) == picture
    assert kind is None or part.get_content_type() == kind


@report(
    source="SgtBatten/HA_blueprints#105",
    symptom="Text comes through a notify group, and the camera's picture does not.",
    ours="The classic action takes `camera` in its data, and shows the picture.",
    held_at_first=True,
)
async def test_the_classic_action_shows_a_cameras_picture(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    await add_entities(hass, "camera", StillCamera("Door"))

    await classic(
        hass, entry, target=BEA, data={"camera": "camera.door", "tag": "person", "color": "red"}
    )

    mail = only_mail(server)
    assert "cid:camera.door" in text_of(mail, "html")
    assert len(attached(mail)) == 1


@report(
    source="evercam/evercam-server#1256",
    symptom="Pictures of several cameras come in one mail, and nobody can tell them apart.",
    ours="Each has the name of its camera below it.",
    held_at_first=True,
)
async def test_each_picture_has_its_cameras_name(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    await add_entities(hass, "camera", StillCamera("Front door"), StillCamera("Garden"))

    await send(hass, to=BEA, camera=["camera.garden", "camera.front_door"])

    page = text_of(only_mail(server), "html")
    order = ["cid:camera.garden", "Garden</", "cid:camera.front_door", "Front door</"]
    assert sorted(order, key=page.index) == order


@report(
    source="lyc8503/UptimeFlare#196",
    symptom="All mails without a title look the same in the inbox: a fixed subject, or none.",
    ours="The first line of the text is the subject of new accounts; an option has it otherwise.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    ("choice", "subject"),
    [("first_line", "The door is open"), ("home_assistant", "Home Assistant")],
)
async def test_a_mail_without_a_title_says_what_it_is_about(
    hass: HomeAssistant, bed: Bed, choice: str, subject: str
) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    entity_id, _ = await recipient(hass, entry, "Bea", [BEA])
    if choice != "first_line":
        await options(hass, entry, default_subject=choice)

    await notify(hass, entity_id, message="The door is open\nsince ten minutes")

    assert subject_of(only_mail(server)) == subject

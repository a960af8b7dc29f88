"""The data of actions as notify groups, alerts, templates and old automations give it."""

import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest
import voluptuous as vol

from tests.reports.driver import (
    DOMAIN,
    account_at,
    classic,
    only_mail,
    recipient,
    run_step,
    send,
    slug_of,
    subject_of,
    text_of,
)
from tests.reports.reports import report
from tests.reports.servers import Bed

TO = "bea@example.test"

MEANT_FOR_OTHERS: list[dict[str, Any]] = [
    {"priority": 1},
    {"priority": "max"},
    {"priority": 10},
    {"entity_id": ""},
    {"entity_id": "light.kitchen"},
    {"entity_id": "media_player.hall"},
    {"attachments": "/local/x.jpg"},
    {"attachments": ["https://example.test/a.jpg"]},
    {"attachments": {"url": "https://example.test/a.jpg", "content-type": "jpeg"}},
    {"attachment": {"url": "/api/camera_proxy/camera.door"}},
    {"actions": [{"action": "x", "title": "Silence"}]},
    {"image": "/media/local/side.jpg", "tag": "side_camera", "group": "hassio"},
    {"push": {"sound": {"name": "default", "critical": 1, "volume": 1.0}}},
    {"ttl": 0, "channel": "Alert", "color": "#03A9F4", "sticky": True},
    {"html": None},
    {"images": None},
    {"images": {"a": 1}},
    {"headers": "X-A: 1"},
    {"headers": ["X-A"]},
    {"thread": {"id": 1}},
    {"thread": 7},
    {"queue": "perhaps"},
    {"expires_after": "soon"},
    {"button": "Open"},
    {"reply_to": {"a": 1}},
    {"area_id": "kitchen"},
    {"device_id": "none"},
    {"url": "/lovelace", "timeout": 30, "parse_mode": "html"},
]


@report(
    source="home-assistant/core#59813",
    symptom="A group hands data for telephones to a mail notifier: expected ..., nothing goes.",
    ours="What does not fit is passed over with one warning in the log; the mail goes.",
    held_at_first=False,
)
@pytest.mark.parametrize("data", MEANT_FOR_OTHERS, ids=repr)
async def test_what_is_meant_for_others_is_passed_over(
    hass: HomeAssistant, bed: Bed, caplog: pytest.LogCaptureFixture, data: dict[str, Any]
) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    caplog.clear()

    await classic(hass, entry, target=TO, title="Alarm", data=data)

    assert only_mail(server).recipients == (TO,)
    assert subject_of(only_mail(server)) == "Alarm"
    warnings = [
        record
        for record in caplog.records
        if record.levelno >= logging.WARNING and DOMAIN in record.name
    ]
    assert len(warnings) <= 1


@report(
    source="home-assistant/core#59813",
    symptom="Data that is silently dropped is never missed.",
    ours="The one warning names the field that did not fit.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "data",
    [
        {"priority": 1},
        {"attachments": "/local/x.jpg"},
        {"priority": 1, "attachments": "/local/x.jpg", "headers": []},
    ],
    ids=repr,
)
async def test_the_warning_names_what_was_passed_over(
    hass: HomeAssistant, bed: Bed, caplog: pytest.LogCaptureFixture, data: dict[str, Any]
) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    caplog.clear()

    await classic(hass, entry, target=TO, data=data)

    (warning,) = [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.WARNING and DOMAIN in record.name
    ]
    assert all(name in warning for name in data)


@report(
    source="home-assistant/core#134502",
    symptom="A group of mail and telephones: what is good for one breaks the other.",
    ours="The fields that fit a mail are used, those beside them that do not are passed over.",
    held_at_first=False,
)
async def test_what_fits_is_used_beside_what_does_not(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)

    await classic(
        hass,
        entry,
        target=TO,
        data={
            "priority": 1,
            "ttl": 0,
            "html": "<p>Rich</p>",
            "bcc": "carl@example.test",
            "attachments": "/local/x.jpg",
        },
    )

    mail = only_mail(server)
    assert mail.recipients == (TO, "carl@example.test")
    assert "Rich" in text_of(mail, "html")


@report(
    source="home-assistant/core#180497",
    symptom="An alert whose notifier is a group fails: Failed to call notify.X.",
    ours="Alerts, groups and their data of both kinds reach the mail.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "data", [None, {"priority": "high", "ttl": 0}, {"priority": 1, "tag": "x"}]
)
async def test_an_alert_reaches_a_group(
    hass: HomeAssistant, bed: Bed, data: dict[str, Any] | None
) -> None:
    group = {
        "platform": "group",
        "name": "everybody",
        "services": [{"action": "anna_example_test"}],
    }
    assert await async_setup_component(hass, "notify", {"notify": [group]})
    server = await bed.serve()
    entry = await account_at(hass, server)
    await recipient(hass, entry, "Bea", [TO])
    assert slug_of(entry) == "anna_example_test"
    alert: dict[str, Any] = {
        "name": "Garage is open",
        "entity_id": "binary_sensor.garage",
        "state": "on",
        "repeat": 30,
        "title": "Garage",
        "message": "Open",
        "notifiers": ["everybody"],
    }
    if data is not None:
        alert["data"] = data
    assert await async_setup_component(hass, "alert", {"alert": {"garage": alert}})

    hass.states.async_set("binary_sensor.garage", "on")
    await hass.async_block_till_done()

    hass.states.async_set("binary_sensor.garage", "off")
    await hass.async_block_till_done()
    assert subject_of(only_mail(server)) == "Garage"


@report(
    source="home-assistant/core#2093",
    symptom="A template gives a list of recipients, and its text is taken for an address.",
    ours="Lists, texts with separators and a single address are all understood.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "template",
    [
        "{{ ['bea@example.test', 'carl@example.test'] }}",
        "{{ 'bea@example.test, carl@example.test' }}",
        "{{ 'bea@example.test;carl@example.test' }}",
        ["{{ 'bea@example.test' }}", "carl@example.test"],
        "{{ ['bea@example.test', 'carl@example.test'] | join(',') }}",
    ],
)
@pytest.mark.parametrize("action", ["classic", "send_message"])
async def test_templates_give_recipients_in_many_shapes(
    hass: HomeAssistant, bed: Bed, template: str | list[str], action: str
) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    is_classic = action == "classic"
    step = {
        "action": f"notify.{slug_of(entry)}" if is_classic else f"{DOMAIN}.send_message",
        "data": {"target" if is_classic else "to": template, "message": "Hello"},
    }

    await run_step(hass, step)

    assert set(only_mail(server).recipients) == {TO, "carl@example.test"}


@report(
    source="home-assistant/core#55905",
    symptom="A message that a template makes into JSON or a number is refused as no text.",
    ours="Whatever a template gives becomes text.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "value",
    [
        42,
        21.5,
        0,
        "{{ 42 }}",
        "{{ 1 == 1 }}",
        "{{ now() }}",
        '{"key": "{{ 1 }}"}',
        "{{ ['a', 'b'] }}",
        "{{ {'a': 1} }}",
    ],
    ids=repr,
)
async def test_numbers_become_text(hass: HomeAssistant, bed: Bed, value: Any) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    actions = {f"notify.{slug_of(entry)}": "target", f"{DOMAIN}.send_message": "to"}
    for action, target in actions.items():
        step = {"action": action, "data": {target: TO, "title": value, "message": value}}
        await run_step(hass, step)

    assert len(server.record.mails) == 2
    for mail in server.record.mails:
        assert subject_of(mail)
        assert text_of(mail).strip()


@report(
    source="home-assistant/core#83152",
    symptom="An empty message, or an empty list where recipients stand, is an error or a riddle.",
    ours="An empty message is sent; an empty title is the usual one; an empty target is none.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "fields", [{"message": ""}, {"title": ""}, {"target": []}, {"data": {}}], ids=repr
)
async def test_empty_values_are_as_good_as_none(
    hass: HomeAssistant, bed: Bed, fields: dict[str, Any]
) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    await recipient(hass, entry, "Bea", [TO])

    await classic(hass, entry, **fields)

    assert only_mail(server).recipients == (TO,)
    assert subject_of(only_mail(server)) == "Home Assistant"


@report(
    source="home-assistant/core#44210",
    symptom="`data:` with nothing behind it: 'NoneType' object has no attribute 'update'.",
    ours="No data at all.",
    held_at_first=False,
)
async def test_an_empty_data_is_none(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)

    await classic(hass, entry, target=TO, data=None)

    only_mail(server)


@report(
    source="home-assistant/core#24887",
    symptom="What an automation says in a field that does not fit is lost without a word.",
    ours="email_courier.send_message stays strict: what does not fit is an error.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "fields",
    [
        {"priority": 1},
        {"priority": "max"},
        {"attachments": "/local/x.jpg"},
        {"headers": "X-A: 1"},
        {"colour": "red"},
        {"queue": "perhaps"},
        {"expires_after": "soon"},
    ],
    ids=repr,
)
async def test_the_new_action_stays_strict(
    hass: HomeAssistant, bed: Bed, fields: dict[str, Any]
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    before = server.record.connections

    with pytest.raises((vol.Invalid, HomeAssistantError)):
        await send(hass, to=TO, **fields)

    assert server.record.connections == before

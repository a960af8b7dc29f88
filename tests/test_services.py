"""How the action presents itself in Home Assistant's editor."""

from collections.abc import Iterator
import contextlib
import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.helpers.selector import selector
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.email_courier.const import DOMAIN
from custom_components.email_courier.send import fields as send_fields
from custom_components.email_courier.send.charts import CHART_SCHEMA

FOLDER = Path(send_fields.__file__).parents[1]
TEXTS = json.loads((FOLDER / "translations" / "en.json").read_text())
FIELDS = {
    *("camera", "to", "cc", "bcc", "config_entry_id", "title", "message", "html", "markdown"),
    *("button", "attachments", "priority", "reply_to", "sender_name", "headers", "thread"),
    *("queue", "expires_after", "attachments_required"),
    *("layout", "icon", "color", "facts", "charts", "max_width"),
}


@pytest.fixture
def described() -> dict[str, Any]:
    """What services.yaml says of the action."""
    description: dict[str, Any] = load_yaml_dict(str(FOLDER / "services.yaml"))["send_message"]
    return description


def _fields(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in description["fields"].items():
        if "fields" in field:
            yield from field["fields"].items()
        else:
            yield name, field


async def test_the_editor_shows_every_field_of_the_action(
    hass: HomeAssistant, described: dict[str, Any]
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})

    assert {name for name, _ in _fields(described)} == FIELDS
    assert all(selector(field["selector"]) for _, field in _fields(described))
    assert hass.services.supports_response(DOMAIN, "send_message") is SupportsResponse.OPTIONAL


def test_the_schema_takes_what_the_editor_shows() -> None:
    send_fields.SEND_MESSAGE({"message": ""})
    taken = {str(key) for key in send_fields.COMMON_FIELDS}

    assert FIELDS - {"title", "message", "config_entry_id"} <= taken


def test_every_field_has_a_name_a_description_and_an_icon() -> None:
    texts = TEXTS["services"]["send_message"]
    icons = json.loads((FOLDER / "icons.json").read_text())["services"]["send_message"]

    assert texts["fields"].keys() == FIELDS
    assert all(text["name"] and text["description"] for text in texts["fields"].values())
    assert (
        texts["sections"].keys()
        == icons["sections"].keys()
        == {
            "content",
            "delivery",
            "look",
            "recipients",
        }
    )
    assert icons["service"].startswith("mdi:")


def test_every_example_is_taken_by_its_own_selector_and_by_the_action(
    described: dict[str, Any],
) -> None:
    for name, field in _fields(described):
        if "example" not in field:
            assert name == "config_entry_id"
            continue
        example = field["example"]
        with contextlib.suppress(json.JSONDecodeError):
            example = json.loads(example)
        if "duration" not in field["selector"]:
            validate: Any = selector(field["selector"])
            validate(example)
        send_fields.SEND_MESSAGE({"message": "", name: example})


def test_every_choice_in_a_selector_has_a_text(described: dict[str, Any]) -> None:
    texts = TEXTS["selector"]
    fields = dict(_fields(described))

    assert texts["priority"]["options"].keys() == set(
        fields["priority"]["selector"]["select"]["options"]
    )
    assert texts["layout"]["options"].keys() == set(
        fields["layout"]["selector"]["select"]["options"]
    )
    for name in ("attachments", "button", "charts", "facts"):
        assert texts[name]["fields"].keys() == fields[name]["selector"]["object"]["fields"].keys()
    chart = fields["charts"]["selector"]["object"]["fields"]
    for name in ("period", "type", "statistic"):
        options = chart[name]["selector"]["select"]["options"]
        assert texts[f"chart_{name}"]["options"].keys() == set(options)
        for option in options:
            CHART_SCHEMA({"entities": "sensor.kitchen", name: option})

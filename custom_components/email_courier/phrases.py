"""Whole sentences for the places where Home Assistant's texts only take values."""

from __future__ import annotations

import re

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .mail.compose.content import Words

_PREFIX = f"component.{DOMAIN}.selector.phrase.options."
_VALUE = re.compile(r"\{(\w+)\}")


class Phrases:
    """The sentences in the language of the home."""

    def __init__(self, texts: dict[str, str]) -> None:
        """Use Phrases.async_load instead."""
        self._texts = texts

    @classmethod
    async def async_load(cls, hass: HomeAssistant) -> Phrases:
        """Load them in the language that Home Assistant is set to."""
        texts = await async_get_translations(hass, hass.config.language, "selector", [DOMAIN])
        return cls(
            {
                key.removeprefix(_PREFIX): text
                for key, text in texts.items()
                if key.startswith(_PREFIX)
            }
        )

    def say(self, name: str, /, **values: str) -> str:
        """Return a sentence with its values filled in. Raises KeyError for a value left out."""
        # in one pass: a server's words may hold braces of their own
        return _VALUE.sub(lambda match: values[match[1]], self._texts[name])


def words_of(phrases: Phrases) -> Words:
    """Return the words of a layout."""
    parts = {name: f"{{{name}}}" for name in ("day", "month", "year", "time")}
    return Words(
        urgent=phrases.say("layout_urgent"),
        important=phrases.say("layout_important"),
        note=phrases.say("layout_note"),
        tip=phrases.say("layout_tip"),
        warning=phrases.say("layout_warning"),
        caution=phrases.say("layout_caution"),
        open=phrases.say("layout_open"),
        date=phrases.say("layout_date", **parts),
        date_time=phrases.say("layout_date_time", **parts),
        automation=phrases.say("layout_automation", name="{name}"),
        script=phrases.say("layout_script", name="{name}"),
        months=phrases.say("layout_months"),
    )


async def async_error_text(hass: HomeAssistant, error: HomeAssistantError) -> str:
    """Return what one of our errors says in the language of the home; as text it is English."""
    texts = await async_get_translations(hass, hass.config.language, "exceptions", [DOMAIN])
    text = texts.get(f"component.{DOMAIN}.exceptions.{error.translation_key}.message")
    if text is None:
        return str(error)
    values = error.translation_placeholders or {}
    return _VALUE.sub(lambda match: values.get(match[1], "-"), text)


def as_code(text: str) -> str:
    """Keep a stranger's words from being read as Markdown."""
    return f"`{text.replace('`', ' ').strip()}`" if text.strip("` ") else "-"

"""Whole sentences for the places where Home Assistant's texts only take values."""

from __future__ import annotations

import re
from typing import Self

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import (
    async_get_cached_translations,
    async_get_translations,
)

from .const import DOMAIN

_PREFIX = f"component.{DOMAIN}.selector.phrase.options."
_KINDS = f"component.{DOMAIN}.entity.sensor.last_failure.state."
_VALUE = re.compile(r"\{(\w+)\}")


class Phrases:
    """The sentences in the language of the home."""

    def __init__(self, texts: dict[str, str]) -> None:
        """Use Phrases.async_load instead."""
        self._texts = texts

    @classmethod
    async def async_load(cls, hass: HomeAssistant) -> Self:
        """Load them in the language that Home Assistant is set to."""
        language = hass.config.language
        texts = await async_get_translations(hass, language, "selector", [DOMAIN])
        kinds = await async_get_translations(hass, language, "entity", [DOMAIN])
        return cls._of({**texts, **kinds})

    @classmethod
    def cached(cls, hass: HomeAssistant) -> Self:
        """Return them as they were loaded before, as for each account that is loaded."""
        language = hass.config.language
        texts = async_get_cached_translations(hass, language, "selector", DOMAIN)
        kinds = async_get_cached_translations(hass, language, "entity", DOMAIN)
        return cls._of({**texts, **kinds})

    @classmethod
    def _of(cls, texts: dict[str, str]) -> Self:
        return cls(
            {
                key.removeprefix(_PREFIX): text
                for key, text in texts.items()
                if key.startswith((_PREFIX, _KINDS))
            }
        )

    def kind(self, kind: str | None) -> str:
        """Return a kind of failure in words."""
        return "-" if kind is None else self._texts.get(f"{_KINDS}{kind}", kind)

    def say(self, name: str, **values: str) -> str:
        """Return a sentence with its values filled in. Raises KeyError for a value left out."""
        # in one pass: a server's words may hold braces of their own
        return _VALUE.sub(lambda match: values[match[1]], self._texts[name])


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

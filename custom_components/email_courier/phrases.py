"""Whole sentences for the places where Home Assistant's texts only take values."""

from __future__ import annotations

import re

from homeassistant.core import HomeAssistant, async_get_hass, callback
from homeassistant.helpers.translation import async_get_cached_translations, async_get_translations

from .const import DOMAIN
from .mail.compose.content import Words
from .reader import Reader, async_reader

_PREFIX = f"component.{DOMAIN}.selector.phrase.options."
_VALUE = r"\{(\w+)\}"
_ENGLISH = "en"
_KINDS = f"component.{DOMAIN}.entity.sensor.last_failure.state."


class Phrases:
    """The sentences in one language."""

    def __init__(self, texts: dict[str, str], *, comma: bool | None = None) -> None:
        """Use Phrases.async_load and its like instead."""
        self._texts = texts
        self._comma = comma

    @classmethod
    async def async_load(cls, hass: HomeAssistant, reader: Reader | None = None) -> Phrases:
        """Load them in the language of a reader, else of the home, which mail is written in."""
        language = hass.config.language if reader is None else reader.language
        texts = await async_get_translations(hass, language, "selector", [DOMAIN])
        kinds = await async_get_translations(hass, language, "entity", [DOMAIN])
        return cls(_named({**texts, **kinds}), comma=None if reader is None else reader.comma)

    @classmethod
    async def async_for_reader(cls, hass: HomeAssistant) -> Phrases:
        """Load them in the language of whoever waits for the answer, else of the home."""
        return await cls.async_load(hass, await async_reader(hass))

    @classmethod
    @callback
    def async_english(cls) -> Phrases:
        """Return them in the language of the log, in which Home Assistant always has them."""
        return cls._cached(async_get_hass(), _ENGLISH)

    @classmethod
    @callback
    def cached(cls, hass: HomeAssistant) -> Phrases:
        """Return them in the language of the home, as for each account that is loaded."""
        return cls._cached(hass, hass.config.language)

    @classmethod
    def _cached(cls, hass: HomeAssistant, language: str) -> Phrases:
        texts = async_get_cached_translations(hass, language, "selector", DOMAIN)
        kinds = async_get_cached_translations(hass, language, "entity", DOMAIN)
        return cls(_named({**texts, **kinds}))

    def __contains__(self, name: object) -> bool:
        return name in self._texts

    def kind(self, kind: str | None) -> str:
        """Return a kind of failure in words."""
        return "-" if kind is None else self._texts.get(f"{_KINDS}{kind}", kind)

    def say(self, name: str, /, **values: str) -> str:
        """Return a sentence with its values filled in. Raises KeyError for a value left out."""
        # in one pass: a server's words may hold braces of their own
        return re.sub(_VALUE, lambda match: values[match[1]], self._texts[name])

    def megabytes(self, octets: float) -> str:
        """Write a size in millions of bytes as the language writes numbers: "35.9" or "35,9"."""
        megabytes = octets / 1_000_000
        text = f"{megabytes:.1f}" if megabytes >= 0.1 or not octets else f"{megabytes:.2g}"
        comma = self._texts.get("decimal_mark") == "," if self._comma is None else self._comma
        return text.replace(".", ",") if comma else text


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


def _named(texts: dict[str, str]) -> dict[str, str]:
    return {
        key.removeprefix(_PREFIX): text
        for key, text in texts.items()
        if key.startswith((_PREFIX, _KINDS))
    }


def as_code(text: str) -> str:
    """Keep a stranger's words from being read as Markdown."""
    return f"`{text.replace('`', ' ').strip()}`" if text.strip("` ") else "-"

"""Attachments, from wherever they are asked for: files, media sources, cameras and images."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
import mimetypes
from pathlib import Path
import stat
from typing import TYPE_CHECKING, Final

from homeassistant.components.media_source import async_resolve_media
from homeassistant.components.media_source.const import URI_SCHEME
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, split_entity_id
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .errors import action_error, request_error
from .mail.compose.content import Attachment
from .mail.compose.content_type import HEAD_SIZE, content_type, usual_suffix

if TYPE_CHECKING:
    from homeassistant.components import camera, image

MAX_TOTAL: Final = 100_000_000
"""Bytes. More than any mail server takes, and less than would exhaust a small computer."""

_PICTURED = frozenset({Platform.CAMERA, Platform.IMAGE})


@dataclass(frozen=True, slots=True)
class Wanted:
    """An attachment as it was asked for: by exactly one of path, media source and entity."""

    path: str | None = None
    media_source: str | None = None
    entity_id: str | None = None
    filename: str | None = None
    content_id: str | None = None

    @property
    def pictured(self) -> str | None:
        """The entity whose picture is wanted, in whichever way it was asked for."""
        if self.media_source is None:
            return self.entity_id
        source, identifier = _parts(self.media_source)
        return identifier.lower() if identifier and source in _PICTURED else None


async def async_fetch(hass: HomeAssistant, wanted: Sequence[Wanted]) -> tuple[Attachment, ...]:
    """Fetch everything at the same time, in the order asked for.

    Files are only looked at; they are read while the mail is composed. Raises
    ServiceValidationError for what can never be attached, HomeAssistantError for what cannot now.
    """
    found = await asyncio.gather(
        *(_async_fetch_one(hass, one) for one in wanted), return_exceptions=True
    )
    attachments: list[Attachment] = []
    total = 0
    for one in found:
        if isinstance(one, BaseException):
            raise one
        attachment, size = one
        attachments.append(attachment)
        total += size
    if total > MAX_TOTAL:
        raise request_error(
            "attachments_too_large",
            size=f"{total / 1_000_000:.1f}",
            limit=f"{MAX_TOTAL / 1_000_000:.0f}",
        )
    return tuple(attachments)


async def _async_fetch_one(hass: HomeAssistant, wanted: Wanted) -> tuple[Attachment, int]:
    """Return an attachment and its size in bytes."""
    if wanted.path is not None:
        path = await hass.async_add_executor_job(_allowed_file, hass, wanted.path)
        return await _async_file(hass, path, Path(wanted.path).name, None, wanted)
    if wanted.pictured is not None:
        return await _async_snapshot(hass, wanted.pictured, wanted)
    return await _async_media(hass, wanted.media_source or "", wanted)


def _parts(media_source: str) -> tuple[str, str]:
    """Return who has a medium, and under which name; both are empty for what is no id of one."""
    scheme, _, rest = media_source.partition(URI_SCHEME)
    source, _, identifier = rest.partition("/")
    return (source, identifier) if not scheme and identifier else ("", "")


async def _async_media(
    hass: HomeAssistant, media_source: str, wanted: Wanted
) -> tuple[Attachment, int]:
    source, identifier = _parts(media_source)
    if not identifier:
        raise request_error("media_source_invalid", media_source=media_source)
    try:
        if source == Platform.TTS and Platform.TTS in hass.config.components:
            from homeassistant.components import tts  # noqa: PLC0415 - as with pictures

            suffix, speech = await tts.async_get_media_source_audio(hass, media_source)
            kind = mimetypes.types_map.get(f".{suffix}")
            return _in_memory(speech, kind, source, media_source, wanted)
        media = await async_resolve_media(hass, media_source, None)
    except (HomeAssistantError, ValueError) as error:
        raise action_error(
            "media_source_failed", media_source=media_source, detail=str(error)
        ) from error
    if media.path is None:
        raise request_error("media_source_not_supported", media_source=media_source)
    return await _async_file(hass, media.path, media.path.name, media.mime_type, wanted)


async def _async_snapshot(
    hass: HomeAssistant, entity_id: str, wanted: Wanted
) -> tuple[Attachment, int]:
    domain = entity_id.partition(".")[0]
    if domain not in _PICTURED or hass.states.get(entity_id) is None:
        raise request_error("snapshot_entity_not_found", entity_id=entity_id)
    if domain not in hass.config.components:
        raise action_error("snapshot_failed", entity_id=entity_id, detail=f"no {domain}")
    try:
        picture = await _async_picture(hass, domain, entity_id)
    except (HomeAssistantError, OSError) as error:
        raise action_error("snapshot_failed", entity_id=entity_id, detail=str(error)) from error
    _, name = split_entity_id(entity_id)
    return _in_memory(picture.content, picture.content_type, name, entity_id, wanted)


async def _async_picture(
    hass: HomeAssistant, domain: str, entity_id: str
) -> camera.Image | image.Image:
    """Return the picture of an entity, whose component is set up."""
    # They bring half a second of imports with them, which a home without cameras is spared. Here
    # they have been imported long since.
    if domain == Platform.CAMERA:
        from homeassistant.components import camera  # noqa: PLC0415

        return await camera.async_get_image(hass, entity_id)
    from homeassistant.components import image  # noqa: PLC0415

    return await image.async_get_image(hass, entity_id)


def _in_memory(
    data: bytes, kind: str | None, name: str, origin: str, wanted: Wanted
) -> tuple[Attachment, int]:
    """Return what was fetched just now, named after its origin and the time."""
    if not data:
        raise action_error("attachment_empty", filename=origin)
    filename = wanted.filename
    if not filename:
        suffix = usual_suffix(content_type(data[:HEAD_SIZE], "", kind))
        filename = f"{name}_{dt_util.now():%Y-%m-%d_%H-%M-%S}{suffix}"
    return Attachment(filename, data, kind, wanted.content_id), len(data)


async def _async_file(
    hass: HomeAssistant, path: Path, name: str, kind: str | None, wanted: Wanted
) -> tuple[Attachment, int]:
    size = await hass.async_add_executor_job(_size_of, path, name)
    return Attachment(wanted.filename or name, path, kind, wanted.content_id), size


def _allowed_file(hass: HomeAssistant, text: str) -> Path:
    """Return where a path really leads, if that is a place mail may be sent from.

    A relative path begins in the folder of the configuration.
    """
    try:
        path = Path(hass.config.config_dir, text)
        allowed = hass.config.is_allowed_path(str(path))
        target = path.resolve(strict=True) if allowed else path
        # A link may have been exchanged since.
        allowed = allowed and hass.config.is_allowed_path(str(target))
    except FileNotFoundError as error:
        raise request_error("attachment_not_found", filename=text) from error
    except (OSError, ValueError) as error:
        raise request_error("attachment_unreadable", filename=text) from error
    if not allowed:
        raise request_error("path_not_allowed", path=text)
    return target


def _size_of(path: Path, name: str) -> int:
    """Return the size of a regular file in bytes."""
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise request_error("attachment_not_found", filename=name) from error
    except OSError as error:
        raise request_error("attachment_unreadable", filename=name) from error
    if not stat.S_ISREG(status.st_mode):
        raise request_error("attachment_no_file", filename=name)
    if not status.st_size:
        raise request_error("attachment_empty", filename=name)
    return status.st_size

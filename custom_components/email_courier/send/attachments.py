"""Attachments, from wherever they are asked for: files, media sources, cameras and images."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, split_entity_id
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.importlib import async_import_module
from homeassistant.util import dt as dt_util

from ..errors import action_error, request_error
from ..mail.compose.content import Attachment
from ..mail.compose.content_type import HEAD_SIZE, content_type, usual_suffix
from ..mail.files import FileError, FileFault, OpenedFile, open_file

if TYPE_CHECKING:
    from homeassistant.components import camera, image
    from homeassistant.components.media_source import PlayMedia

MAX_TOTAL: Final = 100_000_000
"""Bytes. More than any mail server takes, and less than would exhaust a small computer."""

MAX_COUNT: Final = 100
"""Each may be a file that stays open until the mail is composed."""

_FAULTS: Final = {
    FileFault.NOT_FOUND: "attachment_not_found",
    FileFault.NOT_REGULAR: "attachment_no_file",
}
_LOCAL_MEDIA: Final = "media_source"
_URI_SCHEME: Final = "media-source://"
_PICTURED = frozenset({Platform.CAMERA, Platform.IMAGE})


class AttachmentRequest(NamedTuple):
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


async def async_fetch(
    hass: HomeAssistant, wanted: Sequence[AttachmentRequest]
) -> tuple[Attachment, ...]:
    """Fetch everything at the same time, in the order asked for.

    Files are opened, and read while the mail is composed; whoever fetches them closes them. Raises
    ServiceValidationError for what can never be attached, HomeAssistantError for what cannot now.
    """
    if len(wanted) > MAX_COUNT:
        raise request_error("attachments_too_many", count=str(len(wanted)), limit=str(MAX_COUNT))
    found = await asyncio.gather(
        *(_async_fetch_one(hass, one) for one in wanted), return_exceptions=True
    )
    fetched = [one for one in found if not isinstance(one, BaseException)]
    try:
        _check(found)
    except BaseException:
        for attachment, _ in fetched:
            attachment.close()
        raise
    return tuple(attachment for attachment, _ in fetched)


def _check(found: Iterable[tuple[Attachment, int] | BaseException]) -> None:
    """Raise the first error, or that it is too much altogether."""
    total = 0
    for one in found:
        if isinstance(one, BaseException):
            raise one
        total += one[1]
    if total > MAX_TOTAL:
        raise request_error(
            "attachments_too_large",
            size=f"{total / 1_000_000:.1f}",
            limit=f"{MAX_TOTAL / 1_000_000:.0f}",
        )


async def _async_fetch_one(
    hass: HomeAssistant, wanted: AttachmentRequest
) -> tuple[Attachment, int]:
    """Return an attachment and its size in bytes."""
    if wanted.path is not None:
        # A relative path begins in the folder of the configuration.
        path = Path(hass.config.config_dir, wanted.path)
        folders = partial(tuple, hass.config.allowlist_external_dirs)
        return await _async_file(hass, path, wanted.path, None, wanted, folders)
    if wanted.pictured is not None:
        return await _async_snapshot(hass, wanted.pictured, wanted)
    return await _async_media(hass, wanted.media_source or "", wanted)


def _parts(media_source: str) -> tuple[str, str]:
    """Return who has a medium, and under which name; both are empty for what is no id of one."""
    scheme, _, rest = media_source.partition(_URI_SCHEME)
    source, _, identifier = rest.partition("/")
    return (source, identifier) if not scheme and identifier else ("", "")


async def _async_media(
    hass: HomeAssistant, media_source: str, wanted: AttachmentRequest
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
        media = await _async_resolved(hass, media_source)
    except AssertionError as error:
        # So the local source says that it knows no type for a suffix.
        raise request_error("media_source_type_unknown", media_source=media_source) from error
    except (HomeAssistantError, OSError, ValueError) as error:
        raise action_error(
            "media_source_failed", media_source=media_source, detail=str(error)
        ) from error
    if media.path is None:
        raise request_error("media_source_not_supported", media_source=media_source)
    folders = partial(_media_folders, hass, source, media.path)
    return await _async_file(hass, media.path, str(media.path), media.mime_type, wanted, folders)


async def _async_resolved(hass: HomeAssistant, media_source: str) -> PlayMedia:
    await async_import_module(hass, "homeassistant.components.media_source")
    from homeassistant.components.media_source import (  # noqa: PLC0415 - as with pictures
        async_resolve_media,
    )

    return await async_resolve_media(hass, media_source, None)


async def _async_snapshot(
    hass: HomeAssistant, entity_id: str, wanted: AttachmentRequest
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
    data: bytes, kind: str | None, name: str, origin: str, wanted: AttachmentRequest
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
    hass: HomeAssistant,
    path: Path,
    shown: str,
    kind: str | None,
    wanted: AttachmentRequest,
    folders: Callable[[], Iterable[str | Path]],
) -> tuple[Attachment, int]:
    """Open a file below one of the folders. shown: what an error calls it."""
    file = await hass.async_add_executor_job(_open, path, shown, folders)
    return Attachment(wanted.filename or path.name, file, kind, wanted.content_id), len(file)


def _open(path: Path, shown: str, folders: Callable[[], Iterable[str | Path]]) -> OpenedFile:
    allowed = tuple(folders())
    try:
        file = open_file(path, lambda real: any(real.is_relative_to(one) for one in allowed))
    except FileError as error:
        if error.fault is FileFault.NOT_ALLOWED:
            raise request_error("path_not_allowed", path=shown) from error
        key = _FAULTS.get(error.fault, "attachment_unreadable")
        raise request_error(key, filename=shown) from error
    if not len(file):
        file.close()
        raise request_error("attachment_empty", filename=shown)
    return file


def _media_folders(hass: HomeAssistant, source: str, path: Path) -> Iterator[str | Path]:
    """Yield where a media source may have files. Blocks.

    The local one has the folders for media; another integration chose the path, and a link in
    its last step alone must not lead away from there.
    """
    yield from hass.config.allowlist_external_dirs
    if source == _LOCAL_MEDIA:
        for folder in hass.config.media_dirs.values():
            yield Path(folder).resolve()
    else:
        yield path.parent.resolve()

"""Attachments, from wherever they are asked for: files, media sources, cameras and images."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
import mimetypes
from pathlib import Path
import re
from typing import TYPE_CHECKING, Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, split_entity_id
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.importlib import async_import_module
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..errors import CourierRequestError, action_error, request_error
from ..mail.compose.content import Attachment
from ..mail.compose.content_type import HEAD_SIZE, content_type, usual_suffix
from ..mail.files import FileError, FileFault, OpenedFile, open_file
from ..pictures import DEFAULT_WIDTH, PictureError, fitted
from .fields import PICTURED, AttachmentRequest, Missing, media_source_parts
from .missing import TOO_LARGE, async_missing

if TYPE_CHECKING:
    from homeassistant.components import camera, image
    from homeassistant.components.media_source import PlayMedia

MAX_TOTAL: Final = 100_000_000
"""Bytes. More than any mail server takes, and less than would exhaust a small computer."""

PICTURE_TIMEOUT: Final = 10
"""Seconds that a camera or image has to give its picture."""
MEDIA_TIMEOUT: Final = 60
"""Seconds for anything else; speech has to be spoken first."""

MAX_COUNT: Final = 100
"""Each may be a file that stays open until the mail is composed."""

_FAULTS: Final = {
    FileFault.NOT_FOUND: "attachment_not_found",
    FileFault.NOT_REGULAR: "attachment_no_file",
}
_NOT_ALLOWED: Final = "path_not_allowed"
_LATER: Final = 2 * PICTURE_TIMEOUT
"""Seconds; what core would wait, so that it is always us who say that a picture took too long."""
_ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]*://)\S+", re.IGNORECASE)
_MAX_DETAIL: Final = 200
_LOCAL_MEDIA: Final = "media_source"
_FITTING: Final[HassKey[asyncio.Semaphore]] = HassKey(f"{DOMAIN}_fitting")
_AT_ONCE: Final = 2
"""Pictures that are made smaller, in all of the house: one of 4K takes 18 MB meanwhile."""


type _Found = tuple[Attachment, int] | BaseException


async def async_fetch(
    hass: HomeAssistant,
    wanted: Sequence[AttachmentRequest],
    missing: list[Missing] | None = None,
    takes_a_while: Callable[[], None] = lambda: None,
) -> tuple[Attachment | None, ...]:
    """Fetch everything at the same time, in the order asked for.

    Files are opened, and read while the mail is composed; whoever fetches them closes them.
    missing: takes what cannot be had, which is None then; without it, that is an error, too.
    takes_a_while: called before cameras are asked and pictures made smaller, and not where a file
    among them cannot be attached.
    Raises ServiceValidationError for a path that is not allowed and for what can never be
    attached, HomeAssistantError for what cannot now.
    """
    if len(wanted) > MAX_COUNT and missing is None:
        raise _too_many(wanted)
    found: list[_Found] = [
        *await asyncio.gather(
            *(_async_in_time(hass, one, takes_a_while) for one in wanted[:MAX_COUNT]),
            return_exceptions=True,
        ),
        *(_too_many(wanted) for _ in wanted[MAX_COUNT:]),
    ]
    fetched = [None if isinstance(one, BaseException) else one[0] for one in found]
    try:
        _leave_out_largest(found)
        _check(found, is_needed=missing is None)
        for number, error in enumerate(found):
            if isinstance(error, HomeAssistantError) and missing is not None:
                fetched[number] = None
                missing.append(await async_missing(hass, wanted[number], error))
    except BaseException:
        for attachment in fetched:
            if attachment is not None:
                attachment.close()
        raise
    return tuple(fetched)


def _too_many(wanted: Sequence[AttachmentRequest]) -> HomeAssistantError:
    return request_error("attachments_too_many", count=str(len(wanted)), limit=str(MAX_COUNT))


def _leave_out_largest(found: list[_Found]) -> None:
    """Put an error in the place of the largest ones, as few of them as will do."""
    sizes = [0 if isinstance(one, BaseException) else one[1] for one in found]
    total = sum(sizes)
    error = CourierRequestError(
        TOO_LARGE,
        lambda phrases: {
            "size": phrases.megabytes(total),
            "limit": phrases.megabytes(MAX_TOTAL),
        },
    )
    while sum(sizes) > MAX_TOTAL:
        number = sizes.index(max(sizes))
        largest = found[number]
        if not isinstance(largest, BaseException):
            largest[0].close()
        found[number], sizes[number] = error, 0


def _check(found: Iterable[_Found], *, is_needed: bool) -> None:
    """Raise the first error that a mail may not go with; one that is not allowed never may."""
    for error in found:
        if isinstance(error, BaseException) and (
            is_needed
            or not isinstance(error, HomeAssistantError)
            or error.translation_key == _NOT_ALLOWED
        ):
            raise error


async def _async_in_time(
    hass: HomeAssistant, wanted: AttachmentRequest, takes_a_while: Callable[[], None]
) -> tuple[Attachment, int]:
    """Fetch one of them, and wait no longer for it than that. Its end may come later."""
    if wanted.pictured is not None:
        takes_a_while()
    seconds = MEDIA_TIMEOUT if wanted.pictured is None else PICTURE_TIMEOUT
    fetching = hass.async_create_background_task(
        _async_fetch_one(hass, wanted), f"email_courier attachment {wanted.name}"
    )
    try:
        await asyncio.wait([fetching], timeout=seconds)
    finally:
        if not fetching.done():
            fetching.add_done_callback(_forget)
            fetching.cancel()
    if not fetching.done():
        raise action_error("attachment_too_slow", name=wanted.name, seconds=str(seconds))
    attachment, size = fetching.result()
    width = wanted.max_width or (DEFAULT_WIDTH if wanted.pictured else None)
    if width is None:
        return attachment, size
    takes_a_while()
    return await _async_fitted(hass, attachment, width, wanted)


async def _async_fitted(
    hass: HomeAssistant, attachment: Attachment, width: int, wanted: AttachmentRequest
) -> tuple[Attachment, int]:
    """Return a picture no wider than that, upright, and in a format that every reader shows.

    Where the width was not asked for, what is no picture goes as it is.
    """
    fit = partial(fitted, attachment, width, is_asked=wanted.max_width is not None)
    try:
        async with hass.data.setdefault(_FITTING, asyncio.Semaphore(_AT_ONCE)):
            fitting = await hass.async_add_executor_job(fit)
    except PictureError as error:
        attachment.close()
        if error.is_too_large:
            raise request_error("picture_too_large", name=wanted.name) from error
        raise request_error("picture_broken", name=wanted.name) from error
    return fitting, len(fitting.source)


def _forget(fetching: asyncio.Task[tuple[Attachment, int]]) -> None:
    """Close what came too late; a camera may turn the end of its time into an error."""
    if not fetching.cancelled() and fetching.exception() is None:
        fetching.result()[0].close()


def _detail(error: Exception) -> str:
    """Return what other code says was wrong. Addresses can hold passwords, and go."""
    is_worded = isinstance(error, (HomeAssistantError, OSError, ValueError))
    words = _ADDRESS.sub(r"\1…", " ".join(str(error).split()))[:_MAX_DETAIL] if is_worded else ""
    return words or type(error).__name__


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


async def _async_media(
    hass: HomeAssistant, media_source: str, wanted: AttachmentRequest
) -> tuple[Attachment, int]:
    source, identifier = media_source_parts(media_source)
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
    except Exception as error:
        # Whatever goes wrong in another integration, the mail has to go.
        raise action_error(
            "media_source_failed", media_source=media_source, detail=_detail(error)
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
    is_there = hass.states.get(entity_id) is not None and domain in hass.config.components
    if domain not in PICTURED or not is_there:
        raise request_error("snapshot_entity_not_found", entity_id=entity_id)
    try:
        picture = await _async_picture(hass, domain, entity_id)
    except Exception as error:
        # as with media
        raise action_error("snapshot_failed", entity_id=entity_id, detail=_detail(error)) from error
    _, name = split_entity_id(entity_id)
    kind = picture.content_type
    state = hass.states.get(entity_id)
    caption = "" if state is None else state.name
    return _in_memory(picture.content, kind, name, entity_id, wanted, caption)


async def _async_picture(
    hass: HomeAssistant, domain: str, entity_id: str
) -> camera.Image | image.Image:
    """Return the picture of an entity, whose component is set up."""
    # They bring half a second of imports with them, which a home without cameras is spared. Here
    # they have been imported long since.
    if domain == Platform.CAMERA:
        from homeassistant.components import camera  # noqa: PLC0415

        return await camera.async_get_image(hass, entity_id, _LATER)
    from homeassistant.components import image  # noqa: PLC0415

    return await image.async_get_image(hass, entity_id, _LATER)


def _in_memory(
    data: bytes,
    kind: str | None,
    name: str,
    origin: str,
    wanted: AttachmentRequest,
    caption: str = "",
) -> tuple[Attachment, int]:
    """Return what was fetched just now, named after its origin and the time."""
    if not data:
        raise action_error("attachment_empty", filename=origin)
    filename = wanted.filename
    if not filename:
        suffix = usual_suffix(content_type(data[:HEAD_SIZE], "", kind))
        filename = f"{name}_{dt_util.now():%Y-%m-%d_%H-%M-%S}{suffix}"
    attachment = Attachment(
        filename, data, kind, wanted.content_id, caption, is_shown=wanted.is_shown
    )
    return attachment, len(data)


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
            raise request_error(_NOT_ALLOWED, path=shown) from error
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

"""The fields of a mail, as every action takes them."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..errors import request_error
from ..mail.compose.content import Button, Priority


class Field(StrEnum):
    """The names of the fields."""

    ATTACHMENTS = "attachments"
    ATTACHMENTS_REQUIRED = "attachments_required"
    BCC = "bcc"
    BUTTON = "button"
    CAMERA = "camera"
    CC = "cc"
    CONFIG_ENTRY_ID = "config_entry_id"
    EXPIRES_AFTER = "expires_after"
    HEADERS = "headers"
    HTML = "html"
    MARKDOWN = "markdown"
    MESSAGE = "message"
    PRIORITY = "priority"
    QUEUE = "queue"
    REPLY_TO = "reply_to"
    SENDER_NAME = "sender_name"
    THREAD = "thread"
    TITLE = "title"
    TO = "to"


_URI_SCHEME: Final = "media-source://"
PICTURED: Final = frozenset({Platform.CAMERA, Platform.IMAGE})
"""The domains of entities that have pictures."""


class AttachmentRequest(NamedTuple):
    """An attachment as it was asked for: by exactly one of path, media source and entity.

    caption: of a picture that is shown in any case.
    """

    path: str | None = None
    media_source: str | None = None
    entity_id: str | None = None
    filename: str | None = None
    content_id: str | None = None
    caption: str | None = None

    @property
    def name(self) -> str:
        """What it was asked for by."""
        return self.path or self.media_source or self.entity_id or ""

    @property
    def pictured(self) -> str | None:
        """The entity whose picture is wanted, in whichever way it was asked for."""
        if self.media_source is None:
            return self.entity_id
        source, identifier = media_source_parts(self.media_source)
        return identifier.lower() if identifier and source in PICTURED else None


def media_source_parts(media_source: str) -> tuple[str, str]:
    """Return who has a medium, and under which name; both are empty for what is no id of one."""
    scheme, _, rest = media_source.partition(_URI_SCHEME)
    source, _, identifier = rest.partition("/")
    return (source, identifier) if not scheme and identifier else ("", "")


SHORTEST_LIFE: Final = timedelta(seconds=1)
LONGEST_LIFE: Final = timedelta(days=30)

_SOURCES = ("path", "media_source", ATTR_ENTITY_ID)


def _media_source(value: object) -> str:
    """Accept the id of a media source, alone or as the media selector gives it."""
    if isinstance(value, dict):
        value = value.get("media_content_id")
    return cv.string(value)


def _wanted(value: dict[str, Any]) -> AttachmentRequest:
    if sum(name in value for name in _SOURCES) != 1:
        raise request_error("attachment_source", field=Field.ATTACHMENTS)
    return AttachmentRequest(**value)


def _button(value: dict[str, str]) -> Button | None:
    """Return no button for no address, so that a template can leave it out."""
    return Button(**value) if value["url"].strip() else None


def _pictured(value: object) -> str:
    """Accept an entity that has pictures."""
    entity_id = cv.entity_id(value)
    if entity_id.partition(".")[0] not in PICTURED:
        raise request_error("camera_invalid", field=Field.CAMERA, entity_id=entity_id)
    return entity_id


def attachments(extra: int = vol.PREVENT_EXTRA) -> vol.All[Any]:
    """Return what takes attachments. extra: what becomes of names in them that are not known."""
    return vol.All(cv.ensure_list, [vol.All(vol.Schema(_ATTACHMENT, extra=extra), _wanted)])


_ADDRESSES = vol.All(cv.ensure_list, [cv.string])
_ATTACHMENT: Final = {
    vol.Optional("path"): cv.string,
    vol.Optional("media_source"): _media_source,
    vol.Optional(ATTR_ENTITY_ID): cv.entity_domain(["camera", "image"]),
    vol.Optional("filename"): cv.string,
    vol.Optional("content_id"): cv.string,
}
_BUTTON = vol.All(
    vol.Schema({vol.Optional("text", default=""): cv.string, vol.Required("url"): cv.string}),
    _button,
)

COMMON_FIELDS: Final[dict[Any, Any]] = {
    **cv.ENTITY_SERVICE_FIELDS,
    vol.Optional(Field.TO): _ADDRESSES,
    vol.Optional(Field.CC): _ADDRESSES,
    vol.Optional(Field.BCC): _ADDRESSES,
    vol.Optional(Field.HTML): cv.string,
    vol.Optional(Field.MARKDOWN): cv.string,
    vol.Optional(Field.BUTTON): _BUTTON,
    vol.Optional(Field.ATTACHMENTS): attachments(),
    vol.Optional(Field.CAMERA): vol.All(cv.ensure_list, [_pictured]),
    vol.Optional(Field.ATTACHMENTS_REQUIRED): cv.boolean,
    vol.Optional(Field.PRIORITY): vol.Coerce(Priority),
    vol.Optional(Field.REPLY_TO): _ADDRESSES,
    vol.Optional(Field.SENDER_NAME): cv.string,
    vol.Optional(Field.HEADERS): vol.Schema({cv.string: cv.string}),
    vol.Optional(Field.THREAD): cv.string,
    vol.Optional(Field.QUEUE, default=True): cv.boolean,
    vol.Optional(Field.EXPIRES_AFTER): vol.All(
        cv.positive_time_period, vol.Range(min=SHORTEST_LIFE, max=LONGEST_LIFE)
    ),
}
"""All but the text, which the classic action keeps elsewhere than the others."""

SEND_MESSAGE: Final = vol.Schema(
    {
        **COMMON_FIELDS,
        vol.Optional(Field.CONFIG_ENTRY_ID): cv.string,
        vol.Optional(Field.TITLE): cv.string,
        vol.Optional(Field.MESSAGE): cv.string,
    }
)

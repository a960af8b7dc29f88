"""What the actions take: the fields of a mail, and which mails of an outbox are meant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
import re
from typing import Any, Final, NamedTuple

from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..answer.question import MAX_ACTIONS, REPLY, URI, Action
from ..errors import request_error
from ..mail.compose.content import Button, Layout, Priority
from .charts import CHART_SCHEMA, MOST_CHARTS, color_of


class Field(StrEnum):
    """The names of the fields."""

    ACTIONS = "actions"
    ACTIONS_EXPIRE_AFTER = "actions_expire_after"
    ACTIONS_ONCE = "actions_once"
    ACTIONS_SIGN_IN = "actions_sign_in"
    ATTACHMENTS = "attachments"
    ATTACHMENTS_REQUIRED = "attachments_required"
    BCC = "bcc"
    BUTTON = "button"
    CAMERA = "camera"
    CC = "cc"
    CHARTS = "charts"
    COLOR = "color"
    CONFIG_ENTRY_ID = "config_entry_id"
    EXPIRES_AFTER = "expires_after"
    FACTS = "facts"
    HEADERS = "headers"
    HTML = "html"
    ICON = "icon"
    LAYOUT = "layout"
    MARKDOWN = "markdown"
    MAX_WIDTH = "max_width"
    MESSAGE = "message"
    PRIORITY = "priority"
    QUEUE = "queue"
    REPEAT_UNTIL_ANSWERED = "repeat_until_answered"
    REPLY_TO = "reply_to"
    SENDER_NAME = "sender_name"
    THREAD = "thread"
    TIMEOUT = "timeout"
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
    max_width: int | None = None
    is_shown: bool = False

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


class Missing(NamedTuple):
    """Something that could not be had.

    name: as it was asked for. reason: in the language of the home. note: what the mail says.
    content_id: by which HTML would show it. wanted: how an attachment was asked for.
    caption: what a picture would be called.
    """

    name: str
    reason: str
    note: str = ""
    content_id: str = ""
    wanted: AttachmentRequest | None = None
    caption: str = ""

    @property
    def as_dict(self) -> dict[str, str]:
        """What a response tells of it."""
        return {"name": self.name, "reason": self.reason}


class FactRequest(NamedTuple):
    """An entity whose state is shown, under a name other than its own where one is given."""

    entity_id: str
    name: str | None = None


class Repeat(NamedTuple):
    """How often a mail comes again until somebody has answered it."""

    interval: timedelta
    maximum: int


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


def _icon(value: object) -> str:
    """Take an emoji, or none; a mail cannot show the icons of Home Assistant."""
    icon = cv.string(value).strip()
    signs = _KEYCAP.sub("", icon)
    if len(icon) > _LONGEST_ICON or any(sign.isascii() or sign.isalpha() for sign in signs):
        raise vol.Invalid("an icon is an emoji")
    return icon


def action(value: object) -> Action:
    """Read a button as the companion app describes one; what only a telephone can do is left out.

    With no address a button is one that answers, unless its action says that it only leads
    somewhere.
    """
    given = _ACTION(value)
    name, url = given["action"].strip(), given["uri"].strip()
    is_link = name.casefold() == URI.casefold()
    title = given["title"].strip() or (url if is_link else name)
    if not name or (is_link and not url):
        raise request_error("action_incomplete", field=Field.ACTIONS, title=title or "-")
    if url and not is_link:
        raise request_error("action_with_uri", field=Field.ACTIONS, title=title)
    try:
        icon = _icon(given["icon"])
    except vol.Invalid:
        icon = ""  # a mail cannot show those of telephones
    return Action(
        name=name,
        title=title,
        uri=url,
        wants_text=name == REPLY or given["behavior"].casefold() == _TEXT_INPUT,
        is_destructive=given["destructive"],
        icon=icon,
    )


def actions(value: object) -> list[Action]:
    """Read the buttons of a mail."""
    given = [action(one) for one in cv.ensure_list(value)]
    if len(given) > MAX_ACTIONS:
        raise request_error(
            "actions_too_many", field=Field.ACTIONS, count=str(len(given)), limit=str(MAX_ACTIONS)
        )
    return given


def _fact(value: object) -> FactRequest:
    return FactRequest(**_FACT({ATTR_ENTITY_ID: value} if isinstance(value, str) else value))


def _pictured(value: object) -> str:
    """Accept an entity that has pictures."""
    entity_id = cv.entity_id(value)
    if entity_id.partition(".")[0] not in PICTURED:
        raise request_error("camera_invalid", field=Field.CAMERA, entity_id=entity_id)
    return entity_id


def attachments(extra: int = vol.PREVENT_EXTRA) -> vol.All[Any]:
    """Return what takes attachments. extra: what becomes of names in them that are not known."""
    return vol.All(cv.ensure_list, [vol.All(vol.Schema(_ATTACHMENT, extra=extra), _wanted)])


_TEXT_INPUT: Final = "textinput"
_ACTION: Final = vol.Schema(
    {
        vol.Optional("action", default=""): cv.string,
        vol.Optional("title", default=""): cv.string,
        vol.Optional("uri", default=""): cv.string,
        vol.Optional("behavior", default=""): cv.string,
        vol.Optional("destructive", default=False): cv.boolean,
        vol.Optional("icon", default=""): cv.string,
    },
    extra=vol.REMOVE_EXTRA,
)
_KEYCAP: Final = re.compile("[0-9#*]\ufe0f?\u20e3")
_LONGEST_ICON: Final = 24
_WIDTH = vol.All(vol.Coerce(int), vol.Range(min=64, max=8192))
_FACT = vol.Schema({vol.Required(ATTR_ENTITY_ID): cv.entity_id, vol.Optional("name"): cv.string})
_ADDRESSES = vol.All(cv.ensure_list, [cv.string])
_ATTACHMENT: Final = {
    vol.Optional("path"): cv.string,
    vol.Optional("media_source"): _media_source,
    vol.Optional(ATTR_ENTITY_ID): cv.entity_domain(["camera", "image"]),
    vol.Optional("filename"): cv.string,
    vol.Optional("content_id"): cv.string,
    vol.Optional("max_width"): _WIDTH,
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
    vol.Optional(Field.LAYOUT): vol.Coerce(Layout),
    vol.Optional(Field.ICON): _icon,
    vol.Optional(Field.COLOR): color_of,
    vol.Optional(Field.FACTS): vol.All(cv.ensure_list, [_fact]),
    vol.Optional(Field.CHARTS): vol.All(
        cv.ensure_list, [CHART_SCHEMA], vol.Length(max=MOST_CHARTS)
    ),
    vol.Optional(Field.MAX_WIDTH): _WIDTH,
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

_SPAN = vol.All(cv.positive_time_period, vol.Range(min=timedelta(minutes=1), max=LONGEST_LIFE))
ANSWERS: Final[dict[Any, Any]] = {
    vol.Optional(Field.ACTIONS): actions,
    vol.Optional(Field.ACTIONS_EXPIRE_AFTER): _SPAN,
    vol.Optional(Field.ACTIONS_ONCE): cv.boolean,
    vol.Optional(Field.ACTIONS_SIGN_IN): cv.boolean,
}
"""The buttons of a mail, and what becomes of them."""
DEFAULT_TIMEOUT: Final = timedelta(minutes=10)
DEFAULT_MAXIMUM: Final = 10
_REPEAT = vol.All(
    vol.Schema(
        {
            vol.Required("interval"): _SPAN,
            vol.Optional("maximum", default=DEFAULT_MAXIMUM): vol.All(
                vol.Coerce(int), vol.Range(min=1, max=100)
            ),
        }
    ),
    lambda value: Repeat(**value),
)

_TEXT_FIELDS: Final[dict[Any, Any]] = {
    vol.Optional(Field.CONFIG_ENTRY_ID): cv.string,
    vol.Optional(Field.TITLE): cv.string,
    vol.Optional(Field.MESSAGE): cv.string,
}
SEND_MESSAGE: Final = vol.Schema(
    {
        **COMMON_FIELDS,
        **ANSWERS,
        **_TEXT_FIELDS,
        vol.Optional(Field.REPEAT_UNTIL_ANSWERED): _REPEAT,
    }
)
ASK: Final = vol.Schema(
    {
        **COMMON_FIELDS,
        **ANSWERS,
        **_TEXT_FIELDS,
        vol.Optional(Field.TIMEOUT, default=DEFAULT_TIMEOUT): vol.All(
            cv.positive_time_period, vol.Range(min=SHORTEST_LIFE, max=LONGEST_LIFE)
        ),
    }
)
TEXTS: Final = (Field.MESSAGE, Field.HTML, Field.MARKDOWN)


def require_content(fields: Mapping[str, Any]) -> None:
    """Raise ServiceValidationError for a mail that says nothing."""
    shown = fields.get(Field.CAMERA) or fields.get(Field.CHARTS)
    if not (shown or any(name in fields for name in TEXTS)):
        raise request_error("content_missing", field=Field.MESSAGE)


ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
ATTR_LIMIT: Final = "limit"
ATTR_MESSAGE_ID: Final = "message_id"
ATTR_RECIPIENT: Final = "recipient"
ATTR_SINCE: Final = "since"
ATTR_STATE: Final = "state"
ATTR_UNTIL: Final = "until"

STATES: Final = ("delivered", "deferred", "failed", "handed_over", "dropped")

ACCOUNT: Final = vol.Schema({vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string})
ACCOUNT_AND_MAILS: Final = ACCOUNT.extend(
    {vol.Optional(ATTR_MESSAGE_ID): vol.All(cv.ensure_list, [cv.string])}
)
SEND_AGAIN: Final = ACCOUNT_AND_MAILS
RECENT: Final = ACCOUNT.extend(
    {
        vol.Optional(ATTR_RECIPIENT): cv.string,
        vol.Optional(ATTR_STATE): vol.All(cv.ensure_list, [vol.In(STATES)]),
        vol.Optional(ATTR_SINCE): cv.datetime,
        vol.Optional(ATTR_UNTIL): cv.datetime,
        vol.Optional(ATTR_LIMIT, default=50): vol.All(vol.Coerce(int), vol.Range(min=1, max=1000)),
    }
)

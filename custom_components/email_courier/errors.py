"""From failures to exceptions that an automation's owner can read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
import errno
import re
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .mail.compose.content import ContentError
from .mail.failure import Failure, FailureKind
from .mail.files import FileError, FileFault
from .mail.outbox.submission import OutboxError, OutboxReason
from .phrases import Phrases
from .reader import async_reader

type Wording = Callable[[Phrases], Mapping[str, str]]
"""Returns the values of an error's text in the language of the phrases."""

if TYPE_CHECKING:
    from .mail.outbox.courier import Courier

_OWN_FAULT = frozenset({FailureKind.INVALID_SENDER, FailureKind.INVALID_RECIPIENT})
_FILE_FAULTS: Final = {
    FileFault.NOT_FOUND: "file_not_found",
    FileFault.EMPTY: "file_empty",
    FileFault.TOO_LARGE: "file_too_large",
}
_DISK_FAULTS: Final = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "disk_read_only",
    errno.EACCES: "disk_denied",
    errno.EPERM: "disk_denied",
}


class CourierError(HomeAssistantError):
    """An error some of whose values are sentences.

    As text, in the log and in traces, it is English, as all errors of Home Assistant are. The
    values are English, too, until somebody is known who reads them.
    """

    def __init__(self, key: str, wording: Wording) -> None:
        """Take the key of the text, and what words its values."""
        super().__init__(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders=dict(wording(Phrases.async_english())),
        )
        self._wording = wording

    def __str__(self) -> str:
        return super().__str__().strip()

    def values_in(self, phrases: Phrases) -> dict[str, str]:
        """Return the values of the text in the language of the phrases."""
        return dict(self._wording(phrases))

    def word(self, phrases: Phrases) -> None:
        """Put the values into the language of who reads them; as text it stays English."""
        str(self)
        self.translation_placeholders = self.values_in(phrases)


class CourierRequestError(CourierError, ServiceValidationError):
    """The same for a request that cannot be carried out as it is."""


@asynccontextmanager
async def async_worded(hass: HomeAssistant) -> AsyncIterator[None]:
    """Put the errors of an action into the language of who has called it by hand."""
    try:
        yield
    except CourierError as error:
        if (reader := await async_reader(hass)) is not None:
            error.word(await Phrases.async_load(hass, reader))
        raise


async def async_error_text(hass: HomeAssistant, error: HomeAssistantError) -> str:
    """Return what one of our errors says in the language of the home; as text it is English."""
    texts = await async_get_translations(hass, hass.config.language, "exceptions", [DOMAIN])
    text = texts.get(f"component.{DOMAIN}.exceptions.{error.translation_key}.message")
    if text is None:
        return str(error)
    values: Mapping[str, str] = error.translation_placeholders or {}
    if isinstance(error, CourierError):
        values = error.values_in(await Phrases.async_load(hass))
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], "-"), text).strip()


def request_error(key: str, **values: str) -> ServiceValidationError:
    """Return the exception for a request that cannot be carried out as it is."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=values
    )


def action_error(key: str, **values: str) -> HomeAssistantError:
    """Return the exception for what went wrong outside of the request."""
    return HomeAssistantError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=values
    )


def error_for_failure(failure: Failure, *, account: str) -> HomeAssistantError:
    """Return the exception for a failure; it quotes the server."""
    kind = CourierRequestError if failure.kind in _OWN_FAULT else CourierError
    return kind(
        failure.kind.value,
        lambda phrases: {**placeholders(failure, phrases), "account": account},
    )


def error_for_content(error: ContentError) -> ServiceValidationError:
    """Return the exception for content that cannot be sent; it names the field."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=error.reason.value,
        translation_placeholders={"field": error.field, **error.facts},
    )


def error_for_outbox(error: OutboxError, *, account: str) -> HomeAssistantError:
    """Return the exception for a mail that could be neither delivered nor kept."""
    return CourierError(
        {
            OutboxReason.FULL: "outbox_full",
            OutboxReason.DISK: "outbox_disk",
            OutboxReason.FLOOD: "outbox_flood",
            OutboxReason.SUSPENDED: "account_paused",
        }[error.reason],
        lambda phrases: {"account": account, "detail": _disk_fault(error.system, phrases)},
    )


def error_for_disk(error: OSError, *, account: str) -> HomeAssistantError:
    """Return the exception for a folder that could not be read or written."""
    return CourierError(
        "outbox_disk",
        lambda phrases: {"account": account, "detail": _disk_fault(error.errno, phrases)},
    )


def error_for_pause(error: OSError, *, account: str) -> HomeAssistantError:
    """Return the exception for a pause that could not be written to disk."""
    return CourierError(
        "pause_not_saved",
        lambda phrases: {"account": account, "detail": _disk_fault(error.errno, phrases)},
    )


def _disk_fault(number: int | None, phrases: Phrases) -> str:
    name = _DISK_FAULTS.get(number or 0)
    return phrases.say(name) if name else ""


def file_fault(error: OSError) -> str:
    """Return the name of the phrase that says why a file cannot be read."""
    fault = error.fault if isinstance(error, FileError) else FileFault.UNREADABLE
    return _FILE_FAULTS.get(fault, "file_unreadable")


def said(failure: Failure, phrases: Phrases) -> str:
    """Quote the server, and say why, where the kind of the failure does not say it."""
    quoted = phrases.say("said", reply=failure.heard) if failure.heard else ""
    return " ".join(filter(None, [quoted, cause(failure, phrases)]))


def cause(failure: Failure, phrases: Phrases) -> str:
    """Return the sentence that says why; nothing where there is none, or none is known here."""
    name = failure.facts.get("cause", "")
    if name not in phrases:
        return ""
    facts = failure.facts
    reason = facts.get("reason", "")
    return phrases.say(
        name,
        address=facts.get("address", "-"),
        path=facts.get("path", "-"),
        reason=phrases.say(reason) if reason in phrases else "",
    ).strip()


def async_raise_if_not_trying(courier: Courier, account: str) -> None:
    """Raise HomeAssistantError where waiting mail is not tried, whoever asks for it."""
    if courier.is_suspended:
        raise action_error("account_paused", account=account)
    if (refusal := courier.paused) is not None:
        raise error_for_failure(refusal, account=account)


def placeholders(failure: Failure, phrases: Phrases) -> dict[str, str]:
    """Return what the texts of failures name; every text finds every name."""
    facts = failure.facts
    return {
        "reply": failure.heard or cause(failure, phrases) or "-",
        "said": said(failure, phrases),
        "address": facts.get("address", "-"),
        "protocol": facts.get("protocol", "?"),
        "offered": facts.get("offered", "-"),
        "size": _megabytes(facts.get("size"), phrases),
        "limit": _megabytes(facts.get("limit"), phrases),
        "names": facts.get("names", "-"),
        "host": facts.get("host", "-"),
        "subject": facts.get("subject", "-"),
        "issuer": facts.get("issuer", "-"),
        "not_before": facts.get("not_before", "-"),
        "not_after": facts.get("not_after", "-"),
        "fingerprint": facts.get("fingerprint", "-"),
    }


def _megabytes(octets: str | None, phrases: Phrases) -> str:
    return "?" if octets is None else phrases.megabytes(int(octets))

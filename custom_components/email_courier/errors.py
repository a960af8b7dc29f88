"""From failures to exceptions that an automation's owner can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import DOMAIN
from .mail.compose.content import ContentError
from .mail.failure import Failure, FailureKind
from .mail.outbox.submission import OutboxError, OutboxReason

if TYPE_CHECKING:
    from .mail.outbox.courier import Courier

_OWN_FAULT = frozenset({FailureKind.INVALID_SENDER, FailureKind.INVALID_RECIPIENT})


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
    kind = ServiceValidationError if failure.kind in _OWN_FAULT else HomeAssistantError
    return kind(
        translation_domain=DOMAIN,
        translation_key=failure.kind.value,
        translation_placeholders={**placeholders(failure), "account": account},
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
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key={
            OutboxReason.FULL: "outbox_full",
            OutboxReason.DISK: "outbox_disk",
            OutboxReason.FLOOD: "outbox_flood",
            OutboxReason.SUSPENDED: "account_paused",
        }[error.reason],
        translation_placeholders={"account": account, "detail": str(error)},
    )


def async_raise_if_not_trying(courier: Courier, account: str) -> None:
    """Raise HomeAssistantError where waiting mail is not tried, whoever asks for it."""
    if courier.is_suspended:
        raise action_error("account_paused", account=account)
    if (refusal := courier.paused) is not None:
        raise error_for_failure(refusal, account=account)


def placeholders(failure: Failure) -> dict[str, str]:
    """Return what the texts of failures name; every text finds every name."""
    facts = failure.facts
    return {
        "reply": failure.server_words or "-",
        "address": facts.get("address", "-"),
        "protocol": facts.get("protocol", "?"),
        "offered": facts.get("offered", "-"),
        "size": _megabytes(facts.get("size")),
        "limit": _megabytes(facts.get("limit")),
        "names": facts.get("names", "-"),
        "host": facts.get("host", "-"),
        "subject": facts.get("subject", "-"),
        "issuer": facts.get("issuer", "-"),
        "not_before": facts.get("not_before", "-"),
        "not_after": facts.get("not_after", "-"),
        "fingerprint": facts.get("fingerprint", "-"),
    }


def _megabytes(octets: str | None) -> str:
    if octets is None:
        return "?"
    megabytes = int(octets) / 1_000_000
    return f"{megabytes:.1f}" if megabytes >= 0.1 else f"{megabytes:.2g}"

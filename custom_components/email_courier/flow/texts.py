"""What the pages of the set-up dialog say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from shlex import quote
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST

from ..const import CONF_SENDER
from ..errors import placeholders, said
from ..mail.failure import LOGIN_REFUSED, Failure, FailureKind, Permanence, Stage
from ..mail.hostname import host_to_ascii
from ..mail.settings import (
    SUBMISSIONS_PORT,
    Encryption,
    ServerSettings,
    format_fingerprint,
)
from ..phrases import Phrases, as_code
from .draft import Draft
from .pasted import is_surrounded_by_blanks

if TYPE_CHECKING:
    from ..mail.discovery.model import Discovery
    from ..mail.smtp.session import Proof
    from ..mail.smtp.tls import Certificate

_DOCS = "https://github.com/email-courier/email-courier/blob/main/docs"


NEXT_STEPS: Final = "next_steps"
"""The text that ends the dialog once somebody can be written to."""

NEXT_PAGES: Final = {
    "automations": "/config/automation/dashboard",
    "actions": f"{_DOCS}/actions.md",
    "blueprints": f"{_DOCS}/blueprints.md",
}
"""The pages that it leads to."""


def typing_error(kind: FailureKind, stage: Stage, sentence: str) -> Failure:
    """Return the failure of what was refused here, before any server was asked.

    sentence: the name of the phrase that says what is wrong.
    """
    return Failure(kind, stage, Permanence.PERMANENT, facts={"cause": sentence})


def error_values(
    failure: Failure, draft: Draft, phrases: Phrases, remedy: ServerSettings | None = None
) -> dict[str, str]:
    """Return the values of an error's text: the server's words, facts and the remedy."""
    return {
        **placeholders(failure, phrases),
        "sender": draft.sender,
        "host": draft.host,
        "port": str(draft.port),
        "said": " ".join(filter(None, [said(failure, phrases), *_hints(failure, draft, phrases)])),
        "remedy": _remedy(remedy, draft, phrases),
    }


def _hints(failure: Failure, draft: Draft, phrases: Phrases) -> Iterator[str]:
    """Yield what a person may not have seen of what was typed."""
    if failure.kind in LOGIN_REFUSED and is_surrounded_by_blanks(draft.password or ""):
        yield phrases.say("password_with_blanks")


def origin_text(found: Discovery | None, phrases: Phrases) -> str:
    """Say where the proposed server comes from."""
    if found is None:
        return ""
    provider = found.provider.name if found.provider else ""
    text = phrases.say(f"origin_{found.origin.value}", provider=provider)
    if found.best is not None and not found.best.verified:
        text += " " + phrases.say("origin_unverified", host=as_code(found.best.host))
    return text


def login_text(found: Discovery | None, phrases: Phrases) -> str:
    """Say what the provider wants to see in the login fields, with its own help page."""
    if found is None:
        return ""
    provider = found.provider.name if found.provider else phrases.say("your_provider")
    sentences = []
    if found.secret != "password":
        sentences.append(phrases.say(f"secret_{found.secret.value}", provider=provider))
    sentences += [phrases.say(f"hint_{hint.value}", provider=provider) for hint in found.hints]
    if found.help_url:
        sentences.append(phrases.say("help", provider=provider, url=found.help_url))
    return "\n\n".join(sentences)


def existing_text(accounts: Iterable[ConfigEntry], phrases: Phrases) -> str:
    """Name the accounts that are set up already, each with its server."""
    named = ", ".join(
        f"{as_code(account.data[CONF_SENDER])} ({as_code(account.data[CONF_HOST])})"
        for account in accounts
    )
    return phrases.say("already_set_up", accounts=named) if named else ""


def server_line(draft: Draft, phrases: Phrases) -> str:
    """Name the server that the login goes to, its port and its encryption."""
    return phrases.say(
        "login_server",
        host=as_code(draft.host),
        port=str(draft.port),
        encryption=phrases.say(f"encryption_{draft.encryption.value}"),
    )


def comparison_text(draft: Draft, tried: Encryption | None) -> str:
    """Return the command that shows a server's certificate, to compare it with what is shown here.

    tried: the encryption that was found out, where automatic was chosen.
    """
    host = host_to_ascii(draft.host)
    encryption = tried or draft.encryption
    if encryption is Encryption.AUTO:
        at_once = draft.port == SUBMISSIONS_PORT
        encryption = Encryption.TLS if at_once else Encryption.STARTTLS
    place = quote(f"[{host}]:{draft.port}" if ":" in host else f"{host}:{draft.port}")
    starttls = "" if encryption is Encryption.TLS else " -starttls smtp"
    name = "" if _is_ip_address(host) else f" -servername {quote(host)}"
    return (
        f"openssl s_client -connect {place}{starttls}{name} </dev/null"
        " | openssl x509 -noout -fingerprint -sha256"
    )


def _is_ip_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def certificate_text(certificate: Certificate | None, draft: Draft, phrases: Phrases) -> str:
    """Describe the certificate that a person may trust, beside the one that was trusted."""
    if certificate is None:
        return ""
    expected = draft.certificate_fingerprint
    facts = {name: as_code(value) for name, value in certificate.facts().items()}
    text = phrases.say("certificate", **facts)
    if expected and expected != certificate.fingerprint:
        changed = phrases.say("certificate_changed", expected=as_code(format_fingerprint(expected)))
        text = f"{changed}\n\n{text}"
    return text


def proof_text(proof: Proof, draft: Draft, phrases: Phrases) -> str:
    """Sum up what a handshake has shown."""
    summary = phrases.say(
        "proof",
        sender=as_code(draft.sender),
        server=as_code(proof.server),
        host=as_code(draft.host),
        port=str(draft.port),
        encryption=_encryption(proof, draft, phrases),
        certificate=_certificate(proof, phrases),
        login=_login(proof, draft, phrases),
        size=phrases.say("size", megabytes=phrases.megabytes(proof.size_limit))
        if proof.size_limit
        else phrases.say("no_size"),
    )
    return "\n\n".join([summary, *_warnings(draft, phrases)])


def _encryption(proof: Proof, draft: Draft, phrases: Phrases) -> str:
    if proof.tls_version is None:
        return phrases.say("not_encrypted")
    version = proof.tls_version.replace("TLSv", "TLS ")
    return phrases.say(f"encrypted_{draft.encryption.value}", version=version)


def _certificate(proof: Proof, phrases: Phrases) -> str:
    certificate = proof.certificate
    if certificate is None:
        return phrases.say("no_certificate")
    return phrases.say(
        "certificate_short",
        subject=as_code(certificate.subject),
        issuer=as_code(certificate.issuer),
        not_after=certificate.facts()["not_after"],
    )


def _login(proof: Proof, draft: Draft, phrases: Phrases) -> str:
    if proof.mechanism is None or draft.username is None:
        return phrases.say("no_login")
    return phrases.say("login", mechanism=proof.mechanism, username=as_code(draft.username))


def _warnings(draft: Draft, phrases: Phrases) -> list[str]:
    warnings = []
    encrypted = draft.encryption is not Encryption.NONE
    if encrypted and not draft.verify_ssl and draft.certificate_fingerprint is None:
        warnings.append(phrases.say("warning_no_verify"))
    if draft.sends_password_in_clear:
        warnings.append(phrases.say("warning_plain_login"))
    return warnings


def _remedy(remedy: ServerSettings | None, draft: Draft, phrases: Phrases) -> str:
    if remedy is None:
        return ""
    if remedy.host != draft.host:
        return phrases.say("remedy_host", host=remedy.host)
    if remedy.hello_name != draft.hello_name:
        return phrases.say("remedy_hello", hello_name=remedy.hello_name or "")
    return phrases.say(
        "remedy_pair",
        port=str(remedy.port),
        encryption=phrases.say(f"encryption_{remedy.encryption.value}"),
    )

"""What the pages of the set-up dialog say."""

from __future__ import annotations

from .draft import Draft
from .errors import placeholders
from .mail.discovery.model import Discovery, SecretKind
from .mail.failure import Failure
from .mail.handshake import Proof
from .mail.remedy import Diagnosis
from .mail.settings import Encryption
from .mail.tls import format_fingerprint
from .phrases import Phrases, as_code


def error_values(diagnosis: Diagnosis, draft: Draft, phrases: Phrases) -> dict[str, str]:
    """Return the values of an error's text: the server's words, facts and the remedy."""
    failure = diagnosis.failure
    return {
        **placeholders(failure),
        "host": draft.host,
        "port": str(draft.port),
        "said": _said(failure, phrases),
        "remedy": _remedy(diagnosis, draft, phrases),
    }


def no_error_values() -> dict[str, str]:
    """Return the same values for a page without an error."""
    return dict.fromkeys(
        (
            *("reply", "address", "protocol", "offered", "size", "limit", "names", "host"),
            *("subject", "issuer", "not_before", "not_after", "fingerprint", "port", "said"),
            "remedy",
        ),
        "",
    )


def origin_text(found: Discovery | None, phrases: Phrases) -> str:
    """Say where the proposed server comes from."""
    if found is None:
        return ""
    provider = found.provider.name if found.provider else ""
    text = phrases.say(f"origin_{found.origin.value}", provider=provider)
    if found.best is not None and not found.best.verified:
        text += " " + phrases.say("origin_unverified", host=found.best.host)
    return text


def login_text(found: Discovery | None, phrases: Phrases) -> str:
    """Say what the provider wants to see in the login fields, with its own help page."""
    if found is None:
        return ""
    provider = found.provider.name if found.provider else phrases.say("your_provider")
    sentences = []
    if found.secret is not SecretKind.PASSWORD:
        sentences.append(phrases.say(f"secret_{found.secret.value}", provider=provider))
    sentences += [phrases.say(f"hint_{hint.value}", provider=provider) for hint in found.hints]
    if found.help_url:
        sentences.append(phrases.say("help", provider=provider, url=found.help_url))
    return "\n\n".join(sentences)


def certificate_text(diagnosis: Diagnosis | None, draft: Draft, phrases: Phrases) -> str:
    """Describe the certificate that a person may trust, beside the one that was trusted."""
    certificate = diagnosis.certificate if diagnosis else None
    if certificate is None:
        return ""
    expected = draft.certificate_fingerprint
    facts = {name: as_code(value) for name, value in certificate.facts().items()}
    text = phrases.say("certificate", **facts)
    if expected and expected != certificate.fingerprint:
        changed = phrases.say("certificate_changed", expected=as_code(format_fingerprint(expected)))
        text = f"{changed}\n\n{text}"
    return text


def proof_values(proof: Proof, draft: Draft, phrases: Phrases) -> dict[str, str]:
    """Sum up what a handshake has shown."""
    encrypted = draft.encryption is not Encryption.NONE
    certificate = proof.certificate
    return {
        "sender": as_code(draft.sender),
        "server": as_code(proof.server),
        "host": as_code(draft.host),
        "port": str(draft.port),
        "encryption": phrases.say(f"encryption_{draft.encryption.value}"),
        "tls": proof.tls_version or phrases.say("no_tls"),
        "certificate": phrases.say(
            "certificate_short",
            subject=as_code(certificate.subject),
            issuer=as_code(certificate.issuer),
            not_after=f"{certificate.not_after:%Y-%m-%d}",
        )
        if certificate
        else phrases.say("no_certificate"),
        "login": phrases.say("login", mechanism=proof.mechanism, username=as_code(draft.username))
        if proof.mechanism and draft.username
        else phrases.say("no_login"),
        "size": phrases.say("size", megabytes=f"{proof.size_limit / 1_000_000:.0f}")
        if proof.size_limit
        else phrases.say("no_size"),
        "warnings": _warnings(draft, phrases, encrypted=encrypted),
    }


def _warnings(draft: Draft, phrases: Phrases, *, encrypted: bool) -> str:
    warnings = []
    if encrypted and not draft.verify_ssl and draft.certificate_fingerprint is None:
        warnings.append(phrases.say("warning_no_verify"))
    if draft.sends_password_in_clear:
        warnings.append(phrases.say("warning_plain_login"))
    return "\n\n".join(warnings)


def _said(failure: Failure, phrases: Phrases) -> str:
    return phrases.say("said", reply=failure.server_words) if failure.server_words else ""


def _remedy(diagnosis: Diagnosis, draft: Draft, phrases: Phrases) -> str:
    remedy = diagnosis.remedy
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

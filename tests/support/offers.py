"""What a scripted server offers in its reply to EHLO."""

from tests.support.script import Script, Tls


def offers(script: Script, encrypted: bool) -> list[str]:
    """Return the extensions on offer, a line each."""
    lines = []
    if not encrypted and script.tls is Tls.OFFERED:
        lines.append("STARTTLS")
    if names := " ".join(mechanisms(script, encrypted)):
        lines.extend(prefix + names for prefix in script.auth_style.prefixes)
    if script.size_limit is not None:
        lines.append(f"SIZE {script.size_limit}")
    if script.pipelining.is_offered:
        lines.append("PIPELINING")
    if script.smtputf8:
        lines.append("SMTPUTF8")
    if not encrypted and script.capabilities_in_clear is not None:
        return [*lines, *script.capabilities_in_clear]
    return [*lines, *script.capabilities]


def mechanisms(script: Script, encrypted: bool) -> tuple[str, ...]:
    """Return the login mechanisms on offer."""
    return script.mechanisms if encrypted else script.mechanisms_in_clear

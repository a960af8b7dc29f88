"""Writes docs/providers.md from the table of providers."""

from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path
import sys
from typing import Any

ROOT = Path(__file__).parents[2]
MAIL = ROOT / "custom_components/email_courier/mail"
PAGE = ROOT / "docs/providers.md"

HEAD = """\
# Providers

Made by `scripts/docs` from the table that the set-up dialog uses
(`custom_components/email_courier/mail/discovery/providers.json`, where the source of each fact
stands). The first server of each row is the one that is filled in. A provider that is not listed
works as well: the dialog finds it by DNS, by the provider's own configuration file or by
listening, or you enter the server yourself.

| provider | addresses | servers | username | instead of the password | help |
|---|---|---|---|---|---|
"""

SECRETS = {
    "password": "",
    "app_password": "an app password",
    "authorization_code": "an authorization code",
    "api_key": "an API or SMTP key",
    "oauth": "[signing in](oauth.md)",
    "bridge_password": "the bridge's password",
}
USERNAMES = {
    "address": "the address",
    "local_part": "what stands before the @",
    "own": "issued by the provider",
}
SHOWN = 4
"""Domains or servers of one provider that are listed before the rest is counted."""


def page(providers: list[dict[str, Any]]) -> str:
    """Return the whole page."""
    rows = sorted(providers, key=lambda row: str(row["name"]).lower())
    return HEAD + "".join(f"| {' | '.join(_cells(row))} |\n" for row in rows)


def _cells(row: dict[str, Any]) -> Iterator[str]:
    yield row["name"]
    yield _some([f"@{domain}" for domain in row["domains"]])
    yield _some(
        [f"`{s['host']}` {s['port']} {str(s['encryption']).upper()}" for s in row["servers"]]
    )
    form = str(row["username"])
    yield USERNAMES.get(form) or f"`{form.removeprefix('fixed:')}`"
    yield SECRETS[row["secret"]]
    yield f"[page]({row['help_url']})" if row["help_url"] else ""


def _some(items: list[str]) -> str:
    more = len(items) - SHOWN
    return "<br>".join(items[:SHOWN]) + (f"<br>and {more} more" if more > 0 else "")


def main() -> int:
    """Write the page; with --check only tell whether it is up to date."""
    text = page(json.loads((MAIL / "discovery/providers.json").read_text("utf-8")))
    if "--check" in sys.argv:
        if PAGE.read_text("utf-8") == text:
            return 0
        print("docs/providers.md is not what the table says: run scripts/docs", file=sys.stderr)
        return 1
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

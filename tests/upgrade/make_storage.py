"""Makes tests/fixtures/storage-1.0.0.zip with the code of version 1.0.0, out of its release.

    python -m tests.upgrade.make_storage      from the project's root, in the environment "harness"

Every account, recipient, mail and note in it was written by that version while scripted servers
answered as they had to. Two crashes are made by hand with that version's own code: one in the
middle of a digest, and one at the final dot of a mail. Ids of accounts and recipients are the same
each time; times and Message-IDs are those of the run. Ports and files of the machine that it runs
on are replaced at the end.
"""

import asyncio
import os
from pathlib import Path
import sys
import tempfile
import time
from types import MappingProxyType
from typing import Any, Final
from unittest import mock

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigSubentryDataWithId
from homeassistant.core import HomeAssistant

from tests.upgrade.house import DOMAIN, pass_time, running, start
from tests.upgrade.mails import come_too_fast, come_too_fast_for_all, leave_past, leave_waiting
from tests.upgrade.servers import PASSWORD, TOKEN, USERNAME, Certificates, Servers, serving
from tests.upgrade.storage import OUTBOX, STORED, install, pack, rewrite

ENCRYPTION: Final = {
    "Office": "tls",
    "Company": "tls",
    "Token": "tls",
    "Relay": "none",
    "Plain": "none",
}
"""STARTTLS where nothing is said."""
DATA: Final[dict[str, dict[str, Any]]] = {
    "Relay": {"sender": "relay@example.test", "username": None, "password": None},
    "Plain": {"allow_plain_login": True},
    "Pinned": {"certificate_fingerprint": "made later"},
    "Token": {
        "password": None,
        "sign_in": {
            "provider": "custom",
            "authorize_url": "https://login.example.test/authorize",
            "token_url": "https://login.example.test/token",
            "scope": "mail.send",
            "client_id": "courier-test",
            "client_secret": "a-client-secret-of-a-test",
        },
        "token": {
            "access_token": TOKEN,
            "refresh_token": "a-refresh-token-of-a-test",
            "token_type": "Bearer",
            "expires_in": 7200,
            "expires_at": time.time() + 7200,
        },
    },
}
OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "Office": {
        "sender_name": "Our office",
        "reply_to": ["Anna <anna@example.test>", "office@example.test"],
        "timeout": 17,
        "hello_name": "office.example.test",
        "write_first": True,
        "max_mails": 3,
        "max_megabytes": 2,
        "drop_large_attachments": True,
    },
    "Company": {"ca_file": "made later"},
    "Backed": {"backup_account": "relay", "backup_after": 5},
    "Guarded": {"flood_limit": 1},
}
RECIPIENTS: Final[dict[str, dict[str, dict[str, list[str]]]]] = {
    "Home": {
        "Bea": {"to": ["bea@example.test"]},
        "Family": {
            "to": ["Bea Bär <bea@example.test>", "carl@example.test"],
            "cc": ['"Dora, the neighbour" <dora@example.test>'],
            "bcc": ["eva@example.test"],
        },
    },
    "Office": {"Desk": {"to": ["desk@example.test"]}},
}
STORED_PLACES: Final[dict[str, Any]] = {
    "host": "mail.example.test",
    "port": 587,
    "certificate_fingerprint": "00" * 32,
    "ca_file": "/config/company.pem",
}


def entry_of(title: str, servers: Servers) -> ConfigEntry:
    """Return an account as the dialog of 1.0.0 stores it."""
    data = {
        "sender": USERNAME,
        "host": "mail.example.test",
        "port": 587,
        "encryption": ENCRYPTION.get(title, "starttls"),
        "verify_ssl": True,
        "username": USERNAME,
        "password": PASSWORD,
        **DATA.get(title, {}),
    }
    options = dict(OPTIONS.get(title, {}))
    for values in (data, options):
        values.update({k: v for k, v in servers.changes[title].items() if k in values})
    return ConfigEntry(
        domain=DOMAIN,
        entry_id=title.lower(),
        title=title,
        data={name: value for name, value in data.items() if value is not None},
        options=options,
        subentries_data=[
            ConfigSubentryDataWithId(
                data=addresses,
                subentry_id=f"{title}-{name}".lower(),
                subentry_type="recipient",
                title=name,
                unique_id=None,
            )
            for name, addresses in RECIPIENTS.get(title, {}).items()
        ],
        source=SOURCE_USER,
        unique_id=None,
        version=1,
        minor_version=1,
        discovery_keys=MappingProxyType({}),
    )


async def interrupt_digest(hass: HomeAssistant) -> None:
    """Stop in the middle: the digest is written, and what it stands for is still there."""
    from custom_components.email_courier.mail.outbox.merges import Merges  # noqa: PLC0415

    source = str(sys.modules[f"custom_components.{DOMAIN}"].__file__)
    assert Path(source).is_relative_to(hass.config.config_dir), source
    with mock.patch.object(Merges, "end", side_effect=OSError("stopped here")):
        await pass_time(hass, minutes=61)


def crash_at_dot(config: Path) -> None:
    """Leave a mail as a crash between its final dot and the answer does."""
    from custom_components.email_courier.mail.outbox.mail_id import MailId  # noqa: PLC0415
    from custom_components.email_courier.mail.outbox.store import Store  # noqa: PLC0415

    store = Store(config / OUTBOX / "home")
    [path] = [p for p in store.folder.glob("*.json") if b'"At the dot"' in p.read_bytes()]
    mail_id = MailId.parse(path.stem)
    assert mail_id is not None
    store.mark_dot(mail_id)


async def make(config: Path) -> None:
    """Run version 1.0.0 through all of it."""
    install(config)
    sys.path.insert(0, str(config))
    certificates = Certificates()
    authority = config / "authority.pem"
    authority.write_text(certificates.authority_pem)
    os.environ["REQUESTS_CA_BUNDLE"] = str(authority)
    async with serving(certificates, config) as servers:
        async with running(config) as hass:
            await start(hass)
            for title in servers:
                await hass.config_entries.async_add(entry_of(title, servers))
            await hass.async_block_till_done()
            await leave_past(hass, servers)
            await come_too_fast(hass)
            await interrupt_digest(hass)
            await come_too_fast_for_all(hass)
            await servers.stop()
            await leave_waiting(hass)
        rewrite(config, dict.fromkeys(servers, STORED_PLACES))
        crash_at_dot(config)
    pack(config)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(make(Path(folder).resolve()))
    print(f"{STORED.name}: {STORED.stat().st_size} bytes")  # noqa: T201 - told to who has run it

"""The servers that the stored accounts belong to."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from tests.support.certificates import Certificates, ServerTls
from tests.support.record import Mail
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_LOGIN,
    PLAIN_RELAY,
    TOKEN,
    USERNAME,
    Script,
    Step,
    hang_up,
)
from tests.support.scripted_server import ScriptedServer

__all__ = ["PASSWORD", "TOKEN", "USERNAME", "Certificates", "Mail", "Step", "hang_up"]

SCRIPTS: Final[dict[str, Script]] = {
    "Home": HEALTHY,
    "Office": HEALTHY_TLS,
    "Relay": PLAIN_RELAY,
    "Plain": PLAIN_LOGIN,
    "Pinned": HEALTHY.but(tls_kind=ServerTls.SELF_SIGNED),
    "Company": HEALTHY_TLS,
    "Token": HEALTHY_TLS.but(mechanisms=("XOAUTH2",), users={}),
    "Backed": HEALTHY,
    "Guarded": HEALTHY,
}
"""By the title of the account. That of Company is certified by an authority of its own."""


class Servers(dict[str, ScriptedServer]):
    """All servers by the title of their account, and what the accounts must store to reach them."""

    changes: dict[str, dict[str, Any]]

    async def stop(self, *titles: str) -> None:
        """Stop some, or all; where they listened, nobody does."""
        for title in titles or self:
            await self[title].stop()

    async def start(self, *titles: str) -> None:
        """Start some again, or all, where they were; they are healthy then."""
        for title in titles or self:
            self[title].script = SCRIPTS[title]
            await self[title].start()

    def taken(self) -> dict[str, list[Mail]]:
        """Return the mails that each took since this was asked last."""
        mails = {title: [*server.record.mails] for title, server in self.items()}
        for server in self.values():
            server.record.mails.clear()
        return mails


@asynccontextmanager
async def serving(certificates: Certificates, folder: Path) -> AsyncIterator[Servers]:
    """Serve all accounts. folder: for the authority's file."""
    company = Certificates()
    ca_file = folder / "company.pem"
    ca_file.write_text(company.authority_pem)
    async with AsyncExitStack() as stack:
        servers = Servers()
        for title, script in SCRIPTS.items():
            server = ScriptedServer(script, company if title == "Company" else certificates)
            servers[title] = await stack.enter_async_context(server)
        servers.changes = {
            title: {
                "host": server.host,
                "port": server.port,
                "certificate_fingerprint": certificates.fingerprint(ServerTls.SELF_SIGNED),
                "ca_file": str(ca_file),
            }
            for title, server in servers.items()
        }
        yield servers

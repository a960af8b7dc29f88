"""The test bed as pytest fixtures; a `conftest.py` imports those that it wants."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.support.certificates import Certificates
from tests.support.listener import LOOPBACK
from tests.support.network import Network, small_internet
from tests.support.other_protocols import OtherProtocol, OtherProtocolServer
from tests.support.script import HEALTHY, Script
from tests.support.scripted_server import ScriptedServer


@pytest.fixture(scope="session", autouse=True)
def unmeasured_programs() -> Iterator[None]:
    """Keep coverage to the tests' own process: what they start and kill is no part of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    """One authority for all tests."""
    return Certificates()


class Bed:
    """Starts servers for one test."""

    def __init__(self, certificates: Certificates, stack: AsyncExitStack) -> None:
        """Stop what was started as the stack unwinds."""
        self.certificates = certificates
        self._stack = stack

    async def serve(
        self, script: Script = HEALTHY, *, hosts: tuple[str, ...] = (LOOPBACK,)
    ) -> ScriptedServer:
        """Start a server that follows a script."""
        server = ScriptedServer(script, self.certificates, hosts=hosts)
        return await self._stack.enter_async_context(server)

    async def host(self, stranger: OtherProtocol) -> OtherProtocolServer:
        """Start a server that is no mail server."""
        server = OtherProtocolServer(stranger, self.certificates)
        return await self._stack.enter_async_context(server)


@pytest.fixture
async def bed(certificates: Certificates) -> AsyncIterator[Bed]:
    """Servers that are stopped when the test is over."""
    async with AsyncExitStack() as stack:
        yield Bed(certificates, stack)


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    """Host names that lead to test servers; no other name resolves."""
    with small_internet() as network:
        yield network

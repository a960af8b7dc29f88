"""The Home Assistant layer is tested in Home Assistant's harness, against servers on loopback."""

from collections.abc import Iterator

import pytest

# Before the harness puts a folder of its own with the name `custom_components` on the path.
import custom_components.email_courier
from custom_components.email_courier.mail.discovery.dns import SystemResolver
from tests.support.certificates import Certificates
from tests.support.fixtures import bed, certificates, network, unmeasured_programs

__all__ = ["bed", "certificates", "custom_components", "network", "unmeasured_programs"]


@pytest.fixture(scope="session", autouse=True)
def _trusted_authority(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Home Assistant trusts the authority of the test servers, and no other."""
    bundle = tmp_path_factory.mktemp("authority") / "ca.pem"
    bundle.write_text(certificates.authority_pem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        yield


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Keep what is written in a folder of the test's own."""
    return hass_tmp_config_dir


@pytest.fixture(autouse=True)
def _open_loopback(socket_enabled: None) -> None:
    """Let connections be made; the harness lets them lead to loopback alone."""


@pytest.fixture(autouse=True)
def _no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask nobody outside: at this port of loopback no name server answers."""
    monkeypatch.setattr(SystemResolver.__init__, "__defaults__", (["127.0.0.1:1"],))


@pytest.fixture(autouse=True)
def _custom_integration(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant load the integration, after the recorder where a test wants it."""
    if "recorder_mock" in request.fixturenames:
        request.getfixturevalue("recorder_mock")
    request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(autouse=True)
async def enable_event_loop_debug() -> None:
    """Leave asyncio's debug mode off, in which the harness spends half of its time.

    PYTHONASYNCIODEBUG=1 turns it on.
    """

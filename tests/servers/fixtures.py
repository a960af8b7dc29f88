"""The real servers as pytest fixtures; a `conftest.py` imports those that it wants."""

from collections.abc import Iterator
import os

import pytest

from custom_components.email_courier.mail.settings import Trust
from tests.support.certificates import Certificates

from .fleet import NAMES, Fleet
from .installation import reason_to_skip
from .server import RunningServer


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Fleet]:
    """Servers that are stopped when the last test is over.

    Where there are none the tests are skipped; with EMAIL_COURIER_ALL=1 they fail.
    """
    if reason := reason_to_skip():
        if os.environ.get("EMAIL_COURIER_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    fleet = Fleet(tmp_path_factory.mktemp("servers"), certificates)
    yield fleet
    fleet.stop()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Trust:
    """Trust in the authority that issued the servers' certificates."""
    file = tmp_path_factory.mktemp("authority") / "authority.pem"
    file.write_text(certificates.authority_pem)
    return Trust(ca_file=str(file))


@pytest.fixture(params=NAMES)
def server(request: pytest.FixtureRequest, fleet: Fleet) -> RunningServer:
    """Each of the four servers in turn, set up well, with empty mailboxes."""
    server = fleet.standing(request.param)
    server.clear()
    return server

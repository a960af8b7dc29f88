"""Who speaks at a port, however its first words arrive."""

import pytest

from custom_components.email_courier.mail.verify.probe import Speaker, listen
from tests.support.fixtures import Bed
from tests.support.other_protocols import (
    CLOSING,
    FTP,
    HTTP,
    IMAP,
    MYSQL,
    RESETTING,
    SILENT,
    OtherProtocol,
)
from tests.support.script import HEALTHY, HEALTHY_TLS, Script, Step, drip, split


@pytest.mark.parametrize(
    ("script", "speaker"),
    [
        (HEALTHY, Speaker.SMTP),
        (HEALTHY.but(answers={Step.GREETING: split(1)}), Speaker.SMTP),
        (HEALTHY.but(answers={Step.GREETING: drip(0.3)}), Speaker.SMTP),
        (HEALTHY_TLS, Speaker.TLS),
        (HEALTHY_TLS.but(answers={Step.TLS: drip(0.3)}), Speaker.TLS),
    ],
    ids=["smtp", "smtp in two segments", "smtp in drops", "tls", "tls in drops"],
)
async def test_a_mail_server_is_known_by_its_first_bytes(
    bed: Bed, script: Script, speaker: Speaker
) -> None:
    server = await bed.serve(script)
    heard = await listen(server.host, server.port)
    assert heard.speaker is speaker
    assert await server.all_closed()


@pytest.mark.parametrize(
    ("stranger", "speaker", "protocol"),
    [
        (IMAP, Speaker.OTHER, "IMAP"),
        (HTTP, Speaker.OTHER, "HTTP"),
        (MYSQL, Speaker.OTHER, "?"),
        (SILENT, Speaker.SILENT, ""),
        (FTP, Speaker.OTHER, "FTP"),
        (CLOSING, Speaker.CLOSED, ""),
        (RESETTING, Speaker.CLOSED, ""),
    ],
    ids=lambda value: value.name if isinstance(value, OtherProtocol) else str(value),
)
async def test_another_server_is_told_from_one(
    bed: Bed, stranger: OtherProtocol, speaker: Speaker, protocol: str
) -> None:
    server = await bed.host(stranger)
    heard = await listen(server.host, server.port)
    assert (heard.speaker, heard.protocol) == (speaker, protocol)
    assert await server.all_closed()

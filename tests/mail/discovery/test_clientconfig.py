"""Reading configuration files that anybody may have written."""

import contextlib

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.address import Mailbox
from custom_components.email_courier.mail.discovery.clientconfig import read_outgoing_servers
from custom_components.email_courier.mail.discovery.model import LookupFailed

GOOD = b"""<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="stand-in.email">
    <domain>stand-in.email</domain>
    <displayName>Stand-in &amp; Sons</displayName>
    <incomingServer type="imap">
      <hostname>imap.stand-in.email</hostname>
      <port>993</port>
      <socketType>SSL</socketType>
      <username>imap-user</username>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname> SMTP.%EMAILDOMAIN% </hostname>
      <port>465</port>
      <socketType>SSL</socketType>
      <username>%EMAILLOCALPART%</username>
      <authentication>OAuth2</authentication>
      <authentication>password-cleartext</authentication>
      <extra><hostname>not.this.one</hostname></extra>
    </outgoingServer>
    <outgoingServer type="jmap"><hostname>jmap.stand-in.email</hostname></outgoingServer>
    <outgoingServer type="smtp">
      <hostname>smtp2.stand-in.email</hostname>
      <port>587</port>
      <socketType>STARTTLS</socketType>
      <username>%EMAILADDRESS%</username>
    </outgoingServer>
  </emailProvider>
  <webMail><outgoingServer type="smtp"><hostname>web.evil.net</hostname></outgoingServer></webMail>
</clientConfig>
"""


def test_the_outgoing_servers_come_in_their_order() -> None:
    first, second = read_outgoing_servers(GOOD)

    assert (first.hostname, first.port, first.socket_type) == ("SMTP.%EMAILDOMAIN%", 465, "SSL")
    assert first.authentication == ["OAuth2", "password-cleartext"]
    assert not first.wants_oauth_only
    assert (second.hostname, second.port, second.socket_type) == (
        "smtp2.stand-in.email",
        587,
        "STARTTLS",
    )


def test_placeholders_are_filled_in() -> None:
    first, second = read_outgoing_servers(GOOD)
    mailbox = Mailbox("jane.doe@stand-in.email")

    assert first.fill_in(mailbox).hostname == "smtp.stand-in.email"
    assert first.fill_in(mailbox).username == "jane.doe"
    assert second.fill_in(mailbox).username == "jane.doe@stand-in.email"


def test_a_server_that_only_takes_oauth_says_so() -> None:
    document = GOOD.replace(b"<authentication>password-cleartext</authentication>", b"")

    assert read_outgoing_servers(document)[0].wants_oauth_only


def test_a_port_that_is_no_number_is_none() -> None:
    for port in (b"", b"smtp", b"-1", b"4 65", b"999999999999", "\u0664\u0666\u0665".encode()):
        document = GOOD.replace(b"<port>465</port>", b"<port>" + port + b"</port>")
        assert read_outgoing_servers(document)[0].port == 0


def test_a_document_of_another_kind_has_no_servers() -> None:
    assert read_outgoing_servers(b"<html><body/></html>") == []


BILLION_LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY lol "lol">
 <!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
 <!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">
]>
<clientConfig>&lol3;</clientConfig>
"""
PEEPING = b"""<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<clientConfig><emailProvider><outgoingServer type="smtp"><hostname>&x;</hostname>
</outgoingServer></emailProvider></clientConfig>
"""
REMOTE_TYPE = b"""<!DOCTYPE clientConfig SYSTEM "http://evil.net/x.dtd"><clientConfig/>"""


@pytest.mark.parametrize("document", [BILLION_LAUGHS, PEEPING, REMOTE_TYPE])
def test_a_document_type_is_refused_before_anything_is_expanded(document: bytes) -> None:
    with pytest.raises(LookupFailed, match="document type"):
        read_outgoing_servers(document)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"not xml",
        b"<clientConfig>",
        b"<clientConfig>&unknown;</clientConfig>",
        b"<a></b>",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="base64"?><a/>',
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        b'<?xml version="1.0" encoding="idna"?><a/>',
        b'<?xml version="1.0" encoding="gb18030"?><a/>',
        b'<?xml version="1.0" encoding="no-such-thing"?><a/>',
        b"<a>" * 1000,
    ],
)
def test_what_is_no_xml_is_a_failed_lookup(document: bytes) -> None:
    with pytest.raises(LookupFailed):
        read_outgoing_servers(document)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(LookupFailed, match="nested"):
        read_outgoing_servers(b"<a>" * 50 + b"</a>" * 50)


def test_a_flood_of_servers_is_cut_off() -> None:
    flood = b'<outgoingServer type="smtp"></outgoingServer>' * 500
    document = b"<clientConfig><emailProvider>" + flood + b"</emailProvider></clientConfig>"

    assert len(read_outgoing_servers(document)) <= 20


@given(
    st.binary(max_size=400) | st.binary(max_size=80).map(lambda raw: GOOD[:700] + raw + GOOD[700:])
)
def test_no_bytes_do_more_than_fail(document: bytes) -> None:
    with contextlib.suppress(LookupFailed):
        read_outgoing_servers(document)

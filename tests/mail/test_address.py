"""Addresses as people type them."""

from email.headerregistry import HeaderRegistry
from typing import Any

from hypothesis import example, given, strategies as st
import pytest

from custom_components.email_courier.mail.address import (
    MAX_ADDRESS,
    Mailbox,
    parse_mailbox,
    parse_mailboxes,
)
from custom_components.email_courier.mail.compose.fields import mailbox_list
from custom_components.email_courier.mail.failure import (
    Cause,
    FailureKind,
    MailError,
    Permanence,
    Stage,
)

ODD = st.text(alphabet=st.sampled_from('ab.@<>",;\\ []()\r\n\x00\t:éß日\u037e\u200d\ud800'))
ANY = ODD | st.text()


@pytest.mark.parametrize(
    ("typed", "address", "name"),
    [
        ("anna@example.test", "anna@example.test", ""),
        ("  anna@example.test ", "anna@example.test", ""),
        ("<anna@example.test>", "anna@example.test", ""),
        ("Anna <anna@example.test>", "anna@example.test", "Anna"),
        ("Anna<anna@example.test>", "anna@example.test", "Anna"),
        ('"Lang, Anna" <anna@example.test>', "anna@example.test", "Lang, Anna"),
        ('"say \\"hi\\"" <anna@example.test>', "anna@example.test", 'say "hi"'),
        ("Zoë Müller <zoe@example.test>", "zoe@example.test", "Zoë Müller"),
        ("Anna (home) <anna@example.test>", "anna@example.test", "Anna (home)"),
        ("👩‍👧 <anna@example.test>", "anna@example.test", "👩‍👧"),
        ("anna@x.test <anna@example.test>", "anna@example.test", "anna@x.test"),
        ("anna@EXAMPLE.Test", "anna@example.test", ""),
        ("Anna@example.test", "Anna@example.test", ""),
        ("haus@bücher.example", "haus@xn--bcher-kva.example", ""),
        ("haus@xn--bcher-kva.example", "haus@xn--bcher-kva.example", ""),
        ("haus@日本。example", "haus@xn--wgv71a.example", ""),
        ("root@localhost", "root@localhost", ""),
        ("a+b/c=d@example.test", "a+b/c=d@example.test", ""),
        ('"two words"@example.test', '"two words"@example.test', ""),
        ('"a@b,c"@example.test', '"a@b,c"@example.test', ""),
        ('"anna"@example.test', "anna@example.test", ""),
        ('"an\\na"@example.test', "anna@example.test", ""),
        ("jörg@example.test", "jörg@example.test", ""),
        ("jo\u0308rg@example.test", "jörg@example.test", ""),
        ("a@[192.0.2.1]", "a@[192.0.2.1]", ""),
        ("a@[ipv6:2001:DB8:0::1]", "a@[IPv6:2001:db8::1]", ""),
        ("taro..yamada@docomo.example", '"taro..yamada"@docomo.example', ""),
        (".anna.@example.test", '".anna."@example.test', ""),
        ("Taro <taro.@docomo.example>", '"taro."@docomo.example', "Taro"),
        ("jörg..x@example.test", '"jörg..x"@example.test', ""),
        ("a" * 76 + "@example.test", "a" * 76 + "@example.test", ""),
        ("é" * 40 + "@example.test", "é" * 40 + "@example.test", ""),
        ("Lang, Anna <a@b.test>", "a@b.test", "Lang, Anna"),
        ("Lang, Dr., Anna <a@b.test>", "a@b.test", "Lang, Dr., Anna"),
        ("Müller, Zoë <zoe@example.test>", "zoe@example.test", "Müller, Zoë"),
        ("mailto:a@b.test", "a@b.test", ""),
        ("Anna <MAILTO:a%2Bb@b.test?subject=Hi>", "a+b@b.test", "Anna"),
        ("<<a@b.test>>", "a@b.test", ""),
        ("Anna < <a@b.test> >", "a@b.test", "Anna"),
        ("Anna\t<a@b.test>", "a@b.test", "Anna"),
        ("Anna\u00a0Lang <\u00a0a@b.test\u00a0>", "a@b.test", "Anna Lang"),
        ("\u202aa@b.test\u202c", "a@b.test", ""),
        ("\u202bאנה\u202c <a@b.test>", "a@b.test", "אנה"),
        ("a\u200b@\u2060b.test\u200d", "a@b.test", ""),
    ],
)
def test_what_people_type_becomes_a_mailbox(typed: str, address: str, name: str) -> None:
    mailbox = parse_mailbox(typed)

    assert (mailbox.address, mailbox.name) == (address, name)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("anna", "no @"),
        ("anna@", "no valid domain"),
        ("@example.test", "before the @"),
        ("a@b@c", "more than one @"),
        ("a b@example.test", "before the @"),
        ("a@example..test", "no valid domain"),
        ("a@example.test.", "no valid domain"),
        ("a@-example.test", "no valid domain"),
        ("a@exa mple.test", "no valid domain"),
        ("a@exa_mple.test", "no valid domain"),
        ("a@xn--a", "no valid domain"),
        ("a@" + "b" * 64 + ".test", "no valid domain"),
        ("a@b.test, c@d.test", "several addresses"),
        ("a@b.test;c@d.test", "several addresses"),
        ("<a@b.test", "angle brackets"),
        ("a@b.test>", "no valid domain"),
        ("Anna <a@b.test> more", "angle brackets"),
        ("Anna <a@b.test> <c@d.test>", "more than one @"),
        ("An>na <a@b.test>", "angle brackets"),
        ("Anna <>", "no @"),
        ("<@relay.test:a@b.test>", "more than one @"),
        ('"Anna <a@b.test>', "quotation mark"),
        ("a@[192.0.2.256]", "address literal"),
        ("a@[IPv6:2001:db8::zz]", "address literal"),
        ("a@[IPv6:fe80::1%eth0]", "address literal"),
        ("a@[x-tag:y]", "address literal"),
        ("a\u200db@example.test", "invisible"),
        ("a\u00a0b@example.test", "before the @"),
        ("a\u037eb@example.test", "several addresses"),
        ("a@" + ".".join(["b" * 60] * 5), "255 characters"),
        ("a@" + "é" * 300, "255 characters"),
        ("a@" + ".".join(["é" * 40] * 6), "no valid domain: Domain too long"),
        ("a" * 64 + "@" + ".".join(["b" * 60] * 4), "254 bytes"),
        ("N" * 501 + " <a@b.test>", "name"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(typed: str, reason: str) -> None:
    with pytest.raises(MailError) as raised:
        parse_mailbox(typed)

    assert reason in raised.value.failure.detail


@pytest.mark.parametrize("control", ["\0", "\x1b", "\x7f", "\x80", "\x1c"])
@pytest.mark.parametrize(
    "typed", ["a{}@b.test", "a@b{}.test", "a@b.test{}", "{}a@b.test", "A{}b <a@b.test>"]
)
def test_a_control_character_is_refused_wherever_it_stands(typed: str, control: str) -> None:
    with pytest.raises(MailError) as raised:
        parse_mailbox(typed.format(control))

    assert "control character" in raised.value.failure.detail
    assert raised.value.failure.detail.isprintable()


LINE_ENDS = ["\r", "\n", "\r\n", "\n\n", " \n\t", "\x0b", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("end", LINE_ENDS)
def test_a_line_end_separates_addresses_and_is_in_none(end: str) -> None:
    assert parse_mailbox(f"{end}a@b.test{end}").address == "a@b.test"
    both = parse_mailboxes(f"a@b.test{end}Anna <c@d.test>{end}")
    assert [mailbox.address for mailbox in both] == ["a@b.test", "c@d.test"]


@pytest.mark.parametrize("end", LINE_ENDS)
@pytest.mark.parametrize(
    "typed",
    ["a{}@b.test", "a@b{}.test", "A{}b <a@b.test>", "a@b.test{}Bcc: c@d.test", '"A{}b" <a@b.test>'],
)
def test_a_line_end_within_an_address_or_a_name_is_refused(typed: str, end: str) -> None:
    with pytest.raises(MailError):
        parse_mailboxes(typed.format(end))


@pytest.mark.parametrize(
    "unseen", list("\u200b\ufeff\xa0\u200e\u200f\u202a\u202e\u2066\u2069\xad\u3000")
)
@pytest.mark.parametrize(
    "typed", ["{}a@b.test", "a@b.test{}", "Anna <{}a@b.test{}>", "{}<a@b.test>"]
)
def test_what_a_copy_brings_along_around_an_address_is_dropped(typed: str, unseen: str) -> None:
    assert parse_mailbox(typed.replace("{}", unseen)).address == "a@b.test"


def test_a_comma_in_a_name_swallows_no_address() -> None:
    mailboxes = parse_mailboxes("x@y.test, Lang, Anna <a@b.test>, z@y.test; Roe, Jo <jo@y.test>")

    assert [(mailbox.name, mailbox.address) for mailbox in mailboxes] == [
        ("", "x@y.test"),
        ("Lang, Anna", "a@b.test"),
        ("", "z@y.test"),
        ("Roe, Jo", "jo@y.test"),
    ]


@pytest.mark.parametrize(
    "typed", ["Lang, a@b.test", "Lang, Anna; a@b.test", "Lang\nAnna <a@b.test>"]
)
def test_a_word_that_belongs_to_no_address_is_refused_by_name(typed: str) -> None:
    with pytest.raises(MailError) as raised:
        parse_mailboxes(typed)

    assert raised.value.failure.facts == {"address": "Lang", "cause": Cause.ADDRESS_NO_AT}


def test_a_refusal_is_permanent_and_quotes_the_address() -> None:
    with pytest.raises(MailError) as raised:
        parse_mailboxes("good@example.test, bad@@example.test")

    failure = raised.value.failure
    assert failure.kind is FailureKind.INVALID_RECIPIENT
    assert failure.stage is Stage.RECIPIENT
    assert failure.permanence is Permanence.PERMANENT
    assert failure.facts["address"] == "bad@@example.test"
    assert failure.detail == '"bad@@example.test" has more than one @'


def test_a_senders_address_is_refused_as_the_senders() -> None:
    with pytest.raises(MailError) as raised:
        parse_mailbox("nobody", FailureKind.INVALID_SENDER)

    assert raised.value.failure.kind is FailureKind.INVALID_SENDER
    assert raised.value.failure.stage is Stage.SENDER


@pytest.mark.parametrize(
    "value",
    [
        'a@x.test, "B, b" <b@x.test>; c@x.test',
        ["a@x.test", '"B, b" <b@x.test>', "c@x.test"],
        ["a@x.test,", "", ' ; "B, b" <b@x.test>;c@x.test, '],
    ],
)
def test_lists_are_cut_at_commas_and_semicolons_outside_quotes(value: str | list[str]) -> None:
    assert [m.address for m in parse_mailboxes(value)] == ["a@x.test", "b@x.test", "c@x.test"]


@pytest.mark.parametrize("value", ["", "  ", ", ;", [], ["", " "]])
def test_a_blank_list_is_no_recipient(value: str | list[str]) -> None:
    assert parse_mailboxes(value) == ()


def test_a_long_list_may_be_one_text() -> None:
    typed = ", ".join(f"Person {i} <person-{i}@example.test>" for i in range(500))

    assert len(parse_mailboxes(typed)) == 500


def test_mailboxes_are_equal_when_their_addresses_are() -> None:
    assert parse_mailbox("Anna <a@BÜCHER.example>") == parse_mailbox("a@xn--bcher-kva.example")
    assert parse_mailbox("A@example.test") != parse_mailbox("a@example.test")


def test_only_a_local_part_can_need_smtputf8() -> None:
    assert not parse_mailbox("jörg@example.test").address.isascii()
    assert parse_mailbox("Jörg <j@bücher.example>").address.isascii()


def test_the_parts_of_an_address_can_be_told() -> None:
    mailbox = parse_mailbox('"a@b"@example.test')

    assert (mailbox.local_part, mailbox.domain) == ('"a@b"', "example.test")


def test_another_name_never_breaks_a_line() -> None:
    named = parse_mailbox("a@example.test").named("Front\r\nBcc: door")

    assert named.name == "Front Bcc: door"
    assert named == parse_mailbox("a@example.test")


@pytest.mark.parametrize(
    ("address", "name"),
    [("a@b.test\r\nRCPT TO:<c@d>", ""), ("a@B.test", ""), ("a b", ""), ("a@b.test", "x\ny")],
)
def test_no_mailbox_exists_that_a_parser_would_refuse(address: str, name: str) -> None:
    with pytest.raises(MailError):
        Mailbox(address, name)


@given(ANY)
@example('"a" <b@c>, "d')
@example("a@b\u3002c")
def test_any_text_is_one_normal_address_or_refused(text: str) -> None:
    try:
        mailbox = parse_mailbox(text)
    except MailError as error:
        assert error.failure.kind is FailureKind.INVALID_RECIPIENT  # noqa: PT017
        return
    assert parse_mailbox(mailbox.address) == mailbox
    assert mailbox.address.isprintable()
    assert len(mailbox.address.encode()) <= MAX_ADDRESS
    assert mailbox.domain.isascii()


@given(ANY, ANY)
def test_no_text_smuggles_a_second_recipient_into_a_field(name: str, local: str) -> None:
    typed = f'"{name}" <{local}@example.test>'
    try:
        mailbox = parse_mailbox(typed)
    except MailError:
        return
    field = mailbox_list("To", [mailbox])
    # The standard library writes dots that are no dot-atom's without quotation marks.
    assert [mailbox.address.replace('"', "")] == [a.replace('"', "") for a in _addresses(field)]


@given(st.lists(ANY, max_size=4))
def test_a_list_yields_no_more_than_its_pieces(texts: list[str]) -> None:
    try:
        mailboxes = parse_mailboxes(texts)
    except MailError:
        return
    pieces = sum(1 + sum(text.count(mark) for mark in ",;\u037e\r\n") for text in texts)
    assert len(mailboxes) <= pieces


def _addresses(field: str) -> list[str]:
    """Read a field with the standard library, which knows nothing of our parser."""
    header: Any = HeaderRegistry()("To", field.replace("\r\n", ""))
    return [address.addr_spec for address in header.addresses]

"""Which servers a domain lets send its mail: its SPF record (RFC 7208)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
import re
from typing import Any, NamedTuple

from ..address import Mailbox
from ..discovery.dns import Address, PolicyResolver
from ..discovery.model import LookupFailed

MAX_LOOKUPS = 10
"""Terms that may ask the DNS (RFC 7208 section 4.6.4)."""
_MAX_VOID = 2
_MAX_EXCHANGERS = 10
_LONGEST = 8192
"""Characters of a record; longer ones are nobody's policy."""

_VERSION = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
_TERM = re.compile(
    r"(?P<qualifier>[+\-~?]?)(?P<name>[a-z][a-z0-9._-]*)(?P<sign>[:=]?)(?P<value>[!-~]*)",
    re.IGNORECASE,
)
_PREFIXES = re.compile(r"(?P<domain>[^/]*)(?:/(?P<v4>\d{1,2}))?(?://(?P<v6>\d{1,3}))?")
_MACRO = re.compile(r"%(?:([%_-])|\{([slodiphcrtv])(\d{0,3})(r?)([.\-+,/_=]*)\})", re.IGNORECASE)
_ESCAPED = {"%": "%", "_": " ", "-": "%20"}
_ASK_THE_DNS = frozenset({"include", "a", "mx", "ptr", "exists"})


class SpfResult(StrEnum):
    """The results of RFC 7208 section 2.6."""

    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


_BY_QUALIFIER = {
    "+": SpfResult.PASS,
    "-": SpfResult.FAIL,
    "~": SpfResult.SOFTFAIL,
    "?": SpfResult.NEUTRAL,
}


class SpfCheck(NamedTuple):
    """What a domain says of one address.

    record: the domain's own record, None where there is none or more than one.
    names: the domains that the records name, lower-case, as far as they were read.
    """

    result: SpfResult
    record: str | None = None
    names: frozenset[str] = frozenset()


class _Term(NamedTuple):
    """One mechanism or modifier; the qualifier is empty for a modifier."""

    qualifier: str
    name: str
    value: str


class _Ended(Exception):
    """The evaluation is over before it has come to an end."""

    def __init__(self, result: SpfResult) -> None:
        super().__init__(result)
        self.result = result


class Remembered:
    """A resolver that asks nothing twice. What failed once fails again."""

    def __init__(self, resolver: PolicyResolver) -> None:
        """Remember the answers of a resolver."""
        self._resolver = resolver
        self._answers: dict[tuple[str, str, int], Sequence[Any] | LookupFailed] = {}

    async def mx(self, domain: str) -> Sequence[Any]:
        """Return the MX records. Raises LookupFailed."""
        return await self._ask("mx", domain, 0)

    async def txt(self, name: str) -> Sequence[Any]:
        """Return the TXT records. Raises LookupFailed."""
        return await self._ask("txt", name, 0)

    async def addresses(self, name: str, version: int) -> Sequence[Any]:
        """Return the addresses. Raises LookupFailed."""
        return await self._ask("addresses", name, version)

    async def _ask(self, kind: str, name: str, version: int) -> Sequence[Any]:
        key = (kind, name, version)
        if key not in self._answers:
            arguments = (name, version) if version else (name,)
            try:
                self._answers[key] = await getattr(self._resolver, kind)(*arguments)
            except LookupFailed as error:
                self._answers[key] = error
        answer = self._answers[key]
        if isinstance(answer, LookupFailed):
            raise answer
        return answer


async def check_spf(address: Address, sender: Mailbox, resolver: PolicyResolver) -> SpfCheck:
    """Tell whether a server at an address may send for a sender's domain (RFC 7208 section 4).

    Raises nothing: what the DNS does not answer is a result as well.
    """
    evaluation = _Evaluation(address, sender, resolver)
    try:
        result = await evaluation.check_host(sender.domain)
    except _Ended as ended:
        result = ended.result
    return SpfCheck(result, evaluation.record, frozenset(evaluation.names))


def forbids_all(record: str) -> bool:
    """Tell whether a record says that no mail ever comes from its domain."""
    try:
        return [term for term in _parse(record) if term.qualifier] == [_Term("-", "all", "")]
    except _Ended:
        return False


class _Evaluation:
    """One run of check_host(): what it has asked so far counts for all records together."""

    def __init__(self, address: Address, sender: Mailbox, resolver: PolicyResolver) -> None:
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        self._address: Address = mapped or address
        self._sender = sender
        self._resolver = resolver
        self._lookups = 0
        self._void = 0
        self.record: str | None = None
        self.names: set[str] = set()

    async def check_host(self, domain: str) -> SpfResult:
        """Evaluate the record of a domain. Raises _Ended."""
        if not _is_name(domain):
            return SpfResult.NONE
        record = await self._record_of(domain)
        if record is None:
            return SpfResult.NONE
        if self.record is None:
            self.record = record
        terms = _parse(record)
        for term in terms:
            if term.qualifier and await self._matches(term, domain):
                return _BY_QUALIFIER[term.qualifier]
        return await self._redirected(terms, domain)

    async def _record_of(self, domain: str) -> str | None:
        texts = await _answer(self._resolver.txt(domain))
        records = [text for text in texts if _VERSION.match(text)]
        if len(records) > 1 or any(len(record) > _LONGEST for record in records):
            raise _Ended(SpfResult.PERMERROR)
        return records[0] if records else None

    async def _redirected(self, terms: Sequence[_Term], domain: str) -> SpfResult:
        """Go on with the record that this one stands for, unless it has an `all` of its own."""
        targets = [term.value for term in terms if (term.qualifier, term.name) == ("", "redirect")]
        if len(targets) > 1:
            raise _Ended(SpfResult.PERMERROR)
        if not targets or any(term.name == "all" for term in terms):
            return SpfResult.NEUTRAL
        self._count()
        result = await self.check_host(self._named(targets[0], domain))
        return SpfResult.PERMERROR if result is SpfResult.NONE else result

    async def _matches(self, term: _Term, domain: str) -> bool:
        if term.name in _ASK_THE_DNS:
            self._count()
        match term.name:
            case "all":
                return True
            case "ip4" | "ip6":
                return self._address in _network(term)
            case "include":
                return await self._includes(self._named(term.value, domain))
            case "exists":
                return bool(await self._addresses(self._named(term.value, domain), 4))
            case "a" | "mx":
                return await self._is_host_of(term, domain)
        # `ptr` needs the name of an address that is not the one that mail leaves from.
        return False

    async def _includes(self, domain: str) -> bool:
        result = await self.check_host(domain)
        if result in (SpfResult.NONE, SpfResult.PERMERROR):
            raise _Ended(SpfResult.PERMERROR)
        return result is SpfResult.PASS

    async def _is_host_of(self, term: _Term, domain: str) -> bool:
        """Tell whether the address belongs to a name, or to one of its mail exchangers."""
        parts = _prefixes(term)
        name = self._named(parts["domain"] or domain, domain)
        hosts = [name]
        if term.name == "mx":
            hosts = [found.host for found in await _answer(self._resolver.mx(name)) if found.host]
            self._note_void(hosts)
            self.names.update(hosts)
            if len(hosts) > _MAX_EXCHANGERS:
                raise _Ended(SpfResult.PERMERROR)
        bits = parts["v4"] if self._address.version == 4 else parts["v6"]
        length = self._address.max_prefixlen if bits is None else int(bits)
        for host in hosts:
            for address in await self._addresses(host, self._address.version):
                if self._address in _block(f"{address}/{length}"):
                    return True
        return False

    async def _addresses(self, name: str, version: int) -> Sequence[Address]:
        found = await _answer(self._resolver.addresses(name, version))
        # That a server has no IPv6 is nobody's mistake.
        if version == 4:
            self._note_void(found)
        return found

    def _named(self, spec: str, domain: str) -> str:
        """Return the domain that a term names, its macros expanded (RFC 7208 section 7)."""
        name = _expand(spec, self._macro(domain)).rstrip(".").lower()
        name = name.encode("ascii", "replace").decode()  # a local part may be anything
        while len(name) > 253:
            name = name.partition(".")[2]
        if not name:
            raise _Ended(SpfResult.PERMERROR)
        self.names.add(name)
        return name

    def _macro(self, domain: str) -> Callable[[str], str]:
        sender, address = self._sender, self._address
        dotted = str(address) if address.version == 4 else ".".join(f"{int(address):032x}")
        values = {
            "s": sender.address,
            "l": sender.local_part,
            "o": sender.domain,
            "d": domain,
            "i": dotted,
            "p": "unknown",
            "v": "in-addr" if address.version == 4 else "ip6",
            "h": sender.domain,
        }

        def value_of(letter: str) -> str:
            if letter not in values:
                raise _Ended(SpfResult.PERMERROR)
            return values[letter]

        return value_of

    def _count(self) -> None:
        self._lookups += 1
        if self._lookups > MAX_LOOKUPS:
            raise _Ended(SpfResult.PERMERROR)

    def _note_void(self, found: Sequence[object]) -> None:
        """Count an answer that holds nothing (RFC 7208 section 4.6.4)."""
        if not found:
            self._void += 1
            if self._void > _MAX_VOID:
                raise _Ended(SpfResult.PERMERROR)


async def _answer[T](question: Awaitable[Sequence[T]]) -> Sequence[T]:
    try:
        return await question
    except LookupFailed as error:
        raise _Ended(SpfResult.TEMPERROR) from error


def _parse(record: str) -> list[_Term]:
    """Return the terms of a record. Raises _Ended for a wrong one, wherever it stands."""
    return list(_terms(record.split(" ")[1:]))


def _terms(words: Sequence[str]) -> Iterator[_Term]:
    for word in filter(None, words):
        found = _TERM.fullmatch(word)
        if found is None:
            raise _Ended(SpfResult.PERMERROR)
        name, value = found["name"].lower(), found["value"]
        if found["sign"] == "=":
            if found["qualifier"]:
                raise _Ended(SpfResult.PERMERROR)
            yield _Term("", name, value)
        else:
            term = _Term(found["qualifier"] or "+", name, value)
            _check(term, has_sign=bool(found["sign"]))
            yield term


def _check(term: _Term, *, has_sign: bool) -> None:
    """Refuse an unknown mechanism, and a value that is missing or too much."""
    match term.name:
        case "all":
            is_right = not has_sign and not term.value
        case "include" | "exists":
            is_right = has_sign and bool(term.value)
        case "ip4" | "ip6":
            is_right = has_sign and _network(term).version == int(term.name[-1])
        case "a" | "mx" | "ptr":
            is_right = has_sign is bool(_prefixes(term)["domain"])
        case _:
            is_right = False
    if not is_right:
        raise _Ended(SpfResult.PERMERROR)


def _prefixes(term: _Term) -> re.Match[str]:
    """Take the value of `a` or `mx` apart: a domain, and the lengths of the prefixes."""
    parts = _PREFIXES.fullmatch(term.value)
    if parts is None or int(parts["v4"] or 0) > 32 or int(parts["v6"] or 0) > 128:
        raise _Ended(SpfResult.PERMERROR)
    return parts


def _network(term: _Term) -> IPv4Network | IPv6Network:
    return _block(term.value)


def _block(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise _Ended(SpfResult.PERMERROR) from error


def _expand(text: str, value_of: Callable[[str], str]) -> str:
    def expanded(match: re.Match[str]) -> str:
        escaped, letter, digits, reverse, delimiters = match.groups()
        if escaped:
            return _ESCAPED[escaped]
        parts = re.split(f"[{re.escape(delimiters or '.')}]", value_of(letter.lower()))
        if reverse:
            parts.reverse()
        return ".".join(parts[-int(digits) :] if digits else parts)

    if "%" in _MACRO.sub("", text):
        raise _Ended(SpfResult.PERMERROR)
    return _MACRO.sub(expanded, text)


def _is_name(domain: str) -> bool:
    """Tell whether a domain can have a record: several labels, none too long or empty."""
    labels = domain.split(".")
    return len(domain) <= 253 and len(labels) > 1 and all(0 < len(one) < 64 for one in labels)

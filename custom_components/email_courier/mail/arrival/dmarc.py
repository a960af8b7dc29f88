"""What a domain asks to be done with mail that is not proven to come from it (DMARC)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from ..discovery.dns import PolicyResolver
from ..hostname import is_within

_MOST_LABELS = 8
"""Labels of a name that is asked about as it is; of a longer one only the last seven are."""


class Policy(StrEnum):
    """What receivers are asked to do."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"


class Alignment(StrEnum):
    """How near the proven domain has to be to the one in From (RFC 7489 section 3.1)."""

    RELAXED = "r"
    STRICT = "s"


_WEAKER = {Policy.REJECT: Policy.QUARANTINE}


class Dmarc(NamedTuple):
    """The policy for one domain in From.

    domain: the one in From. organization: its organisational domain (RFC 9989 section 4.10).
    record: the text that the policy is from.
    """

    domain: str
    organization: str
    record: str
    policy: Policy
    spf: Alignment = Alignment.RELAXED
    dkim: Alignment = Alignment.RELAXED

    @property
    def is_enforced(self) -> bool:
        """Whether mail that fails is to be refused or put aside."""
        return self.policy is not Policy.NONE

    def is_aligned(self, proven: str, mode: Alignment) -> bool:
        """Tell whether a domain that SPF or DKIM proves stands for the one in From."""
        if mode is Alignment.STRICT:
            return proven == self.domain
        return is_within(proven, self.organization)


async def find_dmarc(domain: str, resolver: PolicyResolver) -> Dmarc | None:
    """Return the policy for mail from a domain, None where nobody has set one.

    Looked for at the domain and then upwards (RFC 9989 section 4.10). Raises LookupFailed.
    """
    found: dict[str, str] = {}
    for name in _upwards(domain):
        record = await _record_at(name, resolver)
        if record is not None:
            found[name] = record
            if _tags(record).get("psd") in ("n", "y"):
                break
    if not found:
        return None
    organization = _organization(domain, found)
    holder = domain if domain in found else organization
    record = found.get(holder) or next(reversed(found.values()))
    tags = _tags(record)
    return Dmarc(
        domain=domain,
        organization=organization,
        record=record,
        policy=_policy(tags, is_own=domain in found),
        spf=_alignment(tags.get("aspf")),
        dkim=_alignment(tags.get("adkim")),
    )


def _upwards(domain: str) -> list[str]:
    """Return a domain and those above it that are asked about, at most eight."""
    labels = domain.split(".")
    above = [labels[start:] for start in range(1, len(labels))]
    if len(labels) > _MOST_LABELS:
        above = [name for name in above if len(name) < _MOST_LABELS]
    return [domain, *(".".join(name) for name in above)]


def _organization(domain: str, found: dict[str, str]) -> str:
    """Return the organisational domain: the highest with a record, below a public suffix."""
    highest = next(reversed(found))
    if _tags(found[highest]).get("psd") == "y" and highest != domain:
        return ".".join(domain.split(".")[-len(highest.split(".")) - 1 :])
    return highest


async def _record_at(name: str, resolver: PolicyResolver) -> str | None:
    """Return the one record of a name; several are as good as none."""
    records = [
        text
        for text in await resolver.txt(f"_dmarc.{name}")
        if text.partition(";")[0].replace(" ", "") == "v=DMARC1"
    ]
    return records[0] if len(records) == 1 else None


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}


def _policy(tags: Mapping[str, str], *, is_own: bool) -> Policy:
    """Return what is asked for, a step weaker where it is only tried out."""
    names = ("p",) if is_own else ("sp", "p")
    texts = [tags[name] for name in names if tags.get(name) in Policy]
    policy = Policy(texts[0]) if texts else Policy.NONE
    is_trial = tags.get("t") == "y" or tags.get("pct") == "0"
    return _WEAKER.get(policy, Policy.NONE) if is_trial else policy


def _alignment(text: str | None) -> Alignment:
    return Alignment.STRICT if text == "s" else Alignment.RELAXED

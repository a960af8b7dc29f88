"""From a server's refusal to a failure: stage, code and enhanced code first, known texts second."""

from __future__ import annotations

from functools import lru_cache
import json
from pathlib import Path
import re
from typing import NamedTuple

from ..failure import Failure, FailureKind, Permanence, Stage
from ..reply import Reply


class KnownText(NamedTuple):
    """Words, or an enhanced code, that name what the stage and the code alone do not.

    stages: where they count. codes: first digits of the codes beside which they count.
    text: in small letters; pattern, unless: regular expressions. enhanced: "x" is any class.
    """

    kind: FailureKind
    stages: frozenset[Stage]
    codes: str
    source: str
    text: str = ""
    pattern: str = ""
    enhanced: str = ""
    unless: str = ""

    def fits(self, stage: Stage, reply: Reply, words: str) -> bool:
        """Tell whether a reply at a stage says this. words: its text in small letters."""
        return (
            stage in self.stages
            and str(reply.code)[0] in self.codes
            and self.text in words
            and self.enhanced in ("", reply.enhanced, f"x{(reply.enhanced or '')[1:]}")
            and re.search(self.pattern, words) is not None
            and (not self.unless or re.search(self.unless, words) is None)
        )


def _load() -> tuple[KnownText, ...]:
    rows = json.loads(Path(__file__).with_name("provider_texts.json").read_text("utf-8"))
    return tuple(
        KnownText(
            FailureKind(row.pop("kind")),
            frozenset(map(Stage, row.pop("at"))),
            row.pop("codes", "5"),
            **row,
        )
        for row in rows
    )


KNOWN_TEXTS = _load()
"""Read once, when the module is imported (in Home Assistant's import executor)."""

_TLS_WORDS = ("starttls", "tls", "ssl", "encrypt", "secure connection")
_TOO_MANY = re.compile(
    r"too many recipients(?! from)|#[45]\.5\.3\b|\bper (?:transaction|message)\b", re.IGNORECASE
)
_LOGIN_WORDS = ("authenticat", "auth first", "authorization required", "log in", "login", "auth ")


def refusal(stage: Stage, reply: Reply, *, encrypted: bool, logged_in: bool) -> Failure:
    """Name a reply that refuses what was asked for at a stage.

    encrypted: TLS is up. logged_in: a login has succeeded. Sources: RFC 5321 section 4.2,
    RFC 3463, RFC 4954 section 6, RFC 3207 section 4.
    """
    if not (reply.is_transient or reply.is_permanent):
        return Failure(FailureKind.PROTOCOL_ERROR, stage, Permanence.TEMPORARY, reply)
    kind = _name(stage, reply, encrypted=encrypted, logged_in=logged_in)
    passes = kind in (FailureKind.DEFERRED, FailureKind.QUOTA_EXCEEDED)
    is_final = reply.is_permanent and not passes
    permanence = Permanence.PERMANENT if is_final else Permanence.TEMPORARY
    return Failure(kind, stage, permanence, reply)


def is_one_too_many(failure: Failure) -> bool:
    """Tell whether a recipient was refused because the transaction has no room for it.

    RFC 5321 section 4.5.3.1.10: 452, and 552 of old. An enhanced code of another kind says that it
    is about the mailbox or the server; words count beside any code that passes.
    """
    reply = failure.reply
    if reply is None or failure.stage is not Stage.RECIPIENT:
        return False
    if failure.kind is not FailureKind.DEFERRED:
        return False
    if reply.enhanced is not None and reply.enhanced[1:] == ".5.3":
        return True
    is_bare = reply.enhanced is None and reply.code in (452, 552)
    return is_bare or _TOO_MANY.search(reply.text) is not None


def _name(stage: Stage, reply: Reply, *, encrypted: bool, logged_in: bool) -> FailureKind:
    if stage is Stage.TLS:
        # 421 is said to any command by a server that closes the connection (RFC 5321 section 3.8).
        return FailureKind.SERVER_BUSY if reply.code == 421 else FailureKind.STARTTLS_NOT_OFFERED
    if not encrypted and _wants_tls(reply):
        refuses_login = stage is Stage.LOGIN and reply.code not in (451, 523, 530)
        return (
            FailureKind.AUTH_NEEDS_ENCRYPTION if refuses_login else FailureKind.ENCRYPTION_REQUIRED
        )
    if (kind := _known_text(stage, reply)) is not None:
        return kind
    return _BY_STAGE[stage](reply, logged_in)


@lru_cache(maxsize=32)
def _known_text(stage: Stage, reply: Reply) -> FailureKind | None:
    """Look for known words; a server says the same to each of many recipients."""
    words = reply.text.lower()
    return next((known.kind for known in KNOWN_TEXTS if known.fits(stage, reply, words)), None)


def _wants_tls(reply: Reply) -> bool:
    words = reply.text.lower()
    if reply.code == 538:  # RFC 4954 section 6: encryption required
        return True
    if reply.code not in (451, 454, 503, 523, 530, 534, 535, 550, 554):
        return False
    if reply.enhanced in ("5.7.10", "5.7.11"):
        return True
    return any(word in words for word in _TLS_WORDS) and (
        reply.code in (523, 530) or any(word in words for word in ("must", "require", "need"))
    )


def _wants_login(reply: Reply, *, logged_in: bool) -> bool:
    if logged_in:  # OpenSMTPD says "530 Sender rejected" then
        return False
    words = reply.text.lower()
    return reply.code == 530 or (
        reply.code in (502, 503, 535, 550, 553, 554) and any(word in words for word in _LOGIN_WORDS)
    )


def _is_too_large(reply: Reply) -> bool:
    return reply.enhanced in ("5.3.4", "5.2.3")


def _greeting(reply: Reply, _logged_in: bool) -> FailureKind:
    if reply.is_transient:
        return FailureKind.SERVER_BUSY
    return FailureKind.GREETING_REJECTED


def _hello(reply: Reply, _logged_in: bool) -> FailureKind:
    return FailureKind.SERVER_BUSY if reply.is_transient else FailureKind.HELO_REJECTED


def _login(reply: Reply, _logged_in: bool) -> FailureKind:
    if reply.is_transient:
        return FailureKind.SERVER_BUSY
    if reply.code in (500, 502):
        return FailureKind.AUTH_NOT_OFFERED
    if reply.code == 504:
        return FailureKind.AUTH_MECHANISM_UNSUPPORTED
    if reply.code == 534:
        return FailureKind.APP_PASSWORD_REQUIRED
    return FailureKind.INVALID_AUTH


def _sender(reply: Reply, logged_in: bool) -> FailureKind:
    if reply.is_transient:
        return FailureKind.DEFERRED
    if _wants_login(reply, logged_in=logged_in):
        return FailureKind.AUTH_REQUIRED
    if reply.code == 552 or _is_too_large(reply):
        return FailureKind.MESSAGE_TOO_LARGE
    return FailureKind.SENDER_REJECTED


def _recipient(reply: Reply, logged_in: bool) -> FailureKind:
    if reply.is_transient:
        return FailureKind.DEFERRED
    if reply.code == 530 and not logged_in:
        return FailureKind.AUTH_REQUIRED
    if _is_too_large(reply):
        return FailureKind.MESSAGE_TOO_LARGE
    if reply.code == 552 and reply.enhanced in (None, "5.5.3"):
        return FailureKind.DEFERRED  # too many recipients at once, RFC 5321 section 4.5.3.1.10
    return FailureKind.RECIPIENT_REJECTED


def _data(reply: Reply, logged_in: bool) -> FailureKind:
    if reply.is_transient:
        return FailureKind.DEFERRED
    if reply.code == 530 and not logged_in:
        return FailureKind.AUTH_REQUIRED
    about_policy = (reply.enhanced or "").startswith("5.7.")
    if (reply.code == 552 and not about_policy) or _is_too_large(reply):
        return FailureKind.MESSAGE_TOO_LARGE
    return FailureKind.MESSAGE_REJECTED


_BY_STAGE = {
    Stage.GREETING: _greeting,
    Stage.HELLO: _hello,
    Stage.LOGIN: _login,
    Stage.SENDER: _sender,
    Stage.RECIPIENT: _recipient,
    Stage.DATA: _data,
    Stage.ACCEPTED: _data,
}

"""What a mail asks: its buttons, whom it went to, until when it may be answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

MAX_ACTIONS: Final = 5
URI: Final = "URI"
"""The action of a button that leads somewhere else, as in the companion app."""
REPLY: Final = "REPLY"
"""The action that asks for a text, as in the companion app."""


class Action(NamedTuple):
    """A button of a mail, as the companion app describes one.

    name: what automations know it by. uri: where it leads; with one it answers nothing.
    """

    name: str
    title: str
    uri: str = ""
    wants_text: bool = False
    is_destructive: bool = False
    icon: str = ""

    @property
    def is_link(self) -> bool:
        """Whether it only leads somewhere."""
        return bool(self.uri)


class AskedMail:
    """One mail that asks a question. links: the numbers of actions by the names of their tokens."""

    __slots__ = ("entry_id", "links", "message_id", "recipients", "subject")

    def __init__(
        self,
        entry_id: str,
        links: Mapping[str, int],
        recipients: Sequence[str] = (),
        message_id: str = "",
        subject: str = "",
    ) -> None:
        """Belong to an account; message_id and subject are known once it is composed."""
        self.entry_id = entry_id
        self.links = dict(links)
        self.recipients = tuple(recipients)
        self.message_id = message_id
        self.subject = subject

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {name: getattr(self, name) for name in self.__slots__}


class Question:
    """What is asked, in one mail or in several; its first answer counts for all of them.

    expires, answered: UTC timestamps in seconds. is_once: whether only the first answer counts.
    needs_user: whether whoever answers has to sign in. context: what acted, as context and user.
    repeat: what has it asked again, as plain data; None where it is asked once.
    failed_logins: how often somebody came back from the login without having signed in.
    """

    __slots__ = (
        "actions",
        "answered",
        "context_id",
        "expires",
        "failed_logins",
        "id",
        "is_once",
        "mails",
        "needs_user",
        "repeat",
        "thread",
        "user_id",
    )

    def __init__(
        self,
        id: str,  # noqa: A002 - as it is stored
        actions: Sequence[Action],
        expires: float,
        *,
        is_once: bool = True,
        needs_user: bool = False,
        thread: str | None = None,
    ) -> None:
        """Ask nobody yet."""
        self.id = id
        self.actions = tuple(actions)
        self.expires = expires
        self.is_once = is_once
        self.needs_user = needs_user
        self.thread = thread
        self.context_id: str | None = None
        self.user_id: str | None = None
        self.repeat: dict[str, Any] | None = None
        self.answered: float | None = None
        self.failed_logins = 0
        self.mails: list[AskedMail] = []

    @property
    def is_over(self) -> bool:
        """Whether no further answer counts."""
        return self.is_once and self.answered is not None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {
            "actions": [action._asdict() for action in self.actions],
            "mails": [mail.as_dict() for mail in self.mails],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Question:
        """Read what as_dict has made. Raises KeyError, TypeError, ValueError for anything else."""
        actions = [Action(**action) for action in stored["actions"]]
        question = cls(stored["id"], actions, float(stored["expires"]))
        for name in cls.__slots__:
            if name not in ("id", "actions", "expires", "mails"):
                setattr(question, name, stored[name])
        question.mails = [AskedMail(**mail) for mail in stored["mails"]]
        return question


class Answer(NamedTuple):
    """A press of a button.

    at: UTC timestamp in seconds. user_id, user: who has signed in for it, where that was asked.
    """

    question: Question
    mail: AskedMail
    action: Action
    at: float
    reply_text: str | None = None
    user_id: str | None = None
    user: str | None = None

    def as_event_data(self) -> dict[str, Any]:
        """Return what is told of it wherever it is told."""
        return {
            "action": self.action.name,
            "reply_text": self.reply_text,
            "user": self.user,
            "subject": self.mail.subject or None,
            "message_id": self.mail.message_id,
            "recipients": list(self.mail.recipients),
        }

"""SCRAM-SHA-256 (RFC 5802, RFC 7677): the password is proved and never sent."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from scramp import ScramClient, ScramException

from ..failure import MailError
from ..reply import Reply
from ..settings import Login
from .protocol import Mechanism
from .sasl import Exchange, broken

FEWEST_ROUNDS: Final = 4096
MOST_ROUNDS: Final = 10_000_000
_DIGITS = re.compile(r"[0-9]{1,20}")


class _RoundsError(ValueError):
    """The server asks for what is not computed."""


class Scram:
    """The mechanism as a login sees it."""

    @staticmethod
    def fits(login: Login) -> bool:
        """Whether SASLprep (RFC 4013), which knows only Unicode 3.2, takes the login."""
        try:
            _client(login)
        except ScramException:
            return False
        return True

    @staticmethod
    async def converse(exchange: Exchange, login: Login) -> Reply:
        """Return the last reply. The server has to prove that it knows the password, too.

        Raises MailError where it does not, and what the exchange raises.
        """
        client = _client(login)
        challenge = await exchange.start(client.get_client_first().encode())
        try:
            take_server_first(client, exchange.decode(challenge))
            # off the loop: the server chooses how many rounds of hashing this takes
            proof = await asyncio.to_thread(client.get_client_final)
            challenge = await exchange.answer(challenge, proof.encode(), proves=True)
            if challenge.code == 235:
                raise MailError(broken("the server failed to prove itself"))
            if challenge.code != 334:
                return challenge
            client.set_server_final(exchange.decode(challenge).decode())
        except _RoundsError as error:
            await exchange.cancel()
            raise MailError(broken(exchange.redactor.text(str(error)))) from error
        except (ScramException, ValueError) as error:
            await exchange.cancel()
            raise MailError(broken("the server failed to prove itself")) from error
        return await exchange.answer(challenge, b"")


def take_server_first(client: ScramClient, said: bytes) -> None:
    """Read what a server has to say before a proof. Raises ScramException and ValueError."""
    first = said.decode()
    _check_rounds(first)
    client.set_server_first(first)


def _check_rounds(server_first: str) -> None:
    """Raise _RoundsError unless the server asks for a number of rounds that may be computed.

    RFC 7677 section 4 asks for 4096 at least: fewer make the password easy to guess for whoever
    has heard the proof. A thread that computes cannot be stopped, so there is an end upwards.
    """
    values = [part[2:] for part in server_first.split(",") if part.startswith("i=")]
    if len(values) != 1 or _DIGITS.fullmatch(values[0]) is None:
        raise _RoundsError("the server names no number of hashing rounds")
    if not FEWEST_ROUNDS <= int(values[0]) <= MOST_ROUNDS:
        raise _RoundsError(
            f"the server asks for {values[0]} hashing rounds, "
            f"and {FEWEST_ROUNDS} to {MOST_ROUNDS} are computed"
        )


def _client(login: Login) -> ScramClient:
    return ScramClient([Mechanism.SCRAM_SHA_256], login.username, login.password)

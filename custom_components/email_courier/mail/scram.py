"""SCRAM-SHA-256 (RFC 5802, RFC 7677): the password is proved and never sent."""

from __future__ import annotations

import asyncio

from scramp import ScramClient, ScramException

from .exchange import Exchange, Mechanism, broken
from .failure import MailError
from .reply import Reply
from .settings import Login


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
            client.set_server_first(exchange.decode(challenge).decode())
            # off the loop: the server chooses how many rounds of hashing this takes
            proof = await asyncio.to_thread(client.get_client_final)
            challenge = await exchange.answer(challenge, proof.encode())
            if challenge.code == 235:
                raise MailError(broken("the server failed to prove itself"))
            if challenge.code != 334:
                return challenge
            client.set_server_final(exchange.decode(challenge).decode())
        except (ScramException, UnicodeError) as error:
            await exchange.cancel()
            raise MailError(broken("the server failed to prove itself")) from error
        return await exchange.answer(challenge, b"")


def _client(login: Login) -> ScramClient:
    return ScramClient([Mechanism.SCRAM_SHA_256], login.username, login.password)

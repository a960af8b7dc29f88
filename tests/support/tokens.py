"""Access tokens for tests, handed out without a provider."""

from custom_components.email_courier.mail.failure import (
    Failure,
    FailureKind,
    MailError,
    Permanence,
    Stage,
)

WITHDRAWN = Failure(
    FailureKind.INVALID_AUTH, Stage.LOGIN, Permanence.PERMANENT, detail="the grant was withdrawn"
)


class Tokens:
    """Hands out the first token until it is to be renewed, then the second, and so on."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.handed_out = 0
        self.renewals = 0

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(self._tokens)

    async def current(self) -> str:
        self.handed_out += 1
        return self._tokens[0]

    async def renew(self) -> None:
        if len(self._tokens) == 1:
            raise MailError(WITHDRAWN)
        self.renewals += 1
        self._tokens.pop(0)

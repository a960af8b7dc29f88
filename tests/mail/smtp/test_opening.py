"""When a refused access token is worth another one."""

import pytest

from custom_components.email_courier.mail.failure import (
    Failure,
    FailureKind as Kind,
    MailError,
    Permanence,
    Stage,
)
from custom_components.email_courier.mail.reply import Reply
from custom_components.email_courier.mail.settings import Login, TokenLogin
from custom_components.email_courier.mail.smtp.keepalive import renew_token
from tests.support.tokens import WITHDRAWN, Tokens

REFUSED = Failure(
    Kind.INVALID_AUTH, Stage.LOGIN, Permanence.PERMANENT, Reply(535, ("5.7.8 Token expired",))
)


@pytest.mark.parametrize(
    "kind", [Kind.INVALID_AUTH, Kind.APP_PASSWORD_REQUIRED, Kind.OAUTH_REQUIRED]
)
async def test_a_token_that_a_server_refuses_is_renewed(kind: Kind) -> None:
    tokens = Tokens("old", "new")
    failure = Failure(kind, REFUSED.stage, REFUSED.permanence, REFUSED.reply)
    assert await renew_token(TokenLogin("anna", tokens), failure)
    assert tokens.renewals == 1


@pytest.mark.parametrize(
    "failure",
    [
        Failure(Kind.SERVER_BUSY, Stage.LOGIN, Permanence.TEMPORARY, Reply(454)),
        Failure(Kind.AUTH_NOT_OFFERED, Stage.LOGIN, Permanence.PERMANENT, Reply(502)),
        Failure(Kind.INVALID_AUTH, Stage.LOGIN, Permanence.TEMPORARY, Reply(535)),
        WITHDRAWN,
    ],
    ids=["busy", "no login", "for now", "the provider's own word"],
)
async def test_what_no_other_token_can_mend_renews_none(failure: Failure) -> None:
    tokens = Tokens("old", "new")
    assert not await renew_token(TokenLogin("anna", tokens), failure)
    assert tokens.renewals == 0


@pytest.mark.parametrize("login", [Login("anna", "secret"), None])
async def test_a_password_is_never_tried_twice(login: Login | None) -> None:
    assert not await renew_token(login, REFUSED)


async def test_where_there_is_no_new_token_the_provider_says_why() -> None:
    with pytest.raises(MailError) as caught:
        await renew_token(TokenLogin("anna", Tokens("old")), REFUSED)
    assert caught.value.failure is WITHDRAWN

"""The server's side of the SASL mechanisms, written from the RFCs and sharing no code with ours.

Each mechanism is a generator: it yields challenges, is sent responses (both without base64) and
returns the name of the user who has proven who he is, or None.
"""

import base64
import binascii
from collections.abc import Callable, Generator, Mapping
import hashlib
import hmac
import json
import os

type Exchange = Generator[bytes, bytes, str | None]
type Mechanism = Callable[[Mapping[str, str], bytes | None], Exchange]
"""Called with the secret of each user and the initial response, None where there was none."""

_ITERATIONS = 4096


class MalformedResponseError(Exception):
    """The client's response is none that the mechanism knows: a fault of the client."""


def _plain(users: Mapping[str, str], initial: bytes | None) -> Exchange:
    """RFC 4616: authorization identity, NUL, user name, NUL, password."""
    response = (yield b"") if initial is None else initial
    fields = response.split(b"\0")
    if len(fields) != 3:
        raise MalformedResponseError("PLAIN takes three fields")
    user, password = fields[1].decode(), fields[2].decode()
    return user if _same(users.get(user), password) else None


def _login(users: Mapping[str, str], initial: bytes | None) -> Exchange:
    """Never standardised; the prompts are those of draft-murchison-sasl-login."""
    user = ((yield b"Username:") if initial is None else initial).decode()
    password = (yield b"Password:").decode()
    return user if _same(users.get(user), password) else None


def _cram_md5(users: Mapping[str, str], initial: bytes | None) -> Exchange:
    """RFC 2195: the user name and an HMAC of the challenge."""
    if initial is not None:
        raise MalformedResponseError("CRAM-MD5 has no initial response")
    challenge = f"<{os.urandom(8).hex()}@mail.example.test>".encode()
    user, _, digest = (yield challenge).decode().rpartition(" ")
    secret = users.get(user, "").encode()
    expected = hmac.new(secret, challenge, "md5").hexdigest()
    return user if user in users and hmac.compare_digest(expected, digest) else None


def _scram(digest: str) -> Mechanism:
    """RFC 5802 and RFC 7677, without channel binding."""

    def exchange(users: Mapping[str, str], initial: bytes | None) -> Exchange:
        first = ((yield b"") if initial is None else initial).decode()
        header, _, bare = _cut_gs2_header(first)
        fields = _fields(bare)
        user = fields.get("n", "").replace("=2C", ",").replace("=3D", "=")
        salt, nonce = os.urandom(16), fields.get("r", "") + os.urandom(12).hex()
        challenge = f"r={nonce},s={base64.b64encode(salt).decode()},i={_ITERATIONS}"
        final = (yield challenge.encode()).decode()
        unproven, _, proof = final.rpartition(",p=")
        answers = _fields(unproven)
        binding = base64.b64encode(header.encode()).decode()
        if answers.get("r") != nonce or answers.get("c") != binding:
            raise MalformedResponseError("SCRAM nonce or channel binding is not the one given")

        salted = hashlib.pbkdf2_hmac(digest, users.get(user, "").encode(), salt, _ITERATIONS)
        client_key = hmac.digest(salted, b"Client Key", digest)
        stored_key = hashlib.new(digest, client_key).digest()
        message = f"{bare},{challenge},{unproven}".encode()
        signature = hmac.digest(stored_key, message, digest)
        expected = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        if user not in users or not hmac.compare_digest(expected, _decode(proof.encode())):
            return None
        server_key = hmac.digest(salted, b"Server Key", digest)
        yield b"v=" + base64.b64encode(hmac.digest(server_key, message, digest))
        return user

    return exchange


def _cut_gs2_header(first: str) -> tuple[str, str, str]:
    """Return a SCRAM client's header with its commas, the authorization identity, the rest."""
    parts = first.split(",", 2)
    if len(parts) != 3 or parts[0] not in ("n", "y"):
        raise MalformedResponseError("SCRAM without channel binding begins with n or y")
    return f"{parts[0]},{parts[1]},", parts[1], parts[2]


def _fields(message: str) -> dict[str, str]:
    return {part[:1]: part[2:] for part in message.split(",") if part[1:2] == "="}


def _xoauth2(tokens: Mapping[str, str], initial: bytes | None) -> Exchange:
    """Google's mechanism: `user=...^Aauth=Bearer ...^A^A`."""
    response = ((yield b"") if initial is None else initial).decode()
    fields = response.split("\1")
    if len(fields) != 4 or fields[2:] != ["", ""]:
        raise MalformedResponseError("XOAUTH2 takes two fields, each with a ^A, and one more ^A")
    user = fields[0].removeprefix("user=")
    if _same(tokens.get(user), fields[1].removeprefix("auth=Bearer ")):
        return user
    # The client answers the error with an empty line and then gets the refusal.
    yield json.dumps({"status": "400", "schemes": "Bearer", "scope": "mail"}).encode()
    return None


def _oauthbearer(tokens: Mapping[str, str], initial: bytes | None) -> Exchange:
    """RFC 7628: a GS2 header and key-value pairs, each with a ^A."""
    response = ((yield b"") if initial is None else initial).decode()
    header, *pairs = response.split("\1")
    if not header.startswith("n,a=") or pairs[-2:] != ["", ""]:
        raise MalformedResponseError("OAUTHBEARER begins with n,a= and ends with two ^A")
    user = header.removeprefix("n,a=").rstrip(",")
    if any(_same(tokens.get(user), pair.removeprefix("auth=Bearer ")) for pair in pairs):
        return user
    yield json.dumps({"status": "invalid_token", "scope": "mail"}).encode()
    return None


def _same(expected: str | None, given: str) -> bool:
    return expected is not None and hmac.compare_digest(expected.encode(), given.encode())


MECHANISMS: Mapping[str, Mechanism] = {
    "PLAIN": _plain,
    "LOGIN": _login,
    "CRAM-MD5": _cram_md5,
    "SCRAM-SHA-1": _scram("sha1"),
    "SCRAM-SHA-256": _scram("sha256"),
}
"""Those that are proven with a password."""

TOKEN_MECHANISMS: Mapping[str, Mechanism] = {"XOAUTH2": _xoauth2, "OAUTHBEARER": _oauthbearer}
"""Those that are proven with an access token."""


def encode(challenge: bytes) -> str:
    """Return a challenge as it follows 334."""
    return base64.b64encode(challenge).decode("ascii")


def decode(line: bytes) -> bytes:
    """Return the response that a line holds; `=` is an empty one (RFC 4954, section 4).

    Raises MalformedResponseError where it is no base64.
    """
    return b"" if line == b"=" else _decode(line)


def _decode(line: bytes) -> bytes:
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error as err:
        raise MalformedResponseError("a response that is no base64") from err

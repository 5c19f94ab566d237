"""Access tokens: a signed statement of 15 minutes that a session speaks (RFC 9068).

One program signs and verifies, so one algorithm and one kind of key are enough: HS256. What a token
says of itself (`alg`, `kid`, `jku`) chooses among the keys that are here and nothing else. Roles
are not in it: they are looked up with the session at each call, so a revocation is immediate.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
from jwt import InvalidTokenError

from genoflow.events.errors import Refused

ALGORITHM = "HS256"
TYPE = "at+jwt"
ISSUER = "genoflow"
AUDIENCE = "genoflow-api"
ACCESS_SECONDS = 900  # 15 minutes; a client refreshes four times an hour
KEY_BYTES = 32  # as long as the hash of HS256
TOKEN_CHARACTERS_MAX = 2_000  # ours have 420
VERIFIED_MAX = 10_000  # tokens that are not verified anew at each call: 200 bytes each
CLAIMS = ("iss", "aud", "sub", "sid", "iat", "nbf", "exp", "jti")


class NotValid(Exception):
    """A token that is not to be believed; why is said to nobody outside."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token that is to be believed says."""

    account_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class _Times:
    """What a token says whose signature is right, and when that is to be believed."""

    claims: Claims
    not_before: int
    ends_at: int


class Tokens:
    """Signs with the newest key and verifies with any that is still kept."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys or any(len(key) < KEY_BYTES for key in keys.values()):
            raise Refused(f"a key that signs tokens has {KEY_BYTES} bytes or more; make a new one")
        self._keys = dict(keys)  # the newest first
        self._verified: dict[bytes, _Times] = {}

    def issue(self, account_id: UUID, session_id: UUID, now: datetime) -> str:
        """A token of this session, valid from now for ACCESS_SECONDS."""
        kid, key = next(iter(self._keys.items()))
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(account_id),
            "sid": str(session_id),
            "iat": now,
            "nbf": now,
            "exp": now + timedelta(seconds=ACCESS_SECONDS),
            "jti": str(uuid4()),
        }
        return jwt.encode(claims, key, ALGORITHM, headers={"kid": kid, "typ": TYPE})

    def read(self, token: str, now: datetime) -> Claims:
        """What the token says; NotValid unless it is one of ours, for us, and now."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise NotValid("it is longer than any of ours")
        # A signature that was right stays right; by its hash, so that no token is kept.
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        verified = self._verified.get(digest)
        if verified is None:
            verified = self._verify(token)
            if len(self._verified) >= VERIFIED_MAX:
                self._verified.clear()
            self._verified[digest] = verified
        if not verified.not_before <= now.timestamp() < verified.ends_at:
            raise NotValid("it is not valid now")
        return verified.claims

    def _verify(self, token: str) -> _Times:
        try:
            header = jwt.get_unverified_header(token)
            # Compared before any key is touched: only what `issue` writes is looked at further.
            if header.keys() != {"alg", "kid", "typ"} or header["typ"] != TYPE:
                raise NotValid("its header is none of ours")
            key = self._keys.get(header["kid"])
            if key is None:
                raise NotValid("its key is not known")
            claims = jwt.decode(
                token, key, [ALGORITHM], issuer=ISSUER, audience=AUDIENCE,
                # Times are compared below, against the clock that the caller gives.
                options={"require": [*CLAIMS], "verify_exp": False, "verify_nbf": False,
                         "verify_iat": False},
            )  # fmt: skip
            return _checked(claims)
        except (InvalidTokenError, ValueError, TypeError) as error:
            raise NotValid(f"it cannot be verified: {error}") from error


def _checked(claims: dict[str, Any]) -> _Times:
    times = [claims["iat"], claims["nbf"], claims["exp"]]
    if any(not isinstance(time, int) or isinstance(time, bool) for time in times):
        raise NotValid("its times are no whole numbers")
    if claims["aud"] != AUDIENCE or not all(isinstance(claims[n], str) for n in ("sub", "sid")):
        raise NotValid("it is not for us alone")
    said = Claims(UUID(claims["sub"]), UUID(claims["sid"]))
    return _Times(said, claims["nbf"], claims["exp"])


def new_key() -> tuple[str, bytes]:
    """A key for signing, under a name of its own."""
    return secrets.token_hex(8), secrets.token_bytes(KEY_BYTES)

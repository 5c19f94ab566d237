"""Forged, confused, stale and stolen tokens: each is an answer of 401, and none says why."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from genoflow.api.identity.permissions import Permission, Role
from genoflow.api.identity.tokens import ACCESS_SECONDS, Tokens, new_key
from genoflow.events.errors import Refused
from tests.doors import BY, Door, Unlimited, open_door, refused

LOGOUT = "/v1/auth/logout"


@pytest.fixture
async def door(postgres_url: str) -> AsyncIterator[Door]:
    async with open_door(postgres_url) as opened:
        await opened.account("vera", Role.ADMIN)
        yield opened


class Forger:
    """Makes tokens that are right but for what a test changes."""

    def __init__(self, door: Door, token: str) -> None:
        self.kid, self.key = next(iter(door.keys.items()))
        self.token = token
        self.claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        self.header: dict[str, Any] = jwt.get_unverified_header(token)

    def made(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Signed with the right key, whatever it says; None leaves a part out."""
        said = {k: v for k, v in {**self.claims, **claims}.items() if v is not None}
        head = {k: v for k, v in {**self.header, **(header or {})}.items() if v is not None}
        return self.signed(head, said, self.key)

    def signed(
        self, header: object, claims: object, key: bytes, digest: Any = hashlib.sha256
    ) -> str:
        """Any header and any claims, under an HMAC of any key."""
        body = ".".join(_b64(json.dumps(part).encode()) for part in (header, claims))
        return f"{body}.{_b64(hmac.new(key, body.encode(), digest).digest())}"

    def unsigned(self, alg: str) -> str:
        """Without a signature at all."""
        head = {**self.header, "alg": alg}
        return ".".join(_b64(json.dumps(part).encode()) for part in (head, self.claims)) + "."


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _rsa(forger: Forger) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(forger.claims, key, "RS256", headers=forger.header | {"alg": "RS256"})


def _ed25519(forger: Forger) -> str:
    key = ed25519.Ed25519PrivateKey.generate()
    return jwt.encode(forger.claims, key, "EdDSA", headers=forger.header | {"alg": "EdDSA"})


def _public_key_as_secret(forger: Forger) -> str:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return forger.signed(forger.header, forger.claims, pem)


def _flipped(forger: Forger) -> str:
    head, body, signature = forger.token.split(".")
    return f"{head}.{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def _other_body(forger: Forger) -> str:
    head, _, signature = forger.token.split(".")
    return f"{head}.{_b64(json.dumps(forger.claims | {'sub': str(uuid4())}).encode())}.{signature}"


SAID = {  # whatever is wrong with it
    "what the request shows is not valid; sign in again",
    "Authorization is not of the form: Bearer …",
}
NOW = int(datetime(2026, 3, 2, 10, 0, tzinfo=UTC).timestamp())
FORGED: dict[str, Callable[[Forger], str]] = {
    "alg none": lambda f: f.unsigned("none"),
    "alg None": lambda f: f.unsigned("None"),
    "alg nOnE": lambda f: f.unsigned("nOnE"),
    "alg none with our signature": lambda f: f.unsigned("none") + f.token.rpartition(".")[2],
    "alg HS256 without a signature": lambda f: f.unsigned("HS256"),
    "alg HS512 with our key": lambda f: f.signed(
        f.header | {"alg": "HS512"}, f.claims, f.key, hashlib.sha512
    ),
    "alg RS256": _rsa,
    "alg EdDSA": _ed25519,
    "a public key as the secret": _public_key_as_secret,
    "alg is a list": lambda f: f.made({"alg": ["HS256"]}),
    "no alg": lambda f: f.made({"alg": None}),
    "another key": lambda f: f.signed(f.header, f.claims, new_key()[1]),
    "an empty key": lambda f: f.signed(f.header, f.claims, b""),
    "the kid as the key": lambda f: f.signed(f.header, f.claims, f.kid.encode()),
    "no kid": lambda f: f.made({"kid": None}),
    "an unknown kid": lambda f: f.made({"kid": "0" * 16}),
    "kid is a path": lambda f: f.signed(f.header | {"kid": "../../../dev/null"}, f.claims, b""),
    "kid is SQL": lambda f: f.signed(
        f.header | {"kid": "x' union select 'secret' --"}, f.claims, b"secret"
    ),
    "kid is a number": lambda f: f.made({"kid": 7}),
    "kid is a list": lambda f: f.made({"kid": [f.kid]}),
    "jku": lambda f: f.made({"jku": "https://elsewhere.example/keys"}),
    "x5u": lambda f: f.made({"x5u": "https://elsewhere.example/chain"}),
    "an own jwk": lambda f: f.made({"jwk": {"kty": "oct", "k": "AAAA"}}),
    "crit": lambda f: f.made({"crit": ["exp"]}),
    "b64 false": lambda f: f.made({"b64": False}),
    "typ JWT": lambda f: f.made({"typ": "JWT"}),
    "no typ": lambda f: f.made({"typ": None}),
    "another issuer": lambda f: f.made(iss="elsewhere"),
    "no issuer": lambda f: f.made(iss=None),
    "issuers": lambda f: f.made(iss=["genoflow"]),
    "another audience": lambda f: f.made(aud="another-api"),
    "two audiences": lambda f: f.made(aud=["genoflow-api", "another-api"]),
    "no audience": lambda f: f.made(aud=None),
    "expired": lambda f: f.made(exp=NOW),
    "no end": lambda f: f.made(exp=None),
    "an end in words": lambda f: f.made(exp="tomorrow"),
    "an end that is true": lambda f: f.made(exp=True),
    "an endless end": lambda f: f.made(exp=1e400),
    "not yet": lambda f: f.made(nbf=NOW + 60),
    "no beginning": lambda f: f.made(nbf=None),
    "no jti": lambda f: f.made(jti=None),
    "another subject": lambda f: f.made(sub=str(uuid4())),
    "a subject that is no id": lambda f: f.made(sub="admin' or 1=1 --"),
    "a number as subject": lambda f: f.made(sub=1),
    "another session": lambda f: f.made(sid=str(uuid4())),
    "no session": lambda f: f.made(sid=None),
    "a session that is a list": lambda f: f.made(sid=[f.claims["sid"]]),
    "claims that are a list": lambda f: f.signed(f.header, [f.claims], f.key),
    "a header that is a list": lambda f: f.signed([f.header], f.claims, f.key),
    "cut": lambda f: f.token[:-1],
    "cut to its body": lambda f: f.token.rpartition(".")[0],
    "doubled": lambda f: f"{f.token}.{f.token}",
    "a bit flipped": _flipped,
    "another body": _other_body,
    "only dots": lambda f: "..",
    "five parts": lambda f: "a.b.c.d.e",
    "no base64": lambda f: "%%%.%%%.%%%",
    "too long": lambda f: f.made(extra="x" * 3_000),
    "broken UTF-8": lambda f: f"{_b64(bytes([0xFF, 0xFE]))}.{f.token.partition('.')[2]}",
    "deeply nested": lambda f: f"{_b64(b'[' * 1_200)}.{f.token.partition('.')[2]}",
    "a refresh token": lambda f: "gfr_" + "A" * 43,
    "a key that nobody has": lambda f: "gf_" + "A" * 43,
    "no key at all": lambda f: "gf_' or 1=1 --",
}


async def test_no_forged_token_opens_anything(postgres_url: str) -> None:
    assert len(FORGED) >= 60
    async with open_door(postgres_url, limits=Unlimited()) as door:
        await door.account("vera", Role.ADMIN)
        right = (await door.login("vera"))["access_token"]
        forger = Forger(door, right)
        for name, forge in FORGED.items():
            forged = forge(forger)
            answer = await door.client.post(LOGOUT, headers={"Authorization": f"Bearer {forged}"})
            assert answer.status_code == 401, f"{name}: {answer.text}"
            error = refused(answer, 401, "UNAUTHORIZED")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer"), name
            assert forged not in answer.text, name
            assert error["message"] in SAID, name
        again = await door.client.post(LOGOUT, headers={"Authorization": f"Bearer {right}"})
        assert again.status_code == 204


async def test_the_forgers_own_token_is_right_when_nothing_is_changed(door: Door) -> None:
    token = (await door.login("vera"))["access_token"]
    made = Forger(door, token).made()
    answer = await door.client.post(LOGOUT, headers={"Authorization": f"Bearer {made}"})
    assert answer.status_code == 204


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer ")],
        [("Authorization", "Basic dmVyYTp4")],
        [("Authorization", "Bearer TOKEN"), ("Authorization", "Bearer TOKEN")],
        [("Authorization", "Bearer TOKEN"), ("X-API-Key", "gf_" + "A" * 43)],
        [("X-API-Key", "TOKEN")],
        [("X-API-Key", "")],
        [("Cookie", "access_token=TOKEN")],
    ],
)
async def test_who_calls_is_said_once_and_in_its_place(
    door: Door, headers: list[tuple[str, str]]
) -> None:
    token = (await door.login("vera"))["access_token"]
    sent = [(name, value.replace("TOKEN", token)) for name, value in headers]
    refused(await door.client.post(LOGOUT, headers=sent), 401, "UNAUTHORIZED")
    refused(await door.client.post(f"{LOGOUT}?access_token={token}"), 401)


async def test_a_token_ends_after_fifteen_minutes(door: Door) -> None:
    pair = await door.login("vera")
    assert pair["expires_in"] == ACCESS_SECONDS == 900
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    door.clock.move(seconds=ACCESS_SECONDS)
    refused(await door.client.post(LOGOUT, headers=headers), 401)
    door.clock.move(seconds=-1)
    assert (await door.client.post(LOGOUT, headers=headers)).status_code == 204


async def test_a_token_from_tomorrow_is_not_taken_today(door: Door) -> None:
    door.clock.move(days=1)
    token = (await door.login("vera"))["access_token"]
    door.clock.move(days=-1)
    refused(await door.client.post(LOGOUT, headers={"Authorization": f"Bearer {token}"}), 401)


@pytest.mark.parametrize("end", ["logout", "disable", "password", "reuse"])
async def test_a_token_ends_with_its_session(door: Door, end: str) -> None:
    pair = await door.login("vera")
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    if end == "logout":
        assert (await door.client.post(LOGOUT, headers=headers)).status_code == 204
    elif end == "disable":
        await door.services.accounts.disable("vera", "has left", BY)
    elif end == "password":
        await door.services.accounts.set_password("vera", "quite another sentence")
    else:
        asked = {"refresh_token": pair["refresh_token"]}
        assert (await door.client.post("/v1/auth/refresh", json=asked)).status_code == 200
        refused(await door.client.post("/v1/auth/refresh", json=asked), 401)
    refused(await door.client.post(LOGOUT, headers=headers), 401)


@pytest.mark.parametrize("end", ["revoke", "disable", "expire"])
async def test_a_key_opens_nothing_any_more(door: Door, end: str) -> None:
    key = await door.key("vera", Permission.SAMPLES_READ, days=1)
    refused(await door.client.post(LOGOUT, headers={"X-API-Key": key}), 403)  # known, and allowed
    if end == "revoke":
        await door.services.keys.revoke(key, "found in a mail", BY)
    elif end == "disable":
        await door.services.accounts.disable("vera", "has left", BY)
    else:
        door.clock.move(days=1)
    refused(await door.client.post(LOGOUT, headers={"X-API-Key": key}), 401)
    refused(await door.client.post(LOGOUT, headers={"Authorization": f"Bearer {key}"}), 401)


async def test_an_older_key_still_verifies_and_the_newest_signs(door: Door) -> None:
    old, new = new_key(), new_key()
    account = await door.services.accounts.find("vera")
    session = uuid4()
    token = Tokens(dict([old])).issue(account.account_id, session, door.clock())
    both = Tokens(dict([new, old]))
    assert both.read(token, door.clock()).session_id == session
    signed = both.issue(account.account_id, session, door.clock())
    assert jwt.get_unverified_header(signed)["kid"] == new[0]


def test_a_short_key_signs_nothing() -> None:
    for keys in ({}, {"a": b"short"}):
        with pytest.raises(Refused, match="has 32 bytes or more"):
            Tokens(keys)

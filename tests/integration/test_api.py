"""The API around its routes: the door, envelopes, limits, bodies, and writes that come twice."""

from __future__ import annotations

import gzip
import logging
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from genoflow.api.guard import GuardedRoute
from genoflow.api.identity.permissions import PERMISSIONS, Access, Permission, Role
from genoflow.api.middleware import BODY_BYTES_MAX
from tests.doors import PASSWORD, Door, Unlimited, open_door, refused, toys


@pytest.fixture
async def door(tables_url: str) -> AsyncIterator[Door]:
    async with open_door(
        tables_url, routers=[toys], limits=Unlimited(), cors_origins=["https://lab.example"]
    ) as opened:
        yield opened


def routes(app: FastAPI) -> list[GuardedRoute]:
    """Every route of the app, however it was included."""
    found = [context.original_route for context in iter_route_contexts(app.routes)]
    return [route for route in found if isinstance(route, APIRoute)]  # type: ignore[misc]


async def test_every_route_says_what_it_asks_for(door: Door) -> None:
    found = routes(door.app)
    assert len(found) >= 7
    assert all(isinstance(route, GuardedRoute) for route in found)
    public = {route.path for route in found if route.access is Access.PUBLIC}
    assert public == {
        "/health", "/health/live", "/health/ready", "/auth/login", "/auth/refresh",
        "/v1/openapi.json",
    }  # fmt: skip


def test_a_route_that_says_nothing_cannot_be_made() -> None:
    router = APIRouter(route_class=GuardedRoute)
    with pytest.raises(TypeError, match="says not what it asks for"):

        @router.get("/open")
        async def careless() -> None:
            """Nothing."""


async def test_a_router_without_the_door_cannot_be_mounted(tables_url: str) -> None:
    careless = APIRouter()

    @careless.get("/open")
    async def _open() -> str:
        return "open"

    with pytest.raises(TypeError, match="/open: is not behind the door"):
        async with open_door(tables_url, routers=[careless]):
            pass


def test_every_permission_is_somebodys_and_the_administrator_may_all() -> None:
    assert set(PERMISSIONS) == set(Permission)
    assert all(Role.ADMIN in roles for roles in PERMISSIONS.values())
    held = set().union(*PERMISSIONS.values())
    assert held == set(Role)
    assert PERMISSIONS[Permission.ACCOUNTS_MANAGE] == {Role.ADMIN}
    reads = {p for p in Permission if p.value.endswith(":read")} - {Permission.CONFIG_READ}
    assert {p for p in Permission if Role.AUDITOR in PERMISSIONS[p]} == reads


@pytest.mark.parametrize("role", Role)
async def test_a_role_may_what_the_table_says(door: Door, role: Role) -> None:
    headers = await door.bearer("vera", role)
    for permission, ask in (
        (Permission.SAMPLES_READ, door.client.get("/v1/toys", headers=headers)),
        (Permission.SAMPLES_WRITE,
         door.client.post("/v1/toys", headers=headers, json={"sample_id": "S1"})),
    ):  # fmt: skip
        answer = await ask
        if role in PERMISSIONS[permission]:
            assert answer.status_code in (200, 201)
        else:
            assert refused(answer, 403)["details"]["permission"] == permission


async def test_a_role_that_was_revoked_allows_nothing_a_moment_later(door: Door) -> None:
    headers = await door.bearer("vera", Role.CLINICIAN)
    assert (await door.client.get("/v1/toys", headers=headers)).status_code == 200
    by = (await door.services.accounts.find("vera")).account_id
    await door.services.pool.execute("delete from identity.roles where account_id = $1", by)
    refused(await door.client.get("/v1/toys", headers=headers), 403, "FORBIDDEN")


async def test_signing_in_carrying_on_and_signing_out(door: Door) -> None:
    account = await door.account("vera", Role.CLINICIAN, Role.AUDITOR)
    first = await door.login("vera")
    assert set(first) == {"access_token", "refresh_token", "expires_in", "user"}
    assert first["user"] == {
        "user_id": str(account.account_id), "username": "vera", "roles": ["auditor", "clinician"],
    }  # fmt: skip
    asked = {"refresh_token": first["refresh_token"]}
    answer = await door.client.post("/api/v1/auth/refresh", json=asked)
    second = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(second) == set(first)
    headers = {"Authorization": f"Bearer {second['access_token']}"}
    assert (await door.client.get("/api/v1/toys", headers=headers)).json()["via"] == "session"
    assert (await door.client.post("/v1/auth/logout", headers=headers)).status_code == 204
    refused(await door.client.get("/v1/toys", headers=headers), 401)


async def test_a_wrong_name_and_a_wrong_password_look_alike(door: Door) -> None:
    await door.account("vera")
    answers = [
        await door.client.post("/v1/auth/login", json={"username": name, "password": password})
        for name, password in (("vera", "wrong"), ("nobody", PASSWORD), ("a\nb", "x"))
    ]
    messages = {refused(one, 401, "INVALID_CREDENTIALS")["message"] for one in answers}
    assert messages == {"the name or the password is wrong"}


async def test_errors_have_one_envelope_or_the_one_of_rfc_9457(door: Door) -> None:
    headers = await door.bearer("vera", Role.ADMIN)
    bad = await door.client.post("/v1/toys", headers=headers, json={"count": "many"})
    error = refused(bad, 422, "VALIDATION_ERROR")
    assert error["message"] == "sample_id: Field required"
    assert error["details"]["field"] == "sample_id"
    assert error["details"]["rejected_value"] is None
    assert error["details"]["faults"][1]["rejected_value"] == "many"
    problem = await door.client.get(
        "/v1/nothing", headers={"Accept": "application/problem+json", "X-Request-ID": "mine-1"}
    )
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json() == {
        "type": "urn:genoflow:problem:not-found", "title": "Not found", "status": 404,
        "detail": "there is nothing at this address", "instance": "urn:genoflow:request:mine-1",
        "code": "NOT_FOUND", "details": {"category": "validation"}, "request_id": "mine-1",
    }  # fmt: skip
    refused(await door.client.put("/v1/health"), 405, "METHOD_NOT_ALLOWED")
    refused(await door.client.get("/nothing"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("name", "status", "category"),
    [("refused", 422, "validation"), ("away", 503, "storage"), ("broken", 500, "system")],
)
async def test_what_fails_behind_a_route_is_said_in_the_envelope(
    door: Door, name: str, status: int, category: str
) -> None:
    headers = await door.bearer("vera", Role.ADMIN)
    answer = await door.client.post("/v1/toys", headers=headers, json={"sample_id": name})
    assert refused(answer, status)["details"]["category"] == category
    assert "secret" not in answer.text


async def test_a_refusal_never_repeats_a_password(door: Door) -> None:
    asked = {"username": "vera", "password": "x" * 201, "token": "y"}
    answer = await door.client.post("/v1/auth/login", json=asked)
    refused(answer, 422)
    assert "xxx" not in answer.text
    assert '"y"' not in answer.text


@pytest.mark.parametrize("given", ["a b", "x" * 65, "é", "", "a\tb"])
async def test_a_request_id_that_is_not_plain_is_replaced(door: Door, given: str) -> None:
    answer = await door.client.get("/health", headers=[(b"X-Request-ID", given.encode("latin-1"))])
    assert UUID(answer.headers["X-Request-ID"])


async def test_health_says_when_the_database_is_away(door: Door) -> None:
    for path in ("/health", "/v1/health", "/api/v1/health"):
        answer = await door.client.get(path)
        assert answer.json() == {
            "status": "healthy", "version": "0.1.0", "checks": {"database": "ok"},
        }  # fmt: skip
    for path in ("/health/live", "/v1/health/ready"):
        answer = await door.client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "because": []})
    await door.services.pool.close()
    answer = await door.client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["because"] == ["the database does not answer"]
    assert (await door.client.get("/health/live")).status_code == 200
    answer = await door.client.get("/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
    asked = {"username": "vera", "password": PASSWORD}
    refused(await door.client.post("/v1/auth/login", json=asked), 503, "UNAVAILABLE")


async def test_every_answer_is_timed_by_its_route(door: Door) -> None:
    await door.account("operator", Role.ADMIN)
    key = {"X-API-Key": await door.key("operator", Permission.MONITORING_READ)}
    for path in ("/v1/health", "/api/v1/health", "/v1/nothing-there", "/registry/subjects"):
        await door.client.get(path, headers=key)
    await door.client.request("ODD", "/v1/health")
    text = (await door.client.get("/metrics", headers=key)).text
    counted = "genoflow_http_request_seconds_count"
    assert f'{counted}{{method="GET",route="/health",status="200"}} 2.0' in text
    assert f'{counted}{{method="GET",route="/registry",status="200"}} 1.0' in text
    assert f'{counted}{{method="none",route="none",status="404"}} 1.0' in text
    assert f'{counted}{{method="none",route="none",status="405"}} 1.0' in text
    assert "ODD" not in text
    assert "nothing-there" not in text


async def test_the_registry_is_mounted_for_whoever_has_signed_in(door: Door) -> None:
    refused(await door.client.get("/registry/subjects"), 401, "UNAUTHORIZED")
    await door.account("reader")
    key = await door.key("reader", Permission.EVENTS_READ)
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
        listed = (await door.client.get("/registry/subjects", headers=headers)).json()
        assert "genoflow.v1.FileLanded" in listed
    missing = await door.client.get("/registry/subjects/nothing/versions", headers=headers)
    assert (missing.status_code, missing.json()["error_code"]) == (404, 40401)


async def test_openapi_describes_every_route_with_its_permission_and_examples(door: Door) -> None:
    answer = await door.client.get("/v1/openapi.json")
    document = answer.json()
    assert set(document["paths"]) == {
        "/v1/health", "/v1/health/live", "/v1/health/ready", "/v1/auth/login", "/v1/auth/refresh",
        "/v1/auth/logout", "/v1/toys", "/v1/toys/name", "/v1/metrics",
    }  # fmt: skip
    login = document["paths"]["/v1/auth/login"]["post"]
    assert login["security"] == []
    for path, status in (("login", "401"), ("refresh", "401"), ("logout", "403")):
        told = document["paths"][f"/v1/auth/{path}"]["post"]["responses"][status]
        assert told["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorEnvelope")
    toy = document["paths"]["/v1/toys"]["post"]
    assert toy["x-permission"] == "samples:write"
    assert {"401", "403", "409", "413", "422", "429"} <= set(toy["responses"])
    assert [p["name"] for p in toy["parameters"]] == ["Idempotency-Key"]
    schemas = document["components"]["schemas"]
    for name in ("LoginRequest", "RefreshRequest", "TokenResponse", "User", "ErrorBody", "Health"):
        for field, described in schemas[name]["properties"].items():
            assert "examples" in described or "$ref" in described, f"{name}.{field}"


async def test_long_answers_are_compressed_and_browsers_of_the_lab_are_let_in(door: Door) -> None:
    headers = await door.bearer("vera", Role.ADMIN)
    answer = await door.client.get("/v1/toys", headers={**headers, "Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    asked = {"Access-Control-Request-Method": "POST", "Origin": "https://lab.example"}
    before = await door.client.options("/v1/toys", headers=asked)
    assert before.headers["access-control-allow-origin"] == "https://lab.example"
    other = await door.client.get("/health", headers={"Origin": "https://elsewhere.example"})
    assert "access-control-allow-origin" not in other.headers


BODIES = [
    (b"{", 400),
    (b'{"sample_id": "\xff\xfe"}', 400),
    (b'{"sample_id": "\xed\xa0\x80"}', 400),
    (b"[" * 100_000, 400),
    (b'{"sample_id": "a", "count": ' + b"9" * 5_000 + b"}", 400),
    (b'{"sample_id": "\\ud800"}', 400),
    (b'{"sample_id": "a\\u0000"}', 400),
    (b'{"sample_id": "a\x00"}', 400),
    (b'{"sample_id": "a", "count": NaN}', 422),
    (b'{"sample_id": ["a"]}', 422),
    (b"null", 422),
    (b"", 422),
    (gzip.compress(b'{"sample_id": "a"}', mtime=0), 400),
    (b" " * (BODY_BYTES_MAX + 1), 413),
]


async def test_a_body_that_is_none_is_refused_and_the_service_goes_on(door: Door) -> None:
    headers = await door.bearer("vera", Role.ADMIN) | {"Content-Type": "application/json"}
    for body, status in BODIES:
        answer = await door.client.post("/v1/toys", headers=headers, content=body)
        assert answer.status_code == status, (body[:80], answer.text)
        refused(answer, status)
    good = await door.client.post("/v1/toys", headers=headers, json={"sample_id": "S1"})
    assert good.status_code == 201


async def test_a_body_without_a_length_is_counted_too(door: Door) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1_000_000

    headers = await door.bearer("vera", Role.ADMIN) | {"Content-Type": "application/json"}
    refused(await door.client.post("/v1/toys", headers=headers, content=endless()), 413)
    for length in ("-1", "1e3", "9" * 30):
        headers["Content-Length"] = length
        refused(await door.client.post("/v1/toys", headers=headers, content=b"{}"), 413)


async def test_nothing_that_is_asked_can_write_a_line_of_the_log(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "genoflow.api.requests")
    path = "/v1/%0A2026-01-01%20forged%1b[31m%00%E2%80%A8line?x=%0d%0a"
    refused(await door.client.get(path), 404)
    ours = [one.getMessage() for one in caplog.records if one.name == "genoflow.api.requests"]
    [line] = [one for one in ours if "2026-01-01" in one]
    assert line.isprintable()
    assert line.isascii()


async def test_an_address_with_nul_is_refused_and_an_escaped_escape_is_not(door: Door) -> None:
    headers = await door.bearer("vera", Role.ADMIN)
    refused(await door.client.get("/v1/toys?sample=%00", headers=headers), 400)
    for name in ("a\\u0000", "\\ud800", "\U0001f9ec"):
        answer = await door.client.post("/v1/toys", headers=headers, json={"sample_id": name})
        assert answer.json()["sample_id"] == name

"""Accounts, sessions and keys on a real Postgres: who is let in, for how long, and what is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from genoflow.api.identity import outbox
from genoflow.api.identity.permissions import Permission, Role, role_named, scopes_named
from genoflow.api.identity.sessions import IDLE_DAYS, SESSION_DAYS
from genoflow.api.identity.tables import STEPS, prepare
from genoflow.api.identity.tokens import NotValid
from genoflow.api.migrations import Step, migrate
from genoflow.events.errors import LogUnavailable, OutcomeUnknown, Refused, Stop
from genoflow.events.event import Event
from tests.doors import BY, PASSWORD, Announced, Door, open_door


@pytest.fixture
async def door(postgres_url: str) -> AsyncIterator[Door]:
    async with open_door(postgres_url) as opened:
        yield opened


async def told(door: Door) -> list[tuple[str, str]]:
    """What the outbox sends: each type, with the role or the name of the account's key."""
    announced = Announced()
    await outbox.send(door.services.pool, announced)
    return [
        (fact.type(), getattr(fact, "role", None) or str(getattr(fact, "key_id", "")))
        for fact in announced.facts
    ]


async def test_a_role_is_granted_and_revoked_and_the_log_hears_of_both(door: Door) -> None:
    account = await door.account("vera", Role.CLINICIAN)
    assert await door.services.accounts.grant("vera", Role.AUDITOR, BY)
    assert not await door.services.accounts.grant("vera", Role.AUDITOR, BY)
    assert await door.services.accounts.revoke("vera", Role.CLINICIAN, "moved on", BY)
    assert not await door.services.accounts.revoke("vera", Role.CLINICIAN, "moved on", BY)
    assert (await door.services.accounts.find("VERA ")).roles == {Role.AUDITOR}
    announced = Announced()
    assert await outbox.send(door.services.pool, announced) == 3
    assert [(f.type(), f.payload()["role"]) for f in announced.facts] == [
        ("RoleGranted", "clinician"), ("RoleGranted", "auditor"), ("RoleRevoked", "clinician"),
    ]  # fmt: skip
    assert {fact.key for fact in announced.facts} == {str(account.account_id)}
    assert "vera" not in "".join(fact.model_dump_json() for fact in announced.facts)
    assert {fact.envelope.actor for fact in announced.facts} == {BY}
    assert len({fact.envelope.event_id for fact in announced.facts}) == 3


async def test_projects_are_shown_and_hidden_and_the_log_hears_of_both(door: Door) -> None:
    accounts = door.services.accounts
    account = await door.account("paula", Role.PARTNER)
    await told(door)
    assert await accounts.show_project("paula", "P2", BY)
    assert await accounts.show_project("paula", "P1", BY)
    assert not await accounts.show_project("paula", "P1", BY)
    assert (await accounts.find("paula")).projects == ("P1", "P2")
    assert [one.projects for one in await accounts.all()] == [("P1", "P2")]
    pair = await door.services.sessions.begin(account)
    key = await door.key("paula", Permission.SAMPLES_READ)
    for caller in (
        await door.services.sessions.caller(pair.access_token),
        await door.services.keys.caller(key),
    ):
        assert caller.projects == frozenset({"P1", "P2"})
        assert caller.sees_only(Permission.SAMPLES_READ) == caller.projects
    assert await accounts.hide_project("paula", "P2", "its contract has ended", BY)
    assert await accounts.disable("paula", "has left", BY)
    announced = Announced()
    await outbox.send(door.services.pool, announced)
    facts = [one for one in announced.facts if "project_id" in one.payload()]
    assert [(one.type(), one.payload()["project_id"]) for one in facts] == [
        ("ProjectAccessGranted", "P2"), ("ProjectAccessGranted", "P1"),
        ("ProjectAccessRevoked", "P2"), ("ProjectAccessRevoked", "P1"),
    ]  # fmt: skip
    assert {one.key for one in facts} == {str(account.account_id)}
    with pytest.raises(Refused, match="enable it first"):
        await accounts.show_project("paula", "P1", BY)
    await accounts.enable("paula")
    assert (await accounts.find("paula")).projects == ()


async def test_an_account_sees_a_bounded_number_of_projects(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genoflow.api.identity.accounts.PROJECTS_OF_ACCOUNT_MAX", 1)
    await door.account("paula", Role.PARTNER)
    await door.services.accounts.show_project("paula", "P1", BY)
    with pytest.raises(Refused, match="sees 1 projects already"):
        await door.services.accounts.show_project("paula", "P2", BY)


async def test_what_was_not_appended_waits_and_keeps_its_order_and_its_ids(door: Door) -> None:
    await door.account("vera", Role.CLINICIAN, Role.AUDITOR)
    announced = Announced(failures=[LogUnavailable("no broker answers")])
    with pytest.raises(LogUnavailable):
        await outbox.send(door.services.pool, announced)
    assert await outbox.send(door.services.pool, announced) == 2
    assert await outbox.send(door.services.pool, announced) == 0
    assert [fact.payload()["role"] for fact in announced.facts] == ["auditor", "clinician"]


async def test_a_fact_that_is_sent_again_keeps_its_id(door: Door) -> None:
    class Doubtful(Announced):
        async def append(self, event: Event) -> object:
            self.facts.append(event)
            if len(self.facts) == 2:
                raise OutcomeUnknown("the broker did not say whether it stands there")
            return len(self.facts)

    await door.account("vera", Role.CLINICIAN, Role.AUDITOR)
    announced = Doubtful()
    with pytest.raises(OutcomeUnknown):
        await outbox.send(door.services.pool, announced)
    assert await outbox.send(door.services.pool, announced) == 2
    ids = [fact.envelope.event_id for fact in announced.facts]
    assert ids[:2] == ids[2:]


async def test_one_sender_sends_at_a_time(door: Door) -> None:
    await door.account("vera", *Role)
    announced = Announced()
    sent = await asyncio.gather(*(outbox.send(door.services.pool, announced) for _ in range(4)))
    assert sum(sent) == len(announced.facts) == len(Role)


async def test_the_sender_carries_on_after_what_passes(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PAUSE_SECONDS", 0.01)
    await door.account("vera", Role.CLINICIAN)
    announced = Announced(failures=[LogUnavailable("no broker"), ConnectionResetError("away")])
    task = asyncio.create_task(outbox.keep_sending(door.services.pool, announced))
    async with asyncio.timeout(10):
        while not announced.facts:
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_sender_ends_with_what_does_not_pass(door: Door) -> None:
    await door.account("vera", Role.CLINICIAN)
    with pytest.raises(Stop, match="no such topic"):
        await outbox.keep_sending(door.services.pool, Announced(failures=[Stop("no such topic")]))


async def test_the_first_administrator_is_made_once(door: Door) -> None:
    made = await asyncio.gather(*(door.services.accounts.first(BY) for _ in range(4)))
    [(account, password)] = [one for one in made if one is not None]
    assert account.roles == {Role.ADMIN}
    assert await door.services.accounts.signing_in("admin", password) == account
    assert await door.services.accounts.first(BY) is None
    await door.services.accounts.disable("admin", "has left", BY)
    with pytest.raises(Refused, match="admin: there is such an account; choose another name"):
        await door.services.accounts.first(BY)
    assert await door.services.accounts.first(BY, "second") is not None


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 101, "x\x00", "ärztin", "a\nb"])
async def test_a_name_that_is_none_is_refused(door: Door, name: str) -> None:
    with pytest.raises(Refused, match="is no name of an account"):
        await door.account(name)
    assert await door.services.accounts.signing_in(name, PASSWORD) is None


async def test_a_name_is_taken_once_and_a_password_has_its_bounds(door: Door) -> None:
    await door.account("vera")
    with pytest.raises(Refused, match="there is such an account"):
        await door.account("Vera")
    for password in ("short", "x" * 201):
        with pytest.raises(Refused, match="characters; take 12 to 200"):
            await door.services.accounts.set_password("vera", password)
    with pytest.raises(Refused, match="no such account"):
        await door.services.accounts.find("nobody")
    with pytest.raises(Refused, match="is no role; there are admin, lab_technician"):
        role_named("boss")
    with pytest.raises(Refused, match="a scope is one of samples:read"):
        scopes_named(["everything"])


async def test_a_wrong_password_opens_nothing_and_neither_does_none(door: Door) -> None:
    await door.services.accounts.create("robot", None, frozenset(), BY)
    await door.account("vera")
    for name, password in (("vera", "wrong"), ("nobody", PASSWORD), ("robot", ""), ("vera", "")):
        assert await door.services.accounts.signing_in(name, password) is None
    assert await door.services.accounts.signing_in("vera", "x" * 100_000) is None
    kept = await door.services.pool.fetchval(
        "select password_hash from identity.accounts where username = 'vera'"
    )
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


async def test_a_refresh_token_serves_once_and_used_twice_ends_its_family(door: Door) -> None:
    account = await door.account("vera", Role.CLINICIAN)
    sessions = door.services.sessions
    first = await sessions.begin(account)
    second = await sessions.refresh(first.refresh_token)
    assert (await sessions.caller(second.access_token)).account == account.account_id
    with pytest.raises(NotValid, match="used before"):
        await sessions.refresh(first.refresh_token)
    with pytest.raises(NotValid, match="session is over"):
        await sessions.refresh(second.refresh_token)
    for pair in (first, second):
        with pytest.raises(NotValid):
            await sessions.caller(pair.access_token)
    other = await sessions.begin(account)
    assert (await sessions.caller(other.access_token)).username == "vera"


async def test_of_two_refreshes_at_once_one_wins_and_the_family_ends(door: Door) -> None:
    account = await door.account("vera")
    pair = await door.services.sessions.begin(account)
    answers = await asyncio.gather(
        *(door.services.sessions.refresh(pair.refresh_token) for _ in range(3)),
        return_exceptions=True,
    )
    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(won) == 1
    assert all(isinstance(answer, NotValid) for answer in answers if answer not in won)
    with pytest.raises(NotValid):
        await door.services.sessions.refresh(won[0].refresh_token)


async def test_a_session_ends_when_nobody_uses_it_and_in_any_case(door: Door) -> None:
    account = await door.account("vera")
    idle = await door.services.sessions.begin(account)
    busy = await door.services.sessions.begin(account)
    begun = door.clock.now
    while (door.clock.now - begun).days < SESSION_DAYS - IDLE_DAYS:
        door.clock.move(days=IDLE_DAYS - 1)
        busy = await door.services.sessions.refresh(busy.refresh_token)
    with pytest.raises(NotValid, match="it is over"):
        await door.services.sessions.refresh(idle.refresh_token)
    door.clock.move(days=IDLE_DAYS - 1)
    with pytest.raises(NotValid, match="it is over"):
        await door.services.sessions.refresh(busy.refresh_token)
    await door.services.sessions.forget_old()
    assert await door.services.pool.fetchval("select count(*) from identity.sessions") == 2
    door.clock.move(days=8)
    await door.services.sessions.forget_old()
    assert await door.services.pool.fetchval("select count(*) from identity.refresh_tokens") == 0


async def test_whoever_is_disabled_is_out_at_once_with_every_key_and_role(door: Door) -> None:
    account = await door.account("vera", Role.CLINICIAN, Role.AUDITOR)
    pair = await door.services.sessions.begin(account)
    key = await door.key("vera", Permission.SAMPLES_READ)
    await told(door)
    assert await door.services.accounts.disable("vera", "has left", BY)
    assert not await door.services.accounts.disable("vera", "has left", BY)
    for attempt in (
        door.services.sessions.caller(pair.access_token),
        door.services.sessions.refresh(pair.refresh_token),
        door.services.keys.caller(key),
    ):
        with pytest.raises(NotValid):
            await attempt
    assert await door.services.accounts.signing_in("vera", PASSWORD) is None
    assert sorted(name for name, _ in await told(door)) == [
        "KeyRevoked", "RoleRevoked", "RoleRevoked",
    ]  # fmt: skip
    with pytest.raises(Refused, match="enable it first"):
        await door.services.accounts.grant("vera", Role.ADMIN, BY)
    assert await door.services.accounts.enable("vera")
    found = await door.services.accounts.signing_in("vera", PASSWORD)
    assert found is not None
    assert found.roles == frozenset()
    with pytest.raises(NotValid):
        await door.services.keys.caller(key)


async def test_a_new_password_ends_the_sessions_of_the_old_one(door: Door) -> None:
    pair = await door.services.sessions.begin(await door.account("vera"))
    await door.services.accounts.set_password("vera", "quite another sentence")
    with pytest.raises(NotValid):
        await door.services.sessions.caller(pair.access_token)
    assert await door.services.accounts.signing_in("vera", PASSWORD) is None
    assert await door.services.accounts.signing_in("vera", "quite another sentence") is not None


async def test_a_key_is_bounded_to_scopes_and_roles_and_a_time(door: Door) -> None:
    await door.account("robot", Role.LAB_TECHNICIAN)
    key = await door.key("robot", Permission.SAMPLES_READ, Permission.CONFIG_READ, days=2)
    caller = await door.services.keys.caller(key)
    assert caller.may(Permission.SAMPLES_READ)
    assert not caller.may(Permission.CONFIG_READ)  # a scope that its account's roles do not allow
    assert not caller.may(Permission.SAMPLES_WRITE)  # a permission outside its scopes
    stored = await door.services.pool.fetchrow("select * from identity.keys")
    assert key not in str(dict(stored))
    door.clock.move(days=2)
    with pytest.raises(NotValid, match="it is over"):
        await door.services.keys.caller(key)


async def test_a_key_is_revoked_by_its_id_or_its_beginning(door: Door) -> None:
    await door.account("robot", Role.ADMIN)
    first, second = [await door.key("robot", Permission.AUDIT_READ) for _ in range(2)]
    listed = await door.services.keys.all()
    assert {one.hint for one in listed} == {first[:8], second[:8]}
    assert await door.services.keys.revoke(first, "found in a mail", BY)
    assert not await door.services.keys.revoke(first[:8], "found in a mail", BY)
    with pytest.raises(NotValid):
        await door.services.keys.caller(first)
    [other] = [one for one in listed if one.hint == second[:8]]
    assert await door.services.keys.revoke(str(other.key_id), "no longer needed", BY)
    with pytest.raises(Refused, match="no key; name one by its id"):
        await door.services.keys.revoke("gf_nothing", "?", BY)
    assert [name for name, _ in await told(door)] == [
        "RoleGranted", "KeyIssued", "KeyIssued", "KeyRevoked", "KeyRevoked",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "days"), [("", 1), ("x" * 101, 1), ("a\n", 1), ("a", 0), ("a", 366)]
)
async def test_a_key_without_bounds_is_refused(door: Door, name: str, days: int) -> None:
    account = await door.account("robot", Role.ADMIN)
    with pytest.raises(Refused):
        await door.services.keys.create(account, name, [Permission.AUDIT_READ], days, BY)


async def test_tables_are_made_once_by_whoever_comes_first(postgres_url: str) -> None:
    connections = [await asyncpg.connect(postgres_url) for _ in range(3)]
    done = await asyncio.gather(*(prepare(connection) for connection in connections))
    assert sorted(map(len, done)) == [0, 0, len(STEPS)]
    edited = Step(STEPS[0].name, f"{STEPS[0].sql}-- edited")
    with pytest.raises(Stop, match="was edited after it was applied"):
        await migrate(connections[0], "identity", [edited, *STEPS[1:]])
    with pytest.raises(Stop, match="unknown here; deploy the release"):
        await migrate(connections[0], "identity", [])
    broken = Step("9999-broken", "create table identity.half (a int); select 1/0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(connections[0], "identity", [*STEPS, broken])
    assert await connections[0].fetchval("select to_regclass('identity.half')") is None
    for connection in connections:
        await connection.close()

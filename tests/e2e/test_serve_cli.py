"""The API as an operator runs it: accounts by commands, a server, its signals, and the log."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from tests.e2e.workers import GENOFLOW, PARTITIONS, fails, succeeds
from tests.servers import cli_environment

WAIT_SECONDS_MAX = 60
PAUSE_SECONDS = 0.1


@pytest.fixture
def settings(stack: Addresses, postgres_url: str, suffix: str, tmp_path: Path) -> Settings:
    """A deployment of this test's own, its topics not yet there."""
    return Settings(
        home=tmp_path / "home", kafka=stack.kafka, postgres=postgres_url, partitions=PARTITIONS,
        topic_prefix=f"t{suffix}.", cors_origins=("https://lab.example",),
    )  # fmt: skip


@contextmanager
def serving(settings: Settings, log: Path) -> Iterator[tuple[httpx2.Client, subprocess.Popen[str]]]:
    """A server on a free port, ended with the block."""
    with log.open("w") as lines:
        process = subprocess.Popen(
            [GENOFLOW, "serve", "--port", "0"], env=cli_environment(settings), stderr=lines,
            text=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while (found := re.search(r"serving at (\S+)", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(PAUSE_SECONDS)
        with httpx2.Client(base_url=found[1], timeout=30) as client:
            yield client, process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=20)


def secret(said: str) -> str:
    """The password or the key that a command shows only once."""
    found = re.search(r"shown only now: (\S+)", said)
    assert found is not None, said
    return found[1]


def on_the_log(settings: Settings, count: int) -> list[dict[str, Any]]:
    """The facts of governance, once there are so many."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    words = ("events", "tail", "--topic", "gf.governance.v1", "--no-follow", "--json")
    while len(found := succeeds(settings, *words).splitlines()) < count:
        assert time.monotonic() < deadline, found
        time.sleep(PAUSE_SECONDS)
    return [json.loads(line) for line in found]


def test_accounts_are_made_and_used_and_every_change_reaches_the_log(
    settings: Settings, tmp_path: Path
) -> None:
    assert "genoflow topics apply" in fails(settings, "serve", "--port", "0")
    succeeds(settings, "topics", "apply")
    password = secret(succeeds(settings, "user", "first"))
    assert "already" in succeeds(settings, "user", "first")
    assert "no role" in succeeds(settings, "user", "create", "robot", "--no-password")
    assert "is now lab_technician" in succeeds(settings, "user", "grant", "robot", "lab-technician")
    key = secret(
        succeeds(settings, "key", "create", "robot", "--name", "lims", "--scope", "samples:read")
    )
    assert "robot" in succeeds(settings, "key", "list")
    keys = settings.home / "token-keys"
    assert keys.stat().st_mode & 0o777 == 0o600
    with serving(settings, tmp_path / "log") as (client, process):
        asked = {"username": "admin", "password": password}
        pair = client.post("/v1/auth/login", json=asked).json()
        assert pair["user"]["roles"] == ["admin"]
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        known = client.post("/v1/auth/logout", headers={"X-API-Key": key})
        assert (
            "genoflow.v1.KeyIssued"
            in client.get("/registry/subjects", headers={"Authorization": f"Bearer {key}"}).json()
        )
        assert known.json()["error"]["code"] == "FORBIDDEN"  # let in, but it has no session
        assert "revoked" in succeeds(settings, "key", "revoke", key[:8], "--reason", "lost")
        assert client.post("/v1/auth/logout", headers={"X-API-Key": key}).status_code == 401
        assert "disabled" in succeeds(settings, "user", "disable", "admin", "--reason", "left")
        assert client.post("/v1/auth/logout", headers=headers).status_code == 401
        assert client.get("/health").json()["status"] == "healthy"
        assert client.get("/registry/subjects").status_code == 401
        facts = on_the_log(settings, 5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert sorted(fact["type"] for fact in facts) == [
        "KeyIssued", "KeyRevoked", "RoleGranted", "RoleGranted", "RoleRevoked",
    ]  # fmt: skip
    assert {fact["subject"] for fact in facts} >= {pair["user"]["user_id"]}
    lines = (tmp_path / "log").read_text()
    assert "POST /v1/auth/login: 200 in" in lines
    for hidden in (password, key, pair["access_token"], pair["refresh_token"]):
        assert hidden not in lines
    assert "admin  disabled  no role" in succeeds(settings, "user", "list")


@pytest.mark.long
def test_a_server_that_knows_nobody_says_how_to_make_the_first(
    settings: Settings, tmp_path: Path
) -> None:
    succeeds(settings, "topics", "apply")
    with serving(settings, tmp_path / "log"):
        assert "`genoflow user first` makes the first" in (tmp_path / "log").read_text()
    succeeds(settings, "user", "create", "vera", "--no-password")
    with serving(settings, tmp_path / "log"):
        assert "user first" not in (tmp_path / "log").read_text()


def test_commands_refuse_what_contradicts_itself(settings: Settings) -> None:
    assert "is no role" in fails(settings, "user", "create", "vera", "--role", "boss")
    short = fails(settings, "user", "create", "vera", "--password-stdin", said="short\n")
    assert "take 12 to 200" in short
    succeeds(settings, "user", "create", "vera", "--password-stdin", said="quite a long sentence\n")
    assert "there is such an account" in fails(settings, "user", "create", "vera")
    assert "no such account" in fails(settings, "user", "passwd", "nobody")
    assert "a scope is one of" in fails(
        settings, "key", "create", "vera", "--name", "x", "--scope", "all"
    )
    assert "needs a scope" in fails(settings, "key", "create", "vera", "--name", "x")
    of_vera = ("user", "projects", "vera")
    assert succeeds(settings, *of_vera, "--add", "P1", "--add", "P2").endswith("sees P1, P2\n")
    assert succeeds(settings, *of_vera, "--remove", "P1").endswith("sees P2\n")
    assert "in force  no role" in (listed := succeeds(settings, "user", "list"))
    assert "sees P2" in listed
    assert "say one of the two" in fails(settings, *of_vera, "--add", "P1", "--remove", "P1")
    assert "is no id of a project" in fails(settings, *of_vera, "--add", "two words\n")
    assert "identifier of a person" in fails(settings, *of_vera, "--add", "MRN1234567")
    told = fails(settings, "user", "disable", "vera", "--reason", "wrote about MRN 1234567")
    assert "identifier of a person" in told
    assert "1234567" not in told
    (settings.home / "token-keys").chmod(0o644)
    assert "chmod 600" in fails(settings, "user", "list")

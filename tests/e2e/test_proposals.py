"""A decision over HTTP on a real stack: the API proposes, a worker decides, the rows tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_override_proposed import QcOverrideProposed
from tests import qc_facts as facts
from tests.e2e.test_serve_cli import secret
from tests.e2e.workers import (
    happens,
    number_of,
    running,
    said,
    settings_of,
    succeeds,
    until,
    working,
)
from tests.qc_facts import SAMPLE

SETTLE = "settle-sample"
OVERRIDE = f"/v1/samples/{SAMPLE}/qc/override"
WHY = {"reason": "enough for this question"}


@pytest.fixture
def settings(stack: Addresses, postgres_url: str, suffix: str, tmp_path: Path) -> Settings:
    """A deployment of this test's own, with its topics."""
    found = settings_of(stack, suffix, tmp_path / "home", postgres=postgres_url)
    succeeds(found, "topics", "apply")
    return found


@contextmanager
def serving(settings: Settings, log: Path, *scopes: str) -> Iterator[httpx2.Client]:
    """The API on a free port, for a program that may do this: a person asks less often."""
    succeeds(settings, "user", "first")
    words = [word for scope in scopes for word in ("--scope", scope)]
    key = secret(succeeds(settings, "key", "create", "admin", "--name", "lims", *words))
    with running(settings, log, "serve", "--port", "0"):
        [address] = until(lambda: re.findall(r"serving at (\S+)", log.read_text()), "it serves")
        with httpx2.Client(base_url=address, timeout=30, headers={"X-API-Key": key}) as client:
            yield client


def settled(client: httpx2.Client, answer: httpx2.Response) -> dict[str, Any]:
    """What became of a proposal: at once, or where a busy machine has it later."""
    body = answer.json()
    assert answer.status_code in (200, 202, 409), body
    named = body["error"]["details"] if answer.status_code == 409 else body
    where = f"/v1/proposals/{named['proposal_id']}"

    def found() -> dict[str, Any]:
        seen = client.get(where)
        told: dict[str, Any] = seen.json()
        return told if seen.status_code == 200 and told["state"] != "open" else {}

    return until(found, "it is decided")


@pytest.mark.long
def test_a_decision_over_http_becomes_a_fact_or_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    happens(settings, facts.registered(), facts.failed())
    with (
        running(settings, tmp_path / "rows.log", "project"),
        serving(settings, tmp_path / "api.log", "samples:read", "qc:decide") as client,
    ):
        until(lambda: client.get(f"/v1/samples/{SAMPLE}").status_code == 200, "its row is there")
        early = client.post(OVERRIDE, json=WHY, headers={"Idempotency-Key": "K1"})
        assert early.status_code == 202, early.text
        where = early.headers["Location"]
        until(lambda: client.get(where).status_code == 200, "the rows know the proposal")
        assert client.get(where).json()["state"] == "open"
        with working(settings, tmp_path / "worker.log", "--once", SETTLE):
            fact = settled(client, early)["fact"]
            assert (fact["type"], fact["actor"]["kind"]) == ("QcOverridden", "service")
            again = client.post(OVERRIDE, json=WHY, headers={"Idempotency-Key": "K1"})
            assert (again.status_code, again.headers["Location"]) == (202, where)
            late = settled(client, client.post(OVERRIDE, json=WHY))
            assert (late["state"], late["fact"]) == ("refused", None)
            assert "is overridden already" in late["reason"]
            happens(settings, facts.failed(2))
            wish = {"reason": "a short run", "reads_wanted": 9}
            more = settled(client, client.post(f"/v1/samples/{SAMPLE}/top-up", json=wish))
            assert more["fact"]["payload"]["round"] == 3
    [one] = number_of(settings, QcOverridden, SAMPLE, 1)
    assert str(one.envelope.event_id) == fact["event_id"]
    assert one.envelope.actor.on_behalf_of is not None
    assert len(said(settings, QcOverrideProposed, SAMPLE)) == 2

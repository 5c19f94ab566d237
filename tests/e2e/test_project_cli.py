"""Read models as an operator keeps them: fed on real servers, killed, built anew, switched."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.events.projection_cut_over import ProjectionCutOver
from tests.e2e.workers import (
    PATIENCE_SECONDS,
    fails,
    happens,
    running,
    said,
    settings_of,
    succeeds,
    until,
)
from tests.heard import joined


@pytest.fixture
def settings(stack: Addresses, postgres_url: str, tmp_path: Path) -> Settings:
    """A deployment with a database of its own."""
    found = settings_of(stack, secrets.token_hex(4), tmp_path, postgres=SecretStr(postgres_url))
    succeeds(found, "topics", "apply")
    return found


def listed(settings: Settings) -> dict[str, Any]:
    """What `projection list` says of the audit trail."""
    rows = json.loads(succeeds(settings, "projection", "list", "--json"))
    found: dict[str, Any] = next(row for row in rows if row["read_model"] == "audit-trail")
    return found


@pytest.mark.long
def test_a_runner_that_is_killed_is_followed_by_the_one_that_waits(
    settings: Settings, tmp_path: Path
) -> None:
    logs = tmp_path / "first.log", tmp_path / "second.log"
    with running(settings, logs[0], "project") as first:
        happens(settings, *(joined(f"S{number % 7}", number) for number in range(40)))
        until(lambda: listed(settings)["lag"] == 0, "the first one is at the end")
        with running(settings, logs[1], "project") as second:
            until(lambda: "another runner writes" in logs[1].read_text(), "the second one waits")
            os.kill(first.pid, signal.SIGKILL)
            first.wait(timeout=PATIENCE_SECONDS)
            happens(settings, *(joined("later", number) for number in range(5)))
            until(
                lambda: (
                    listed(settings)["lag"] == 0
                    and len(succeeds(settings, "timeline", "later", "--json").splitlines()) == 5
                ),
                "the second one took over",
            )
    assert second.returncode == 0
    assert listed(settings)["set_aside"] == 0


def test_a_rebuild_compares_switches_and_is_told_on_the_log(settings: Settings) -> None:
    happens(settings, *(joined(f"S{number % 3}", number) for number in range(30)))
    assert "at the end of the log" in succeeds(settings, "project", "--once")
    story = succeeds(settings, "timeline", "S1", "--json")
    out = succeeds(settings, "replay", "projection", "audit-trail", "--diff")
    assert "30 rows compared with audit_trail_1, 0 of them differ; nothing was switched" in out
    assert listed(settings)["build"] == "audit_trail_1"
    assert not said(settings, ProjectionCutOver, "audit-trail")
    out = succeeds(settings, "projection", "rebuild", "audit-trail", "--diff", "--as", "a.b")
    assert re.search(
        r"audit_trail_2: 30 records, 30 rows compared with audit_trail_1, 0 of them differ", out
    )
    assert succeeds(settings, "timeline", "S1", "--json") == story
    [told] = said(settings, ProjectionCutOver, "audit-trail")
    assert (told.build, told.build_before, told.changed_rows, told.envelope.actor.id) == (
        "audit_trail_2", "audit_trail_1", 0, "a.b",
    )  # fmt: skip
    assert listed(settings)["build"] == "audit_trail_2"
    assert "readers see it, or it is not there" in fails(
        settings, "projection", "drop", "audit_trail_2"
    )
    assert "'nothing': is no read model" in fails(settings, "projection", "rebuild", "nothing")

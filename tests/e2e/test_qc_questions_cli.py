"""Questions by a profile, and a LIMS beside a worker, as people run them on real servers."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_log
from genoflow.events import topics
from genoflow.events.case_opened import CaseOpened
from genoflow.events.event import Event
from genoflow.events.lims_updated import LimsUpdated
from genoflow.events.qc_analysis_proposed import QcAnalysisProposed
from genoflow.events.qc_failed import QcFailed
from tests import qc_facts
from tests.e2e.workers import (
    fails,
    genoflow,
    happens,
    number_of,
    settings_of,
    succeeds,
    until,
    working,
)
from tests.lims_server import TOKEN, LimsServer, lims_server

MAPPING = {
    "orders": {
        "path": "/orders", "items": "rows",
        "fields": {"case_id": "no", "kind": "kind", "assay": "test", "reference": "build"},
        "members": {
            "items": "samples",
            "fields": {
                "sample_id": "id", "subject_ref": "of", "role": {"path": "x", "default": "single"}
            },
        },
    },
    "results": {"path": "/facts/{event_id}", "lookup": "/facts/{event_id}"},
}  # fmt: skip
ORDER = {
    "no": "CASE-9", "kind": "single", "test": "wgs", "build": "GRCh38",
    "samples": [{"id": "Q1", "of": "P9"}],
}  # fmt: skip
LENIENT = json.dumps({"q30_fraction": {"required_min": 0.5}})


@pytest.fixture(scope="module")
def lims() -> Iterator[LimsServer]:
    with lims_server({"rows": [ORDER]}) as server:
        yield server


@pytest.fixture(scope="module")
def settings(
    stack: Addresses, lims: LimsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A deployment with a LIMS, and a worker that answers questions and tells the LIMS."""
    home = tmp_path_factory.mktemp("questions")
    token, mapping = home / "token", home / "mapping.json"
    token.write_text(TOKEN)
    token.chmod(0o600)
    mapping.write_text(json.dumps(MAPPING))
    named = {"lims": lims.url, "lims_token_file": token, "lims_mapping": mapping}
    found = settings_of(stack, secrets.token_hex(4), home, **named)
    succeeds(found, "topics", "apply")
    with working(found, home / "worker.log", "--once", "analyze-qc", "tell-lims-sample"):
        yield found


def of(sample_id: str, *events: Event) -> list[Event]:
    """The same facts of another sample."""
    return [type(event)(**dict(event) | {"sample_id": sample_id}) for event in events]


def updates(settings: Settings) -> list[LimsUpdated]:
    """What the log says that the LIMS was told of samples."""

    async def read() -> list[LimsUpdated]:
        async with open_log(settings) as log:
            records = [one async for one in log.read_topic(topics.SAMPLE.name)]
        return [one.event for one in records if isinstance(one.event, LimsUpdated)]

    return asyncio.run(read())


@pytest.mark.long
def test_a_sample_is_asked_about_by_a_shipped_profile_and_by_a_persons_own(
    settings: Settings,
) -> None:
    happens(settings, *of("Q1", qc_facts.registered(), *qc_facts.both()))
    refused = fails(settings, "qc", "analyze", "Q1", "--profile", "strict", "--parameters", LENIENT)
    assert "parameters: the profile strict is the same for everybody" in refused
    assert "holds no validated file of Q1; there are s3://raw/A/R1" in fails(
        settings, "qc", "analyze", "Q1", "--data", "s3://raw/B"
    )
    no = genoflow(settings, "qc", "analyze", "Q1", "--profile", "strict", "--wait")
    assert (no.returncode, "qc_profile: strict is not published" in no.stdout) == (1, True)
    document = succeeds(settings, "catalog", "profile", "strict")
    succeeds(settings, "catalog", "publish", "-", said=document)
    named = ("qc", "analyze", "Q1", "--profile", "strict", "--request-id", "r2")
    failed = genoflow(settings, *named, "--wait")
    assert failed.returncode == 1
    assert "Q1 by strict 1.1: fail" in failed.stdout
    assert "quality_mean could not be measured" in failed.stdout
    own = ("qc", "analyze", "Q1", "--profile", "custom", "--parameters", LENIENT)
    row = json.loads(succeeds(settings, *own, "--wait", "--json"))
    assert (row["status"], row["pass_fail"], row["sample_id"]) == ("completed", "pass", "Q1")
    assert json.loads(succeeds(settings, *own, "--json")) == {"qc_job_id": row["qc_job_id"]}
    assert json.loads(succeeds(settings, "qc", "results", row["qc_job_id"], "--json")) == row
    assert "nobody has asked for it" in fails(settings, "qc", "results", "Q1.7")
    assert len(number_of(settings, QcAnalysisProposed, "Q1", 3)) == 3


def test_orders_of_a_lims_are_pulled_once_and_it_hears_what_became_of_them(
    settings: Settings, lims: LimsServer
) -> None:
    assert "CASE-9 (/orders order 1): would be opened" in succeeds(
        settings, "lims", "pull", "--dry-run"
    )
    assert "CASE-9 (/orders order 1): opened" in succeeds(settings, "lims", "pull")
    assert "stands already" in succeeds(settings, "lims", "pull")
    [order] = number_of(settings, CaseOpened, "CASE-9", 1)
    assert (order.source, order.members[0].sample_id) == ("lims", "Q1")
    happens(settings, *of("Q9", qc_facts.failed()))
    [told] = until(lambda: updates(settings), "the LIMS is told")
    [fact] = number_of(settings, QcFailed, "Q9", 1)
    assert (told.source_event_id, told.found_already) == (fact.envelope.event_id, False)
    assert lims.kept[f"/facts/{fact.envelope.event_id}"]["sample_id"] == "Q9"


def test_without_a_lims_the_command_says_which_setting_names_one(
    stack: Addresses, tmp_path: Path
) -> None:
    alone = settings_of(stack, secrets.token_hex(4), tmp_path)
    assert "GENOFLOW_LIMS: is not set" in fails(alone, "lims", "pull")

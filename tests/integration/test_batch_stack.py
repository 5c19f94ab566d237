"""What stands at AWS Batch, at moto: made, compared, changed, and never taken away."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.batch_stack import BatchStack, read_document, shipped
from genoflow.deploy.local import doctor
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import aws_client
from genoflow.events.errors import Refused


def test_a_document_is_made_once_and_what_others_change_is_a_difference(
    aws_settings: Settings, batch_document: dict[str, Any], suffix: str
) -> None:
    document = json.loads(json.dumps(batch_document).replace("genoflow-", f"g{suffix}-"))
    client = aws_client(aws_settings, "batch")
    stack = BatchStack(client, look_seconds=0.01)
    assert {one.says for one in stack.check(document)} == {"is missing"}
    made = list(stack.apply(document))
    assert [one.was_set for one in made] == [True] * 7
    assert not any(one.differs for one in stack.check(document))
    assert not any(one.was_set for one in stack.apply(document))
    client.update_job_queue(jobQueue=f"g{suffix}-low", priority=99)
    [changed] = [one for one in stack.check(document) if one.differs]
    assert (changed.name, changed.says) == (f"g{suffix}-low", "differs in priority")
    newer = deepcopy(document)
    newer["jobDefinitions"][0]["containerProperties"]["image"] = "another"
    was_set = [one for one in stack.apply(newer) if one.was_set]
    assert [(one.name, one.says) for one in was_set] == [
        (f"g{suffix}-low", "was changed"), (f"g{suffix}-head", "was changed"),
    ]  # fmt: skip
    known = client.describe_job_definitions(jobDefinitionName=f"g{suffix}-head")["jobDefinitions"]
    assert sorted(one["revision"] for one in known) == [1, 2]


def test_a_queue_over_hosts_that_are_not_there_is_named(aws_settings: Settings) -> None:
    order = [{"order": 1, "computeEnvironment": "nowhere"}]
    queue = {"jobQueueName": "q", "priority": 1, "computeEnvironmentOrder": order}
    stack = BatchStack(aws_client(aws_settings, "batch"))
    with pytest.raises(Refused, match="job queue q: there is no compute environment nowhere"):
        list(stack.apply({"jobQueues": [queue]}))


def test_what_batch_cannot_change_is_named(
    aws_settings: Settings, batch_document: dict[str, Any], suffix: str
) -> None:
    document = json.loads(json.dumps(batch_document).replace("genoflow-", f"g{suffix}-"))
    stack = BatchStack(aws_client(aws_settings, "batch"), look_seconds=0.01)
    list(stack.apply(document))
    document["computeEnvironments"][0]["computeResources"]["instanceTypes"] = ["m5.large"]
    with pytest.raises(Refused, match="differs in computeResources, which Batch does not change"):
        list(stack.apply(document))


async def test_the_doctor_says_whether_jobs_can_be_submitted(
    aws_settings: Settings, batch_document: dict[str, Any], suffix: str
) -> None:
    document = json.loads(json.dumps(batch_document).replace("genoflow-", f"g{suffix}-"))
    queues = {name: f"g{suffix}-{name}" for name in ("high", "normal", "low")}
    chosen = {"batch_queues": queues, "batch_job_definition": f"g{suffix}-head"}
    settings = aws_settings.model_copy(update=chosen | {"launcher": "awsbatch"})
    missing = await doctor._launcher(settings)
    assert missing.level is doctor.Level.WARN
    assert f"there is no job queue g{suffix}-high" in missing.text
    assert f"there is no job definition g{suffix}-head" in missing.text
    client = aws_client(aws_settings, "batch")
    list(BatchStack(client, look_seconds=0.01).apply(document))
    assert (await doctor._launcher(settings)).level is doctor.Level.OK
    client.update_job_queue(jobQueue=queues["high"], state="DISABLED")
    assert f"{queues['high']} is VALID, DISABLED" in (await doctor._launcher(settings)).text
    local = await doctor._launcher(aws_settings)
    assert (local.level, local.text[:6]) == (doctor.Level.OK, "local:")


def test_a_document_with_something_to_fill_in_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "batch.json"
    path.write_text(shipped())
    with pytest.raises(Refused, match=r"fill in .*<subnet>"):
        read_document(path)
    path.write_text('{"queues": []}')
    with pytest.raises(Refused, match="holds queues; there are computeEnvironments, jobQueues"):
        read_document(path)
    path.write_text('{"jobQueues": []}')
    assert read_document(path) == {"jobQueues": []}

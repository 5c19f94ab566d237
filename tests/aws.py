"""Amazon's services in this process, for what no server of our own stands for."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.batch_stack import OPEN, shipped
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import aws_client


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """Where moto answers for S3, SQS, EventBridge and DataSync; its state lasts for the session."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws_settings(aws_endpoint: str, tmp_path: Path, suffix: str) -> Settings:
    """A deployment over it; the raw bucket is this test's own."""
    return Settings(
        home=tmp_path, s3=aws_endpoint, aws_endpoint=aws_endpoint, raw_bucket=f"raw-{suffix}",
        kafka=None, postgres=None, registry=None,
    )  # fmt: skip


@pytest.fixture
def batch_document(aws_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What comes with the package, filled in with what there is at moto, where jobs end at once."""
    from moto.core.config import default_user_config

    monkeypatch.setitem(default_user_config, "batch", {"use_docker": False})
    network, people = (aws_client(aws_settings, name) for name in ("ec2", "iam"))
    names = {"RoleName": "batch", "InstanceProfileName": "hosts"}
    with contextlib.suppress(people.exceptions.EntityAlreadyExistsException):
        people.create_role(RoleName=names["RoleName"], AssumeRolePolicyDocument="{}")
        people.create_instance_profile(InstanceProfileName=names["InstanceProfileName"])
    role = people.get_role(RoleName=names["RoleName"])["Role"]["Arn"]
    hosts = people.get_instance_profile(InstanceProfileName="hosts")["InstanceProfile"]["Arn"]
    known = {
        "<subnet>": network.describe_subnets()["Subnets"][0]["SubnetId"],
        "<security group>": network.describe_security_groups()["SecurityGroups"][0]["GroupId"],
        "<ARN of the service role of AWS Batch>": role,
        "<ARN of the instance profile>": hosts,
    }
    text = OPEN.sub(lambda found: known.get(found[0], "tests"), shipped())
    document: dict[str, Any] = json.loads(text)
    return document


@dataclass(slots=True)
class Moved:
    """DataSync as moto has it, with what moto leaves out: what an execution includes and when it
    began, the list of executions, and bytes that are really moved."""

    client: Any
    task: str
    move: Callable[[str], None] = lambda _: None  # the folder that an execution includes
    begun: list[str] = field(default_factory=list)
    includes: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)  # what becomes of an execution


@pytest.fixture
def datasync(
    aws_settings: Settings, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Moved]:
    """A task from a share to a bucket of this test's own name."""
    from moto.datasync.responses import DataSyncResponse

    client = aws_client(aws_settings, "datasync")
    role = {"BucketAccessRoleArn": "arn:aws:iam::123456789012:role/datasync"}
    source = client.create_location_s3(S3BucketArn="arn:aws:s3:::share", S3Config=role)
    target = client.create_location_s3(
        S3BucketArn=f"arn:aws:s3:::test-{suffix}", Subdirectory="/runs", S3Config=role
    )
    task = client.create_task(
        SourceLocationArn=source["LocationArn"], DestinationLocationArn=target["LocationArn"]
    )
    moved = Moved(client, task["TaskArn"])
    _complete(DataSyncResponse, moved, monkeypatch)
    yield moved
    client.close()


def _complete(responses: Any, moved: Moved, monkeypatch: pytest.MonkeyPatch) -> None:
    start, describe = responses.start_task_execution, responses.describe_task_execution

    def started(self: Any) -> str:
        answer: str = start(self)
        arn = json.loads(answer)["TaskExecutionArn"]
        moved.begun.append(arn)
        moved.includes[arn] = self._get_param("Includes")[0]["Value"]
        return answer

    def described(self: Any) -> str:
        said = json.loads(describe(self))
        arn = said["TaskExecutionArn"]
        if arn in moved.faults:
            said |= {"Status": "ERROR", "Result": {"ErrorCode": moved.faults[arn]}}
        elif said["Status"] == "VERIFYING":
            moved.move(moved.includes[arn])
        said |= {
            "Includes": [{"FilterType": "SIMPLE_PATTERN", "Value": moved.includes[arn]}],
            "StartTime": datetime(2001, 9, 9, 3, tzinfo=UTC).timestamp(),
        }
        return json.dumps(said)

    def listed(self: Any) -> str:
        task = self._get_param("TaskArn")
        known = self.datasync_backend.task_executions.values()
        found = [{"TaskExecutionArn": one.arn} for one in known if one.task_arn == task]
        return json.dumps({"TaskExecutions": found})

    monkeypatch.setattr(responses, "start_task_execution", started)
    monkeypatch.setattr(responses, "describe_task_execution", described)
    monkeypatch.setattr(responses, "list_task_executions", listed, raising=False)

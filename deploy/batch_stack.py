"""What stands at AWS Batch: a document in Amazon's own words, compared with the account, made so.

A lab prints the one that comes with the package, fills in what only it knows, and keeps it with its
own configuration. Nothing that others made there is touched, and nothing is ever deleted.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from genoflow.deploy.buckets import Document, holds
from genoflow.deploy.settings import Settings
from genoflow.events.errors import Refused, Retry
from genoflow.processors.adapters.s3_errors import meaning

OPEN = re.compile(r"<[^<>]+>")  # what a lab has to fill in
VALID_SECONDS_MAX = 120.0  # a new compute environment is CREATING for half a minute
LOOK_SECONDS = 2.0
USABLE = ("VALID", "ACTIVE")
ENVIRONMENT, QUEUE, DEFINITION = "compute environment", "job queue", "job definition"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing at Batch: where it stands in the document, and how it is asked for."""

    field: str
    name: str
    ask: Callable[[Any, str], list[Document]]  # every one of this name that is in force
    make: Callable[[Any, Document], object]
    change: Callable[[Any, Document], object] | None = None  # none: made anew, as a revision


def _environments(client: Any, name: str) -> list[Document]:
    found: list[Document] = client.describe_compute_environments(computeEnvironments=[name])[
        "computeEnvironments"
    ]
    return found


def _queues(client: Any, name: str) -> list[Document]:
    return [
        {**one, "computeEnvironmentOrder": [
            # It answers with ARNs, whatever it was told.
            {**place, "computeEnvironment": place["computeEnvironment"].rpartition("/")[2]}
            for place in one["computeEnvironmentOrder"]
        ]}
        for one in client.describe_job_queues(jobQueues=[name])["jobQueues"]
    ]  # fmt: skip


def _definitions(client: Any, name: str) -> list[Document]:
    answer = client.describe_job_definitions(jobDefinitionName=name, status="ACTIVE")
    return sorted(answer["jobDefinitions"], key=lambda one: int(one["revision"]))


def _change_environment(client: Any, want: Document) -> None:
    limits = {name: want["computeResources"][name] for name in ("minvCpus", "maxvCpus")}
    client.update_compute_environment(
        computeEnvironment=want["computeEnvironmentName"], state=want["state"],
        computeResources=limits,
    )  # fmt: skip


def _make_queue(client: Any, want: Document) -> None:
    client.create_job_queue(**{**want, "computeEnvironmentOrder": _by_arn(client, want)})


def _change_queue(client: Any, want: Document) -> None:
    changes = {name: value for name, value in want.items() if name != "jobQueueName"}
    changes["computeEnvironmentOrder"] = _by_arn(client, want)
    client.update_job_queue(jobQueue=want["jobQueueName"], **changes)


def _by_arn(client: Any, want: Document) -> list[Document]:
    """The compute environments of a queue as Batch wants to be told of them."""
    placed: list[Document] = []
    for place in want["computeEnvironmentOrder"]:
        name = place["computeEnvironment"]
        found = _environments(client, name)
        if not found:
            raise Refused(
                f"{QUEUE} {want['jobQueueName']}: there is no {ENVIRONMENT} {name}; name another, "
                f"or put it into the document"
            )
        placed.append({**place, "computeEnvironment": found[0]["computeEnvironmentArn"]})
    return placed


# In the order in which they are made: each needs the one before.
KINDS: Mapping[str, Kind] = {
    ENVIRONMENT: Kind(
        "computeEnvironments", "computeEnvironmentName", _environments,
        lambda client, want: client.create_compute_environment(**want), _change_environment,
    ),
    QUEUE: Kind("jobQueues", "jobQueueName", _queues, _make_queue, _change_queue),
    DEFINITION: Kind(
        "jobDefinitions", "jobDefinitionName", _definitions,
        lambda client, want: client.register_job_definition(**want),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """One thing at Batch, held against what is wanted."""

    kind: str
    name: str
    says: str  # for people
    differs: bool = False
    was_set: bool = False


def shipped() -> str:
    """The document that comes with the package, with what a lab has to fill in."""
    return files("genoflow.deploy.batch").joinpath("stack.json").read_text(encoding="utf-8")


def read_document(path: Path) -> Document:
    """The document of a file; Refused where it is none, or where something is to be filled in."""
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text)
    except (OSError, ValueError) as error:
        raise Refused(
            f"{path}: cannot be read ({error}); `genoflow batch print` has one"
        ) from error
    if missing := sorted(set(OPEN.findall(text))):
        raise Refused(f"{path}: fill in {', '.join(missing)}")
    known = [kind.field for kind in KINDS.values()]
    if not isinstance(document, dict) or (unknown := sorted(set(document) - set(known))):
        raise Refused(
            f"{path}: holds {', '.join(unknown) if isinstance(document, dict) else 'no object'}; "
            f"there are {', '.join(known)}"
        )
    return document


class BatchStack:
    """What stands at Batch, behind one boto3 client."""

    def __init__(self, client: Any, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._client = client
        self._look_seconds = look_seconds

    def check(self, document: Document) -> Iterator[Found]:
        """What is as it is wanted, and what is not."""
        for name, kind in KINDS.items():
            for want in document.get(kind.field, ()):
                yield self._held(name, want)

    def apply(self, document: Document) -> Iterator[Found]:
        """Make and change what differs; what is so already is left alone."""
        for name, kind in KINDS.items():
            for want in document.get(kind.field, ()):
                found = self._held(name, want)
                yield self._set(name, want) if found.differs else found

    def usable(self, settings: Settings) -> list[str]:
        """Why jobs of this deployment could not be submitted; nothing where they can."""
        needed = [(QUEUE, name) for name in dict.fromkeys(settings.batch_queues.values())]
        faults = []
        for kind, name in (*needed, (DEFINITION, settings.batch_job_definition)):
            found = self._newest(kind, name)
            if found is None:
                faults.append(f"there is no {kind} {name}")
            elif found["status"] not in USABLE or found.get("state", "ENABLED") != "ENABLED":
                faults.append(f"the {kind} {name} is {found['status']}, {found.get('state', '-')}")
        return faults

    def _newest(self, kind: str, name: str) -> Document | None:
        with _asking(kind, name):
            return next(reversed(KINDS[kind].ask(self._client, name)), None)

    def _held(self, kind: str, want: Document) -> Found:
        name = want[KINDS[kind].name]
        found = self._newest(kind, name)
        if found is None:
            return Found(kind, name, "is missing", differs=True)
        parts = [part for part, value in want.items() if not holds(value, found.get(part))]
        if parts:
            return Found(kind, name, f"differs in {', '.join(parts)}", differs=True)
        return Found(kind, name, "is as wanted")

    def _set(self, kind: str, want: Document) -> Found:
        row, name = KINDS[kind], want[KINDS[kind].name]
        is_new = self._newest(kind, name) is None
        with _asking(kind, name):
            if is_new or row.change is None:
                row.make(self._client, want)
            else:
                row.change(self._client, want)
        self._until_usable(kind, name)
        left = self._held(kind, want)
        if left.differs:
            raise Refused(
                f"{kind} {name}: {left.says}, which Batch does not change in its place; give it a "
                f"new name in the document, or mend it by hand"
            )
        return Found(kind, name, "was made" if is_new else "was changed", was_set=True)

    def _until_usable(self, kind: str, name: str) -> None:
        until = time.monotonic() + VALID_SECONDS_MAX
        while (found := self._newest(kind, name)) is None or found["status"] not in USABLE:
            status = "not there" if found is None else found["status"]
            if status == "INVALID" or time.monotonic() >= until:
                why = "" if found is None else found.get("statusReason", "")
                raise Retry(f"{kind} {name}: is {status} ({why}); mend that, then apply again")
            time.sleep(self._look_seconds)


@contextmanager
def _asking(kind: str, name: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise meaning(error, f"AWS Batch, {kind} {name}") from error

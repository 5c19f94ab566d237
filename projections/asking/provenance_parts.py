"""What the provenance of results says: the shape of the document, by which others read it.

docs/provenance.schema.json is printed from here (`python -m tools.provenance_schema`). A field that
is added makes a new minor version; one that goes or changes its meaning, a new major one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from genoflow.events.envelope import Actor, Producer
from genoflow.events.types import Part

VERSION = "1.0"
FORMAT = "genoflow-provenance"


class AboutRun(Part):
    """The run, and what became of its results."""

    run_id: str = Field(description="the run; the id of its job")
    case_id: str = Field(description="the order that it answers")
    case_revision: int = Field(description="the revision of that order")
    kind: str = Field(description="what the samples are to each other")
    assay: str = Field(description="what was ordered")
    priority: str = Field(description="urgent, routine or low: the last that it had")
    launcher: str = Field(description="where it ran")
    state: str = Field(description="how far it is, in a word")
    counts: bool = Field(description="whether its results are an answer now")
    supersedes_run_id: UUID | None = Field(description="the run in whose place it came")
    superseded_by_run_id: UUID | None = Field(description="the run that came in its place")
    opened_event_id: UUID | None = Field(description="the CaseOpened: the order")
    requested_event_id: UUID = Field(description="the RunRequested")
    published_event_id: UUID | None = Field(description="the ResultsPublished; none before it")


class Document(Part):
    """A document of the catalog, by version."""

    document_id: str = Field(description="its name")
    version: str = Field(description="the version that was used")
    published_event_id: UUID | None = Field(
        description="the event that published it; none where the log does not have it"
    )


class StoredAt(Part):
    """A file that is named by its address."""

    kind: str = Field(description="what it is to its bundle")
    uri: str = Field(description="where it is")
    size_bytes: int | None = Field(description="how long it is; none where nobody said")
    sha256: str = Field(description="of its bytes")


class PipelineUsed(Document):
    """The code that was run."""

    uri: str = Field(description="where its code is")
    code_sha256: str = Field(description="of its code, which was compared before it ran")
    code_revision: str | None = Field(description="the commit, where it came from a repository")
    engine: str | None = Field(description="what it is written for")
    published: dict[str, Any] = Field(
        description="what else it was published with, such as the digests of its containers"
    )


class ParametersUsed(Part):
    """With what it was run."""

    values: dict[str, Any] = Field(description="every parameter")
    sha256: str = Field(description="of their canonical JSON")


class ReferenceUsed(Document):
    """What the reads were compared with."""

    files: list[StoredAt] = Field(description="the bundle")


class TargetsUsed(Document):
    """To which regions it was limited."""

    uri: str = Field(description="their BED")
    sha256: str = Field(description="of its bytes")


class ProfileUsed(Document):
    """By what the results were judged."""

    thresholds: list[dict[str, Any]] = Field(description="what it required of results")


class InputFile(Part):
    """One file that the run took."""

    read_set_id: str = Field(description="library, flow cell and lane")
    role: str = Field(description="what it is to the read set")
    bucket: str = Field(description="where it is")
    object_key: str = Field(description="its key there")
    version_id: str = Field(description="the store's version; `null` where it keeps none")
    size_bytes: int = Field(description="how long it is")
    md5: str | None = Field(description="of its bytes; none where the log has no Validated of it")
    sha256: str = Field(description="of its bytes")
    registered_event_id: UUID | None = Field(description="the ReadSetRegistered of its read set")
    landed_event_id: UUID | None = Field(description="the FileLanded")
    validated_event_id: UUID | None = Field(description="the Validated")


class InputSample(Part):
    """One member of the case, with its files."""

    sample_id: str = Field(description="the sample")
    role: str = Field(description="its role in the case")
    round: int = Field(description="the round of QC that let it through")
    verdict: str | None = Field(description="passed, or overridden by a person")
    verdict_event_id: UUID | None = Field(description="the QcPassed or QcOverridden")
    failed_event_id: UUID | None = Field(description="the QcFailed that was overridden")
    files: list[InputFile] = Field(description="every file of its read sets")


class AttemptMade(Part):
    """One submission."""

    attempt: int = Field(description="which one")
    job_id: str | None = Field(description="as the launcher calls it")
    engine: str | None = Field(description="such as nextflow; none where it never began")
    engine_version: str | None = Field(description="its release")
    session_id: str | None = Field(description="the engine's own name for it")
    resumed: bool | None = Field(description="whether it went on from finished tasks")
    exit_code: int | None = Field(description="of its process")
    ended: str | None = Field(description="succeeded, failed or lost")
    event_ids: list[UUID] = Field(description="what the log says of it, tasks apart")


class TaskDone(Part):
    """One task that ended."""

    attempt: int = Field(description="the submission that it belongs to")
    task_id: str = Field(description="the engine's hash of it")
    task_attempt: int = Field(description="the engine's own tries")
    process: str = Field(description="the step of the pipeline")
    name: str = Field(description="as the engine shows it")
    sample_id: str | None = Field(description="where it worked on one sample")
    ended: str = Field(description="completed, cached or failed")
    exit_code: int | None = Field(description="none where it ended by a signal")
    container: str | None = Field(description="the image that it ran in, where that was told")
    container_digest: str | None = Field(description="of that image, where its name has it")
    event_id: UUID = Field(description="the TaskCompleted or TaskFailed")


class Decided(Part):
    """What a person answers for, and who placed the order."""

    did: str = Field(description="such as ordered, released or overrode")
    actor: Actor = Field(description="who, by account, and on whose behalf")
    role: str | None = Field(description="in which role")
    reason: str | None = Field(description="why")
    occurred_at: datetime = Field(description="when")
    event_id: UUID = Field(description="the event that says so")


class Check(Part):
    """One metric of the results as it was judged."""

    metric: str = Field(description="its name")
    value: float = Field(description="what was measured")
    unit: str = Field(description="in what")
    measured_on: str | None = Field(description="the sample, or two of a comparison")
    required_min: float | None = Field(description="the least that passes")
    required_max: float | None = Field(description="the most that passes")
    verdict: str = Field(description="pass, fail, warn or not judged")


class OutputFile(Part):
    """One file that the run left."""

    kind: str = Field(description="such as vcf, bam or report")
    sample_id: str | None = Field(description="none where it is of the whole case")
    bucket: str = Field(description="where it is")
    object_key: str = Field(description="its key there")
    version_id: str = Field(description="the store's version; `null` where it keeps none")
    size_bytes: int = Field(description="how long it is")
    sha256: str = Field(description="of its bytes")
    content_type: str = Field(description="its media type")


class Outputs(Part):
    """What the run left, and whether it may be used."""

    state: str = Field(description="published, superseded, retracted, collected or none")
    manifest_bucket: str | None = Field(description="where the list of outputs is")
    manifest_key: str | None = Field(description="its key there")
    manifest_sha256: str | None = Field(description="of its bytes")
    files: list[OutputFile] = Field(description="with their checksums")


class ChainEvent(Part):
    """One event behind the results, where it stands on the log, and what it follows from."""

    event_id: UUID = Field(description="the same fact has the same id, whoever reports it")
    type: str = Field(description="what happened")
    schema_version: str = Field(description="of the schema it was written with")
    subject: str = Field(description="what it is about")
    topic: str = Field(description="where it stands")
    partition: int = Field(description="in which part of it")
    offset: int = Field(description="at which place there")
    occurred_at: datetime = Field(description="when it was true")
    recorded_at: datetime = Field(description="when the log took it")
    causation_id: UUID | None = Field(
        description="what it follows from; none: it came from outside"
    )
    names: list[UUID] = Field(description="other events that it names as its grounds")
    actor: Actor = Field(description="who or what made it true")
    producer: Producer = Field(description="which program wrote it, of which release and revision")
    sha256: str = Field(description="of its record on the log")
    led_to_results: bool = Field(
        description="else it came after them, and says what became of them"
    )


class Provenance(Part):
    """From what, by what and by whom the results of a run were made."""

    format: Literal["genoflow-provenance"] = Field(description="what this is")
    version: Literal["1.0"] = Field(description="of this shape")
    run: AboutRun
    pipeline: PipelineUsed
    parameters: ParametersUsed
    reference: ReferenceUsed
    targets: TargetsUsed | None = Field(description="none for a whole genome")
    profile: ProfileUsed
    inputs: list[InputSample] = Field(description="in the order of the request")
    attempts: list[AttemptMade] = Field(description="the last one made the results")
    tasks: list[TaskDone] = Field(description="that ended, in the order of the log")
    decisions: list[Decided] = Field(description="in the order in which they were recorded")
    checks: list[Check] = Field(description="of the results, as they were judged last")
    outputs: Outputs
    events: list[ChainEvent] = Field(description="causes before what follows from them")
    causes_elsewhere: list[UUID] = Field(
        description="what those events name and the stories of run, case, samples, instruments and "
        "documents do not hold: requests from outside"
    )

"""Results; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from genoflow.api.client.answers import Answer


class AboutRun(Answer):
    """The run, and what became of its results."""

    run_id: str
    """the run; the id of its job"""
    case_id: str
    """the order that it answers"""
    case_revision: int
    """the revision of that order"""
    kind: str
    """what the samples are to each other"""
    assay: str
    """what was ordered"""
    priority: str
    """urgent, routine or low: the last that it had"""
    launcher: str
    """where it ran"""
    state: str
    """how far it is, in a word"""
    counts: bool
    """whether its results are an answer now"""
    supersedes_run_id: UUID | None
    """the run in whose place it came"""
    superseded_by_run_id: UUID | None
    """the run that came in its place"""
    opened_event_id: UUID | None
    """the CaseOpened: the order"""
    requested_event_id: UUID
    """the RunRequested"""
    published_event_id: UUID | None
    """the ResultsPublished; none before it"""


class Actor(Answer):
    """Who or what made it true, and on whose behalf."""

    kind: str
    """person, service or instrument"""
    id_: str = Field(alias="id")
    """an account, a service or a serial number: never a name"""
    on_behalf_of: str | None = None
    """the account that it acts for"""


class AttemptMade(Answer):
    """One submission."""

    attempt: int
    """which one"""
    job_id: str | None
    """as the launcher calls it"""
    engine: str | None
    """such as nextflow; none where it never began"""
    engine_version: str | None
    """its release"""
    session_id: str | None
    """the engine's own name for it"""
    resumed: bool | None
    """whether it went on from finished tasks"""
    exit_code: int | None
    """of its process"""
    ended: str | None
    """succeeded, failed or lost"""
    event_ids: tuple[UUID, ...]
    """what the log says of it, tasks apart"""


class Producer(Answer):
    """Which program wrote the event."""

    service: str
    """the processor or porch"""
    version: str
    """its release"""
    revision: str | None = None
    """its code revision"""


class ChainEvent(Answer):
    """One event behind the results, where it stands on the log, and what it follows from."""

    event_id: UUID
    """the same fact has the same id, whoever reports it"""
    type_: str = Field(alias="type")
    """what happened"""
    schema_version: str
    """of the schema it was written with"""
    subject: str
    """what it is about"""
    topic: str
    """where it stands"""
    partition: int
    """in which part of it"""
    offset: int
    """at which place there"""
    occurred_at: datetime
    """when it was true"""
    recorded_at: datetime
    """when the log took it"""
    causation_id: UUID | None
    """what it follows from; none: it came from outside"""
    names: tuple[UUID, ...]
    """other events that it names as its grounds"""
    actor: Actor
    """who or what made it true"""
    producer: Producer
    """which program wrote it, of which release and revision"""
    sha256: str
    """of its record on the log"""
    led_to_results: bool
    """else it came after them, and says what became of them"""


class Check(Answer):
    """One metric of the results as it was judged."""

    metric: str
    """its name"""
    value: float
    """what was measured"""
    unit: str
    """in what"""
    measured_on: str | None
    """the sample, or two of a comparison"""
    required_min: float | None
    """the least that passes"""
    required_max: float | None
    """the most that passes"""
    verdict: str
    """pass, fail, warn or not judged"""


class Decided(Answer):
    """What a person answers for, and who placed the order."""

    did: str
    """such as ordered, released or overrode"""
    actor: Actor
    """who, by account, and on whose behalf"""
    role: str | None
    """in which role"""
    reason: str | None
    """why"""
    occurred_at: datetime
    """when"""
    event_id: UUID
    """the event that says so"""


class InputFile(Answer):
    """One file that the run took."""

    read_set_id: str
    """library, flow cell and lane"""
    role: str
    """what it is to the read set"""
    bucket: str
    """where it is"""
    object_key: str
    """its key there"""
    version_id: str
    """the store's version; `null` where it keeps none"""
    size_bytes: int
    """how long it is"""
    md5: str | None
    """of its bytes; none where the log has no Validated of it"""
    sha256: str
    """of its bytes"""
    registered_event_id: UUID | None
    """the ReadSetRegistered of its read set"""
    landed_event_id: UUID | None
    """the FileLanded"""
    validated_event_id: UUID | None
    """the Validated"""


class InputSample(Answer):
    """One member of the case, with its files."""

    sample_id: str
    """the sample"""
    role: str
    """its role in the case"""
    round_: int = Field(alias="round")
    """the round of QC that let it through"""
    verdict: str | None
    """passed, or overridden by a person"""
    verdict_event_id: UUID | None
    """the QcPassed or QcOverridden"""
    failed_event_id: UUID | None
    """the QcFailed that was overridden"""
    files: tuple[InputFile, ...]
    """every file of its read sets"""


class Link(Answer):
    """One link, and what it leads to."""

    file_type: str
    """its name, as /v1/results/{job_id} shows it"""
    sample_id: str | None
    """null where it is of the whole case"""
    url: str
    """whoever has it fetches the file: pass it on to nobody"""
    expires_at: datetime
    size_bytes: int
    sha256: str
    """of the bytes: compare it with what came"""


class Links(Answer):
    """Links to files."""

    download_links: tuple[Link, ...]


class OutputFile(Answer):
    """One file that the run left."""

    kind: str
    """such as vcf, bam or report"""
    sample_id: str | None
    """none where it is of the whole case"""
    bucket: str
    """where it is"""
    object_key: str
    """its key there"""
    version_id: str
    """the store's version; `null` where it keeps none"""
    size_bytes: int
    """how long it is"""
    sha256: str
    """of its bytes"""
    content_type: str
    """its media type"""


class Outputs(Answer):
    """What the run left, and whether it may be used."""

    state: str
    """published, superseded, retracted, collected or none"""
    manifest_bucket: str | None
    """where the list of outputs is"""
    manifest_key: str | None
    """its key there"""
    manifest_sha256: str | None
    """of its bytes"""
    files: tuple[OutputFile, ...]
    """with their checksums"""


class ParametersUsed(Answer):
    """With what it was run."""

    values: Mapping[str, Any]
    """every parameter"""
    sha256: str
    """of their canonical JSON"""


class PipelineUsed(Answer):
    """The code that was run."""

    document_id: str
    """its name"""
    version: str
    """the version that was used"""
    published_event_id: UUID | None
    """the event that published it; none where the log does not have it"""
    uri: str
    """where its code is"""
    code_sha256: str
    """of its code, which was compared before it ran"""
    code_revision: str | None
    """the commit, where it came from a repository"""
    engine: str | None
    """what it is written for"""
    published: Mapping[str, Any]
    """what else it was published with, such as the digests of its containers"""


class ProfileUsed(Answer):
    """By what the results were judged."""

    document_id: str
    """its name"""
    version: str
    """the version that was used"""
    published_event_id: UUID | None
    """the event that published it; none where the log does not have it"""
    thresholds: tuple[Mapping[str, Any], ...]
    """what it required of results"""


class StoredAt(Answer):
    """A file that is named by its address."""

    kind: str
    """what it is to its bundle"""
    uri: str
    """where it is"""
    size_bytes: int | None
    """how long it is; none where nobody said"""
    sha256: str
    """of its bytes"""


class ReferenceUsed(Answer):
    """What the reads were compared with."""

    document_id: str
    """its name"""
    version: str
    """the version that was used"""
    published_event_id: UUID | None
    """the event that published it; none where the log does not have it"""
    files: tuple[StoredAt, ...]
    """the bundle"""


class TargetsUsed(Answer):
    """To which regions it was limited."""

    document_id: str
    """its name"""
    version: str
    """the version that was used"""
    published_event_id: UUID | None
    """the event that published it; none where the log does not have it"""
    uri: str
    """their BED"""
    sha256: str
    """of its bytes"""

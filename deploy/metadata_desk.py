"""What a person says of a sample's metadata, held against the schema of its project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid5

from genoflow.api.desks import Append, Decided
from genoflow.deploy.catalog import LogCatalog
from genoflow.deploy.metadata_schemas import metadata_faults, refuse, schema_of, values_of
from genoflow.deploy.subject import LogSubjects, story_of
from genoflow.events import topics
from genoflow.events.errors import Contradicted
from genoflow.events.event import Event
from genoflow.events.identity import external_id
from genoflow.events.log.port import EventLog
from genoflow.events.metadata_schema_published import MetadataSchemaPublished
from genoflow.events.metadata_value import MetadataValue
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.processors.intake.privacy import IdentifierFound, PrivacyGuard, identifier_fault
from genoflow.processors.running.parameters import canonical
from genoflow.projections.asking.sample import sample_of


def project_of(sample_id: str, story: Sequence[Event]) -> str | None:
    """The project of a sample, by the rule of its row; None where nobody has said one."""
    sample = sample_of(sample_id, story)
    joined = next(iter(sample.cases.values()), None)
    said = [one for one in (sample.registered, joined) if one is not None]
    return next((one.project_id for one in said if one.project_id), None)


def schema_for(
    project_id: str | None, in_force: Sequence[MetadataSchemaPublished]
) -> MetadataSchemaPublished | None:
    """The schema that came into force last of those for a project; None where there is none."""
    return next((one for one in reversed(in_force) if project_id in one.projects), None)


@dataclass(frozen=True, slots=True)
class Known:
    """A sample as the log tells it, and the schemas in force, when its metadata are said."""

    sample_id: str
    story: Sequence[Event]
    ordered_for: str | None  # the project of what brings a sample that has none yet
    in_force: Sequence[MetadataSchemaPublished]

    @property
    def project(self) -> str | None:
        """Whose schema counts."""
        return project_of(self.sample_id, self.story) or self.ordered_for

    @property
    def said(self) -> list[SampleMetadataAmended]:
        """What was said of it before."""
        return [one for one in self.story if isinstance(one, SampleMetadataAmended)]


class LogMetadata:
    """MetadataDesk over the log."""

    def __init__(self, log: EventLog, person_patterns: Sequence[str]) -> None:
        self._subjects = LogSubjects(log)
        self._catalog = LogCatalog(log)
        self._guard = PrivacyGuard(person_patterns)

    async def amend(
        self, sample_id: str, metadata: Mapping[str, object], decided: Decided, append: Append
    ) -> SampleMetadataAmended:
        """Say that these are all the metadata of the sample; Refused names all that does not fit.

        What was said before under one request is answered, and not said again.
        """
        story = await story_of(self._subjects, sample_id)
        known = Known(sample_id, story, None, await self._in_force())
        fact, is_new = self.drafted(known, metadata, decided)
        if is_new:
            await append(fact)
        return fact

    async def brought(
        self,
        sample_id: str,
        metadata: Mapping[str, object],
        decided: Decided,
        *,
        project_id: str | None,
        may_replace: bool,
    ) -> SampleMetadataAmended | None:
        """What metadata that come with a file say; appended by whoever brings them.

        None where just these are said already, Refused where they do not fit, and Contradicted
        where others are said and may not be replaced.
        """
        story = (await self._subjects.events_of(topics.SAMPLE, [sample_id]))[sample_id]
        known = Known(sample_id, story, project_id, await self._in_force())
        fact, is_new = self.drafted(known, metadata, decided)
        if not is_new:
            return None
        if not may_replace and known.said:
            raise Contradicted(
                f"metadata: others are said of sample {sample_id}; leave them out, or have "
                f"somebody who may write samples say these"
            )
        return fact

    async def _in_force(self) -> Sequence[MetadataSchemaPublished]:
        return await self._catalog.in_force(MetadataSchemaPublished)

    def drafted(
        self, known: Known, metadata: Mapping[str, object], decided: Decided
    ) -> tuple[SampleMetadataAmended, bool]:
        """What is said by these, and whether it is new; Refused names all that does not fit."""
        self._refuse_identifiers(metadata)
        values = values_of(metadata)
        project, said = known.project, known.said
        found = schema_for(project, known.in_force)
        if (before := _before(said, values, found, decided)) is not None:
            return before, False
        if found is not None:
            faults = metadata_faults(metadata, schema_of(found))
            of = f"(schema {found.document_id} {found.version} of project {project})"
            refuse([f"{fault} {of}" for fault in faults])
        fact = SampleMetadataAmended(
            sample_id=known.sample_id,
            metadata=values,
            project_id=project,
            schema_id=found.document_id if found else None,
            schema_version=found.version if found else None,
            schema_sha256=found.content_sha256 if found else None,
            request_id=decided.request_id or _request(metadata, said),
            role=decided.role,
            reason=decided.reason,
        )
        said_now = decided.says(fact)
        self._guard.check(said_now)
        return said_now, True

    def _refuse_identifiers(self, metadata: Mapping[str, object]) -> None:
        for name, value in metadata.items():
            if (number := self._guard.finds(name)) is not None:
                raise IdentifierFound(f"metadata: one of its names {identifier_fault(number)}")
            # A record number can come as a number, too; what is no scalar is refused unread.
            is_scalar = isinstance(value, str | int | float)
            if is_scalar and (number := self._guard.finds(str(value))) is not None:
                raise IdentifierFound(f"metadata.{name:.64}: {identifier_fault(number)}")


def _before(
    said: Sequence[SampleMetadataAmended],
    values: Sequence[MetadataValue],
    found: MetadataSchemaPublished | None,
    decided: Decided,
) -> SampleMetadataAmended | None:
    """The fact of a first try of unknown outcome, or the last one where it says the same."""
    if decided.request_id is not None:
        again = next((one for one in said if one.request_id == decided.request_id), None)
        if again is not None:
            return again
    schema = found.content_sha256 if found else None
    is_same = said and said[-1].metadata == tuple(values) and said[-1].schema_sha256 == schema
    return said[-1] if is_same else None


def request_with(metadata: Mapping[str, object], *identity: str) -> str:
    """The decision that comes with such an event: the same for the same values, however often."""
    return str(uuid5(external_id(*identity), canonical(metadata)))


def _request(metadata: Mapping[str, object], said: Sequence[SampleMetadataAmended]) -> str:
    # Of what was said before, too: a value that comes back later is a new decision.
    before = said[-1].request_id if said else "first"
    return request_with(metadata, "SampleMetadataAmended", before)

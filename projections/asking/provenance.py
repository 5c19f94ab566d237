"""From what, by what and by whom results were made: folded from the events about them, and no more.

The same events give the same document, byte for byte. What is told of files, documents and tasks
stands in the events that led to the results: nothing is looked up anywhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from genoflow.events.case_member_ready import CaseMemberReady
from genoflow.events.case_opened import CaseOpened
from genoflow.events.errors import NotThere
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.recorded import Recorded
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.ready_member import ReadyMember
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.run_requested import RunRequested
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.events.validated import Validated
from genoflow.projections.asking import provenance_parts as parts
from genoflow.projections.asking.provenance_chain import Known, chain_of, decisions_of
from genoflow.projections.asking.provenance_work import attempts_of, tasks_of
from genoflow.projections.asking.run import Run, run_of

# Of the catalog's entry these say how a run is asked for; the request says with what it was made.
NOT_OF_THE_CODE = frozenset(
    {
        "document_id", "version", "uri", "code_sha256", "engine", "code_revision",
        "parameters_schema_json", "parameters_json", "expected_outputs",
    }
)  # fmt: skip


def provenance_of(run_id: str, records: Iterable[Recorded]) -> parts.Provenance:
    """What these records say of the run's results; NotThere where nobody asked for it."""
    known = Known(run_id, records)
    asked = next(known.of(RunRequested), None)
    if asked is None or asked.key != run_id:
        raise NotThere(
            f"run {run_id}: nothing on the log asks for it; `genoflow run list` shows those that "
            f"there are"
        )
    run = run_of(run_id, (record.event for record in known.story))
    inputs = [_sample(known, one) for one in asked.members]
    documents = _documents(known, asked)
    about = _run(run, asked, known)
    events, elsewhere = chain_of(known, _grounds(about, inputs, documents))
    return parts.Provenance(
        format=parts.FORMAT, version=parts.VERSION, run=about,
        **documents,
        parameters=parts.ParametersUsed(
            values=json.loads(asked.parameters_json), sha256=asked.parameters_sha256
        ),
        inputs=inputs, attempts=attempts_of(known), tasks=tasks_of(known),
        decisions=decisions_of(known, events), checks=_checks(run),
        outputs=_outputs(run, known), events=events, causes_elsewhere=elsewhere,
    )  # fmt: skip


def text_of(provenance: parts.Provenance) -> str:
    """The document as it is handed out: the same bytes for the same events."""
    return json.dumps(provenance.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def _run(run: Run, asked: RunRequested, known: Known) -> parts.AboutRun:
    opened = next(known.of(CaseOpened, case_id=asked.case_id), None)
    later = run.superseded.superseded_by_run_id if run.superseded else None
    return parts.AboutRun(
        run_id=run.key, case_id=asked.case_id, case_revision=asked.case_revision, kind=asked.kind,
        assay=asked.assay, priority=run.beside.priority or asked.priority, launcher=asked.launcher,
        state=run.stages.word, counts=run.counts, supersedes_run_id=asked.supersedes_run_id,
        superseded_by_run_id=later,
        opened_event_id=opened.envelope.event_id if opened else None,
        requested_event_id=asked.envelope.event_id,
        published_event_id=run.published.envelope.event_id if run.published else None,
    )  # fmt: skip


# -- what entered


def _sample(known: Known, member: ReadyMember) -> parts.InputSample:
    mine = {"sample_id": member.sample_id, "round": member.round}
    ready = _last(known.of(CaseMemberReady, **mine))
    verdict: Any = known.fact(ready.verdict_event_id) if ready is not None else None
    verdict = verdict or _last(known.of(QcOverridden, **mine)) or _last(known.of(QcPassed, **mine))
    overridden = verdict.overridden_event_id if isinstance(verdict, QcOverridden) else None
    word = "overridden" if overridden is not None else "passed"
    return parts.InputSample(
        sample_id=member.sample_id, role=member.role, round=member.round,
        verdict=word if verdict is not None else None,
        verdict_event_id=verdict.envelope.event_id if verdict is not None else None,
        failed_event_id=overridden,
        files=[_file(known, member.sample_id, one) for one in member.files],
    )  # fmt: skip


def _file(known: Known, sample_id: str, file: ReadSetFile) -> parts.InputFile:
    place = {
        "sample_id": sample_id, "bucket": file.bucket, "object_key": file.object_key,
        "version_id": file.version_id,
    }  # fmt: skip
    landed = next(known.of(FileLanded, **place), None)
    validated = _last(known.of(Validated, **place, sha256=file.sha256))
    mine = {"sample_id": sample_id, "read_set_id": file.read_set_id}
    registered = next(known.of(ReadSetRegistered, **mine), None)
    return parts.InputFile(
        **dict(file), md5=validated.md5 if validated else None,
        registered_event_id=registered.envelope.event_id if registered else None,
        landed_event_id=landed.envelope.event_id if landed else None,
        validated_event_id=validated.envelope.event_id if validated else None,
    )  # fmt: skip


def _last(found: Iterator[Any]) -> Any:
    return next(iter([*found][-1:]), None)


# -- documents


def _documents(known: Known, asked: RunRequested) -> dict[str, Any]:
    pipeline: Any = _published(known, PipelinePublished, asked.pipeline, asked.pipeline_version)
    said = pipeline.payload() if pipeline is not None else {}
    targets = None
    if asked.target_set is not None:
        assert asked.target_set_version is not None
        name = (asked.target_set, asked.target_set_version)
        targets = parts.TargetsUsed(
            **_document(known, TargetSetPublished, *name), uri=asked.target_set_uri,
            sha256=asked.target_set_sha256,
        )  # fmt: skip
    reference = (asked.reference, asked.reference_version)
    profile = (asked.profile, asked.profile_version)
    return {
        "pipeline": parts.PipelineUsed(
            **_document(known, PipelinePublished, asked.pipeline, asked.pipeline_version),
            uri=asked.pipeline_uri, code_sha256=asked.pipeline_sha256,
            code_revision=said.get("code_revision"), engine=said.get("engine"),
            published={name: one for name, one in said.items() if name not in NOT_OF_THE_CODE},
        ),
        "reference": parts.ReferenceUsed(
            **_document(known, ReferencePublished, *reference),
            files=[parts.StoredAt(**dict(one)) for one in asked.reference_files],
        ),
        "targets": targets,
        "profile": parts.ProfileUsed(
            **_document(known, QcProfilePublished, *profile),
            thresholds=[one.model_dump(mode="json") for one in asked.thresholds],
        ),
    }  # fmt: skip


def _document(known: Known, kind: type[Any], document_id: str, version: str) -> dict[str, Any]:
    found = _published(known, kind, document_id, version)
    return {
        "document_id": document_id, "version": version,
        "published_event_id": found.envelope.event_id if found is not None else None,
    }  # fmt: skip


def _published(known: Known, kind: type[Any], document_id: str, version: str) -> Any:
    """The first one of this version: a version is published once."""
    return next(known.of(kind, document_id=document_id, version=version), None)


def _grounds(
    about: parts.AboutRun, inputs: Sequence[parts.InputSample], documents: dict[str, Any]
) -> list[UUID]:
    """The events that the document names, whether or not causes lead to them."""
    named: list[UUID | None] = [about.opened_event_id]
    named += [one.published_event_id for one in documents.values() if one is not None]
    for sample in inputs:
        named += [sample.verdict_event_id, sample.failed_event_id]
        for file in sample.files:
            named += [file.registered_event_id, file.landed_event_id, file.validated_event_id]
    return [one for one in named if one is not None]


# -- what came of it


def _checks(run: Run) -> list[parts.Check]:
    wanted = parts.Check.model_fields
    return [
        parts.Check(**{name: value for name, value in dict(one).items() if name in wanted})
        for one in (run.checked.measured if run.checked is not None else ())
    ]


def _outputs(run: Run, known: Known) -> parts.Outputs:
    listing = run.amended or run.published or run.collected
    manifest = run.collected or _last(known.of(ResultsCollected))
    state = "collected" if listing is not None else "none"
    if run.published is not None:
        state = "published"
        if run.superseded is not None:
            state = "superseded"
        if run.retracted is not None:
            state = "retracted"
    return parts.Outputs(
        state=state,
        manifest_bucket=manifest.bucket if manifest is not None else None,
        manifest_key=manifest.manifest_key if manifest is not None else None,
        manifest_sha256=manifest.manifest_sha256 if manifest is not None else None,
        files=[parts.OutputFile(**dict(one)) for one in (listing.files if listing else ())],
    )  # fmt: skip

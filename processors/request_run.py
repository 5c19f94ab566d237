"""A case that is ready becomes a run that is asked for, with all that it needs by its version.

A person may ask for the newest run once more, or give its case another priority, of which that run
is told. A case that is closed without results takes its runs with it; one that is asked for later,
when what it waited for is published, is cancelled before.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from uuid import UUID

from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_priority_changed import CasePriorityChanged
from genoflow.events.case_ready import CaseReady
from genoflow.events.configuration_saved import ConfigurationSaved
from genoflow.events.errors import Parked, Refused
from genoflow.events.event import Event
from genoflow.events.input_finding import InputFinding
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_priority_requested import RunPriorityRequested
from genoflow.events.run_requested import RunRequested
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.processors.configurations import configuration_of, parameters_with
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.materials import materials_of
from genoflow.processors.ordered import (
    PUBLISH,
    PUBLISH_VERSION,
    named_targets,
    other_build,
    profile_of,
    reference_of,
)
from genoflow.processors.ports import Attempt, CatalogReader
from genoflow.processors.processor import Call, Processor
from genoflow.processors.qc_profiles import required_of_results
from genoflow.processors.repeated import Remembering, is_repeated, with_this
from genoflow.processors.restoring import in_archives, inputs_of
from genoflow.processors.running.fit import finding, findings_of
from genoflow.processors.running.names import output_prefix, run_asked_by
from genoflow.processors.running.parameters import canonical, faults_of

NAME = "request-run"
EFFECT = "resolve"
FAULTS_SHOWN_MAX = 5
SET_OTHERS = "publish a version whose parameters fit its own schema"
RUNS_KEPT_MAX = 100  # of one case; of each revision there is one, and more where a person asks
REASON_CHARACTERS_MAX = 2_000  # as much as the event holds
ANSWERED = "published"  # a case that was closed so keeps its runs


class Case(Remembering):
    """The newest revision of a case, its runs, and whether anybody still wants them."""

    ready: CaseReady | None = None
    priority: str | None = None  # that was said last, where it was changed
    run_ids: tuple[UUID, ...] = ()
    closed: bool = False


class Wanted(Arguments):
    """A case that is ready; what the catalog says is still missing."""

    ready: CaseReady
    run_id: UUID
    supersedes_run_id: UUID | None = None


def decide(state: Case, event: Event) -> Decision:
    """Ask for each revision in their order, and again for the newest run where a person does."""
    if is_repeated(state, event) or state.closed:
        return NOTHING
    if isinstance(event, CaseClosed):
        return _cancelled(state, event)
    if isinstance(event, CasePriorityChanged):
        return _told(state, event)
    after = evolve(state, event)
    if after.run_ids == state.run_ids or after.ready is None:
        return NOTHING
    before = state.run_ids[-1] if state.run_ids else None
    named = event.supersedes_run_id if isinstance(event, CaseReady) else None
    wanted = Wanted(
        ready=after.ready,
        run_id=after.run_ids[-1],
        supersedes_run_id=named or before,
    )
    return Decision(effects=(Effect(EFFECT, wanted),))


def _cancelled(state: Case, event: CaseClosed) -> Decision:
    if event.outcome == ANSWERED:
        return NOTHING
    reason = f"its case was closed, {event.outcome}: {event.reason}"
    return Decision(
        events=tuple(
            RunCancelled(
                run_id=run_id,
                case_id=event.case_id,
                request_id=str(event.envelope.event_id),
                reason=reason[:REASON_CHARACTERS_MAX],
            )
            for run_id in state.run_ids
        ),
    )


def _told(state: Case, event: CasePriorityChanged) -> Decision:
    """The newest run hears of it; where there is none, its request will say it."""
    return Decision(
        events=tuple(
            RunPriorityRequested(
                run_id=run_id, case_id=event.case_id, priority=event.priority, reason=event.reason
            )
            for run_id in state.run_ids[-1:]
        ),
    )


def evolve(state: Case, event: Event) -> Case:
    """Keep the newest revision, every run and the priority, and that a case is closed."""
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    if isinstance(event, CaseClosed):
        change["closed"] = True
    elif isinstance(event, CasePriorityChanged):
        change |= {"priority": event.priority, "ready": _as_urgent(state.ready, event.priority)}
    elif not state.closed and _is_wanted(state, event):
        assert isinstance(event, CaseReady | RerunRequested)
        run_id = run_asked_by(event)
        change["run_ids"] = (*state.run_ids, run_id)[-RUNS_KEPT_MAX:]
        if isinstance(event, CaseReady):
            # A change that stands before it here may have come to await-members too late for it.
            change["ready"] = _as_urgent(CaseReady(**dict(event)), state.priority)
    return state.model_copy(update=change)


def _as_urgent(ready: CaseReady | None, priority: str | None) -> CaseReady | None:
    if ready is None or priority is None:
        return ready
    return ready.model_copy(update={"priority": priority})


def _is_wanted(state: Case, event: Event) -> bool:
    """Whether it asks for a run: a revision not seen before, or the newest run once more."""
    if isinstance(event, CaseReady):
        return state.ready is None or event.revision > state.ready.revision
    assert isinstance(event, RerunRequested)
    return event.run_id in state.run_ids[-1:]


# -- the effect


async def resolve(wanted: Wanted, attempt: Attempt) -> Sequence[Event]:
    """Put the content of what the order names into the request: from here on it is on the log."""
    catalog, chosen = attempt.ports.catalog, attempt.ports.deployment
    if catalog is None:
        raise Parked("resolve: this worker has no catalog; wire one")
    ready = wanted.ready
    _check_files(ready)
    whose = f"case {ready.case_id}"
    reference = await reference_of(catalog, whose, ready.reference)
    pipeline = await _pipeline(catalog, ready)
    targets = await named_targets(catalog, whose, ready.target_set)
    profile = await profile_of(catalog, whose, ready.assay, ready.qc_profile)
    configured, parameters = await _parameters(catalog, ready, pipeline)
    request = RunRequested(
        run_id=wanted.run_id,
        case_id=ready.case_id,
        case_revision=ready.revision,
        kind=ready.kind,
        assay=ready.assay,
        members=ready.members,
        pipeline=pipeline.document_id,
        pipeline_version=pipeline.version,
        pipeline_uri=pipeline.uri,
        pipeline_sha256=pipeline.code_sha256,
        parameters_json=parameters,
        parameters_sha256=hashlib.sha256(parameters.encode()).hexdigest(),
        reference=reference.document_id,
        reference_version=reference.version,
        reference_files=reference.files,
        target_set=targets.document_id if targets else None,
        target_set_version=targets.version if targets else None,
        target_set_uri=targets.uri if targets else None,
        target_set_sha256=targets.sha256 if targets else None,
        profile=profile.document_id,
        profile_version=profile.version,
        thresholds=required_of_results(profile, ready.assay, ready.material),
        expected_outputs=pipeline.expected_outputs,
        launcher=chosen.launcher,
        bucket=chosen.results_bucket,
        output_prefix=output_prefix(ready.case_id, wanted.run_id),
        attempts_max=chosen.run_attempts_max,
        priority=ready.priority,
        due_at=ready.due_at,
        supersedes_run_id=wanted.supersedes_run_id,
        configuration=configured.document_id if configured else None,
        configuration_version=configured.version if configured else None,
        project_id=ready.project_id,
    )
    if (archive := attempt.ports.archive) is not None:
        found = await in_archives(archive, inputs_of(request))
        request = RunRequested(**dict(request) | {"archived": tuple(found)})
    findings = await _findings(attempt, request, pipeline, reference, targets)
    return [RunRequested(**dict(request) | {"findings": tuple(findings)})]


async def _parameters(
    catalog: CatalogReader, ready: CaseReady, pipeline: PipelinePublished
) -> tuple[ConfigurationSaved | None, str]:
    """The configuration that the order names, and all parameters of the run."""
    if ready.configuration is None:
        return None, pipeline.parameters_json
    found = await configuration_of(catalog, ready.configuration)
    whose = f"case {ready.case_id}: its order names the configuration {ready.configuration!r}"
    if found is None:
        raise Parked(f"{whose}, and nobody has saved it; save it, then `genoflow parked requeue`")
    try:
        return found, canonical(parameters_with(pipeline, found))
    except Refused as error:
        raise Parked(f"{whose}: {error}, then `genoflow parked requeue`") from error


async def _findings(
    attempt: Attempt,
    request: RunRequested,
    pipeline: PipelinePublished,
    reference: ReferencePublished,
    targets: TargetSetPublished | None,
) -> list[InputFinding]:
    """What speaks against this run in its documents, else in its files."""
    name = f"the pipeline {pipeline.document_id} {pipeline.version}"
    parameters, schema = request.parameters_json, pipeline.parameters_schema_json
    faults = faults_of(json.loads(parameters), json.loads(schema))[:FAULTS_SHOWN_MAX]
    found = [
        finding("parameters", name, f"{name} does not take its parameters: {one}; {SET_OTHERS}")
        for one in faults
    ]
    if targets is not None and (fault := other_build(targets, reference.document_id)):
        found.append(finding("targets", targets.uri, fault))
    headings = attempt.ports.headings
    if found or headings is None:
        return found  # what its files say is asked when its documents agree
    return await asyncio.to_thread(findings_of, request, reference, targets, headings)


async def _pipeline(catalog: CatalogReader, ready: CaseReady) -> PipelinePublished:
    if ready.pipeline is None:
        pipeline = await catalog.default_for(PipelinePublished, ready.assay, ready.material)
        # One that does not take it is named with what it does take.
        pipeline = pipeline or await catalog.default_for(PipelinePublished, ready.assay)
        missing = f"no pipeline is published for its assay {ready.assay!r}, or none is active"
    else:
        pipeline = await catalog.find(PipelinePublished, ready.pipeline)
        missing = f"its order names the pipeline {ready.pipeline!r}, and it is not published"
    if pipeline is None and ready.pipeline is not None:
        await _refuse_inactive(catalog, ready, ready.pipeline)
    if pipeline is None:
        raise Parked(f"case {ready.case_id}: {missing}; {PUBLISH}")
    name = f"the pipeline {pipeline.document_id} {pipeline.version}"
    if ready.kind not in pipeline.case_kinds:
        raise Parked(
            f"case {ready.case_id}: is a {ready.kind} case, and {name} takes "
            f"{', '.join(pipeline.case_kinds)}; {PUBLISH_VERSION}, or close the case and order it "
            f"with another pipeline"
        )
    if ready.material not in pipeline.materials:
        raise Parked(
            f"case {ready.case_id}: its files are {ready.material}, and {name} takes "
            f"{', '.join(pipeline.materials)}; {PUBLISH_VERSION}, or close the case and order it "
            f"with another pipeline"
        )
    return pipeline


async def _refuse_inactive(catalog: CatalogReader, ready: CaseReady, pipeline: str) -> None:
    standing = await catalog.standing(pipeline)
    if standing:
        versions = ", ".join(f"{version} is {status}" for version, status in standing.items())
        raise Parked(
            f"case {ready.case_id}: its order names the pipeline {pipeline!r}, and no version of "
            f"it is active ({versions}); `genoflow catalog test {pipeline}` and `genoflow catalog "
            f"activate {pipeline}` make one so, then `genoflow parked requeue`"
        )


def _check_files(ready: CaseReady) -> None:
    """Refuse files of another material than the one that was ordered: no pipeline is for both."""
    for member in ready.members:
        found = materials_of(file.role for file in member.files)
        if found not in ([], [ready.material]):
            raise Parked(
                f"case {ready.case_id}: was ordered as {ready.material}, and the files of "
                f"{member.sample_id} are {' and '.join(found)}; close the case "
                f"with `genoflow case cancel` and order it anew with the material that is there, "
                f"or send the files that were ordered and invalidate the others, then `genoflow "
                f"parked discard`"
            )


REQUEST_RUN = Processor(
    NAME,
    reads=topics.CASE,
    on=(CaseReady, RerunRequested, CasePriorityChanged, CaseClosed),
    emits=(RunCancelled, RunPriorityRequested),
    decide=decide,
    evolve=evolve,
    state=Case,
    state_version=2,
    effects=(Call(EFFECT, arguments=Wanted, emits=(RunRequested,), perform=resolve),),
    about="asks for a run of a case that is ready, or once more; ends those of a closed case",
)

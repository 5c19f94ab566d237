"""A case: who belongs to it, who is ready, which run answers it, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genoflow.events.case_member import CaseMember
from genoflow.events.case_priority_changed import CasePriorityChanged
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event
from genoflow.projections import cases
from genoflow.projections.asking import run as runs
from genoflow.projections.asking import sample as samples
from genoflow.projections.asking.run import Run
from genoflow.projections.asking.sample import Sample
from genoflow.projections.asking.subject import A_WORKER, Answer, Subject, Uses, fold


@dataclass
class Case(Subject, cases.Case):
    """What is known of a case: the state that its rows are made from."""


USES: Uses = dict.fromkeys(cases.USES, Case.take)


def case_of(key: str, events: Iterable[Event]) -> Case:
    """What these events tell of the case."""
    return fold(Case(key), events, USES)


# -- why


def why(
    case: Case, members: Mapping[str, Sample] | None = None, its_runs: Sequence[Run] = ()
) -> list[Answer]:
    """What it waits for: its members by name, its run, or nothing any more."""
    if case.closed is not None:
        reason = case.closed.reason.rstrip(".")
        at = case.closed.envelope.occurred_at
        closed = Answer(f"is closed, {case.closed.outcome} ({reason})", at, is_waiting=False)
        return [closed, *_withdrawn_since(case)]
    if case.opened is None:
        way = "place the order with `genoflow case open`"
        return [Answer("waits for its order: nothing says what it is", case.first_at, way)]
    missing = set(cases.missing(case))
    waiting = [one for one in case.opened.members if one.sample_id in missing]
    answers = _withdrawn_since(case)
    answers += [_for_member(case, one, (members or {}).get(one.sample_id)) for one in waiting]
    if not answers:
        answers = _for_run(case, its_runs)
    answers += _meanwhile(case, its_runs)
    if case.ranked is not None:
        answers.append(_ranked(case.ranked))
    if case.opened.due_at is not None:
        answers.append(
            Answer(f"owes its results by {case.opened.due_at:%Y-%m-%d %H:%M} UTC", is_waiting=False)
        )
    return answers


def _ranked(said: CasePriorityChanged) -> Answer:
    says = f"is {said.priority}, as {said.envelope.actor.id} wants ({said.reason.rstrip('.')})"
    return Answer(says, said.envelope.occurred_at, is_waiting=False)


def _withdrawn_since(case: Case) -> list[Answer]:
    return [
        Answer(
            f"had reads of {one.sample_id} that do not count any more: read set "
            f"{one.read_set_id}, {one.reason_code} ({one.reason.rstrip('.')})",
            one.envelope.occurred_at, is_waiting=False,
        )
        for one in case.withdrawn.values()
    ]  # fmt: skip


def _for_member(case: Case, member: CaseMember, sample: Sample | None) -> Answer:
    name = f"waits for {member.sample_id} ({member.role})"
    at = case.opened.envelope.occurred_at if case.opened else None
    if sample is None or case.key not in sample.cases:
        return Answer(f"{name}, which has not heard of its order yet", at, A_WORKER)
    if sample.is_through:
        says = f"{name}, which has good reads; the case has not taken note of it yet"
        return Answer(says, sample.last_at, A_WORKER)
    answers = samples.why(sample)
    first = next((one for one in answers if one.is_waiting), answers[0])
    way = next((one.way for one in reversed(answers) if one.way), first.way)
    more = f", and {len(answers) - 1} more" if len(answers) > 1 else ""
    told = f"{way} (`genoflow sample why {member.sample_id}` tells all{more})"
    return Answer(f"{name}, which {first.says}", first.since, told)


def _for_run(case: Case, its_runs: Sequence[Run]) -> list[Answer]:
    if case.ready is None or case.is_ready_anew:
        last = max(one.envelope.occurred_at for one in case.members.values())
        anew = " anew" if case.is_ready_anew else ""
        return [Answer(f"waits to be declared ready{anew}: every member is", last, A_WORKER)]
    mine = _current(case.ready, its_runs)
    if not mine:
        at = case.ready.envelope.occurred_at
        return [
            Answer(
                f"is ready, and waits for a run of {case.ready.assay} to be asked for", at,
                f"{A_WORKER}; `genoflow parked list` shows whether its pipeline or its reference "
                f"was not found",
            )
        ]  # fmt: skip
    run = mine[-1]
    if case.rerun is not None and str(case.rerun.run_id) == run.key:
        who, reason = case.rerun.envelope.actor.id, case.rerun.reason.rstrip(".")
        says = f"waits for run {run.key} to be asked for once more, as {who} wants ({reason})"
        return [Answer(says, case.rerun.envelope.occurred_at, A_WORKER)]
    return [
        Answer(
            f"{'waits for' if one.is_waiting else 'has'} run {run.key}, which {one.says}",
            one.since, one.way, one.is_waiting,
        )
        for one in runs.why(run)
    ]  # fmt: skip


def _meanwhile(case: Case, its_runs: Sequence[Run]) -> list[Answer]:
    """The results of an earlier run, which count until a later one has some."""
    newest = _current(case.ready, its_runs)[-1:] if case.ready else []
    return [
        Answer(
            f"has results meanwhile: those of run {one.key}, which count until a later run has "
            f"some", one.published.envelope.occurred_at,
            f"`genoflow results show {one.key}` lists them", is_waiting=False,
        )
        for one in its_runs
        if one.published is not None and one.counts and one not in newest
    ]  # fmt: skip


def _current(ready: CaseReady, its_runs: Sequence[Run]) -> list[Run]:
    return [
        one
        for one in its_runs
        if one.requested is None or one.requested.case_revision == ready.revision
    ]


def word(case: Case, its_runs: Sequence[Run] = ()) -> str:
    """Its state in a word or two: that of its run, once it has one."""
    own = cases.word(case)
    mine = _current(case.ready, its_runs) if case.ready and own == cases.READY else []
    return f"run {runs.word(mine[-1])}" if mine else own


def facts(case: Case, its_runs: Sequence[Run] = ()) -> dict[str, Any]:
    """All that matters of it, for `show`."""
    order = case.opened
    found: dict[str, Any] = {"case": case.key, "state": word(case, its_runs)}
    if its_runs:
        found["runs"] = [{"run": one.key, "state": runs.word(one)} for one in its_runs]
    if order is not None:
        found |= {
            "kind": order.kind, "assay": order.assay, "material": order.material,
            "reference": order.reference, "target_set": order.target_set,
            "qc_profile": order.qc_profile, "pipeline": order.pipeline,
            "project": order.project_id, "priority": case.row.priority, "due_at": order.due_at,
            "source": order.source, "ordered_by": order.envelope.actor.id,
            "members": [
                {
                    "sample": one.sample_id, "role": one.role, "subject_ref": one.subject_ref,
                    "declared_sex": one.declared_sex, "affected": one.affected,
                    "ready": one.sample_id in case.members,
                }
                for one in order.members
            ],
        }  # fmt: skip
    if case.ready is not None:
        found["revision"] = case.ready.revision
    if case.answered:
        found["answered_by"] = list(case.answered)
    if case.closed is not None:
        found |= {"closed": case.closed.outcome, "reason": case.closed.reason}
        found |= {"closed_by": case.closed.envelope.actor.id, "run": case.closed.run_id}
    return found | {"last": case.last_type, "last_at": case.last_at}

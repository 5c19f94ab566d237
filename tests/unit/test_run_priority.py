"""The priority of a run, changed: which run hears of it, and what follows, by where that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.archived_file import ArchivedFile
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_member import CaseMember
from genoflow.events.case_member_ready import CaseMemberReady
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_priority_changed import CasePriorityChanged
from genoflow.events.case_priority_proposed import CasePriorityProposed
from genoflow.events.case_priority_refused import CasePriorityRefused
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.input_finding import InputFinding
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_inputs_restored import RunInputsRestored
from genoflow.events.run_priority_changed import RunPriorityChanged
from genoflow.events.run_priority_kept import RunPriorityKept
from genoflow.events.run_priority_requested import RunPriorityRequested
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.processors.await_members import AWAIT_MEMBERS
from genoflow.processors.decision import Effect
from genoflow.processors.job_moves import Moved
from genoflow.processors.job_outcome import JobOutcome
from genoflow.processors.ports import Attempt, Deployment, JobOrder, JobState, Ports, Urgency
from genoflow.processors.request_run import REQUEST_RUN, Wanted
from genoflow.processors.run_priority import AFTERWARDS, MOVE
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.names import run_id_of
from genoflow.processors.settle_case import SETTLE_CASE
from genoflow.processors.settling import CHANGED
from genoflow.processors.submit_run import SUBMIT_RUN, job_id_of, move
from tests.asked import like
from tests.fakes import FakeClock, FakeLauncher, FakeStore
from tests.partition import Partition
from tests.run_facts import CASE, RUN_ID, member, ready, requested
from tests.spec import Spec, heard

given_case, given_members = Spec(SETTLE_CASE).given, Spec(AWAIT_MEMBERS).given
given_request, given_submit = Spec(REQUEST_RUN).given, Spec(SUBMIT_RUN).given
OF_RUN: dict[str, Any] = {"run_id": RUN_ID, "case_id": CASE}
OPENED = heard(
    CaseOpened(
        case_id=CASE, kind="single", assay="wgs", reference="GRCh38", source="lims",
        members=(CaseMember(sample_id="S1", role="single", subject_ref="P1"),),
    )
)  # fmt: skip
READY = heard(ready())
ASKED = heard(requested(attempts_max=2))


def ranked(priority: str = "urgent", request: str = "r1", reason: str = "ward 3") -> Any:
    return heard(
        CasePriorityChanged(case_id=CASE, priority=priority, request_id=request, reason=reason)
    )


def wish(priority: str = "urgent", reason: str = "ward 3") -> RunPriorityRequested:
    return heard(RunPriorityRequested(**OF_RUN, priority=priority, reason=reason))


def changed(attempt: int | None = None, priority: str = "urgent", **words: Any) -> Event:
    said = {"is_moved": False} | words
    return RunPriorityChanged(**OF_RUN, attempt=attempt, priority=priority, **said)


def kept(code: str, reason: str, attempt: int | None = 1, priority: str = "urgent") -> Event:
    return RunPriorityKept(
        **OF_RUN, attempt=attempt, priority=priority, reason_code=code, reason=reason
    )


def submitted(attempt: int = 1) -> Any:
    return heard(like(RunSubmitted, **OF_RUN, attempt=attempt))


def failed(attempt: int = 1) -> Any:
    return heard(like(RunFailed, **OF_RUN, attempt=attempt, will_retry=True))


def exited(attempt: int = 1) -> Any:
    return heard(like(RunExited, run_id=RUN_ID, attempt=attempt))


def cancelled() -> Any:
    return heard(like(RunCancelled, **OF_RUN))


def moving(priority: str = "urgent", by: Event = ASKED, attempt: int = 1) -> Effect:
    words = dict(ASKED) | {"priority": priority}
    job_id = job_id_of(by.envelope.event_id)
    what = Submission(requested=RunRequested(**words), attempt=attempt, job_id=job_id)
    return Effect(MOVE, what, lane=f"{RUN_ID}/{MOVE}")


def launched(after: Any) -> list[str]:
    """With which priorities what follows is launched."""
    return [one.arguments["requested"]["priority"] for one in after._opened if one.name == "launch"]


# -- what a person may say


def proposed(priority: str = "urgent", request: str = "r1", **words: Any) -> CasePriorityProposed:
    said = {"case_id": CASE, "priority": priority, "request_id": request, "reason": "ward 3"}
    return heard(CasePriorityProposed(**said | words))


def refused(proposal: Event, reason: str, standing: Event | None = None) -> Event:
    return CasePriorityRefused(
        case_id=CASE, proposal_event_id=proposal.envelope.event_id, reason=reason,
        standing_event_id=standing.envelope.event_id if standing else None,
    )  # fmt: skip


def test_a_case_has_another_priority_as_soon_as_a_person_wants_it() -> None:
    fact = CasePriorityChanged(case_id=CASE, priority="urgent", request_id="r1", reason="ward 3")
    given_case(OPENED).when(proposed()).then(fact)
    given_case(OPENED, ranked("low", "r0")).when(proposed()).then(fact)


def test_the_priority_that_a_case_has_is_answered_with_what_said_so() -> None:
    routine = proposed("routine")
    said = f"case {CASE}: is routine already, and stays so"
    given_case(OPENED).when(routine).then(refused(routine, said, OPENED))
    again, before = proposed("low", "r2"), ranked("low")
    said = f"case {CASE}: is low already, and stays so"
    given_case(OPENED, before).when(again).then(refused(again, said, before))


@pytest.mark.parametrize(
    ("story", "words", "reason"),
    [
        ((), {}, f"{CASE}: no case has this id; `genoflow case list` shows those that there are"),
        (
            (OPENED, heard(CaseClosed(case_id=CASE, outcome="cancelled", reason="no"))), {},
            f"case {CASE}: is closed, cancelled; open another case under an id of its own where "
            f"more is owed",
        ),
        (
            (OPENED, READY), {"run_id": RUN_ID},
            f"run {RUN_ID}: a later run of case {CASE} has taken its place; ask about `genoflow "
            f"run why {run_id_of(READY.envelope.event_id)}`",
        ),
        ((OPENED, ranked("low", "r0")), {"seen_offset": 0}, f"{CASE}: {CHANGED}"),
    ],
)  # fmt: skip
def test_what_cannot_be_more_urgent_is_refused(
    story: Sequence[Event], words: dict[str, Any], reason: str
) -> None:
    proposal = proposed(**words)
    given_case(*story).when(proposal).then(refused(proposal, reason))


def test_of_two_wishes_at_once_the_second_looks_again() -> None:
    partition = Partition(SETTLE_CASE)
    second = proposed("low", "r2")
    partition.put(OPENED, proposed(), second)
    fact, refusal = partition.work()
    assert (type(fact), type(refusal)) == (CasePriorityChanged, CasePriorityRefused)
    assert "another decision about its priority came first" in refusal.payload()["reason"]
    assert fact.envelope.actor == proposed().envelope.actor


# -- which run hears of it


def test_a_case_is_ready_with_the_priority_of_that_moment() -> None:
    good = heard(like(CaseMemberReady, case_id=CASE, sample_id="S1", role="single", round=1))
    for story, priority in (((OPENED,), "routine"), ((OPENED, ranked("low")), "low")):
        [said] = given_members(*story).when(good)._said
        assert said.payload()["priority"] == priority


def test_a_case_without_a_run_tells_nobody_and_its_run_is_asked_for_so() -> None:
    given_request().when(ranked()).then().then_effects()
    run_id = run_id_of(READY.envelope.event_id)
    wanted = Wanted(ready=ready(priority="urgent"), run_id=run_id)
    # It stood before CaseReady, which await-members had decided on before.
    given_request(ranked()).when(READY).then_effects(Effect("resolve", wanted))


def test_the_newest_run_of_a_case_is_told_and_one_that_is_had_again_has_it() -> None:
    run_id = run_id_of(READY.envelope.event_id)
    told = RunPriorityRequested(run_id=run_id, case_id=CASE, priority="urgent", reason="ward 3")
    given_request(READY).when(ranked()).then(told)
    wants = heard(RerunRequested(case_id=CASE, run_id=run_id, request_id="r", reason="mended"))
    again = Wanted(
        ready=ready(priority="urgent"), run_id=run_id_of(wants.envelope.event_id),
        supersedes_run_id=run_id,
    )  # fmt: skip
    given_request(READY, ranked()).when(wants).then_effects(Effect("resolve", again))


def test_nothing_is_more_urgent_once_its_case_is_closed() -> None:
    closed = heard(CaseClosed(case_id=CASE, outcome="published", reason="answered"))
    given_request(READY, closed).when(ranked()).then()


# -- what it does to a run


def test_a_job_that_its_launcher_has_is_to_be_moved() -> None:
    given_submit(ASKED, submitted()).when(wish()).then().then_effects(moving())


def test_a_wish_waits_until_the_launcher_has_the_job() -> None:
    given_submit(ASKED).when(wish()).then().then_effects()
    given_submit(ASKED, wish("low"), wish()).when(submitted()).then_effects(moving())
    given_submit(ASKED).when(submitted()).then().then_effects()
    given_submit(ASKED, wish(), submitted()).when(heard(submitted())).then_effects()


def test_the_same_wish_again_moves_nothing_and_says_so() -> None:
    same = kept("same", "routine is what was asked for before", priority="routine")
    given_submit(ASKED, submitted()).when(wish("routine")).then(same).then_effects()
    same = kept("same", "urgent is what was asked for before")
    given_submit(ASKED, submitted(), wish()).when(wish(reason="please")).then(same).then_effects()


def test_a_job_is_moved_back_where_somebody_wants_that() -> None:
    story = ASKED, submitted(), wish()
    given_submit(*story).when(wish("routine")).then_effects(moving("routine"))


def test_a_run_that_waits_for_an_archive_is_submitted_with_the_new_one() -> None:
    file = dict(member().files[0])
    words = {name: file[name] for name in ("bucket", "object_key", "version_id")}
    archived = ArchivedFile(**words, sample_id="S1", storage_class="GLACIER")
    asked = heard(requested(archived=(archived,)))
    given_submit(asked).when(wish()).then(changed()).then_effects()
    restored = heard(RunInputsRestored(**OF_RUN, files=1))
    then = given_submit(asked, wish(), heard(changed())).when(restored).then()
    assert launched(then) == ["urgent"]


def test_a_wish_before_the_request_is_answered_by_it() -> None:
    given_submit().when(wish()).then()
    then = given_submit(wish()).when(ASKED).then(changed(1))
    assert launched(then) == ["urgent"]
    knew = heard(requested(priority="urgent"))
    given_submit(wish()).when(knew).then(kept("same", "it was asked for as urgent"))


def test_a_run_that_was_refused_has_nothing_to_move() -> None:
    fault = InputFinding(what="parameters", place="p", said="wrong", refuses=True)
    against = heard(requested(findings=(fault,)))
    over = kept("over", "it was refused before it was submitted", None)
    given_submit(against).when(wish()).then(over)
    given_submit(wish()).when(against).then(over)


def test_a_job_that_has_ended_stays_and_the_next_attempt_has_it() -> None:
    over = kept("over", f"the job of attempt 1 has ended; {AFTERWARDS}")
    given_submit(ASKED, submitted(), exited()).when(wish()).then(over).then_effects()
    story = ASKED, submitted(), exited(), wish(), heard(over)
    then = given_submit(*story).when(failed()).then(changed(2))
    assert launched(then) == ["urgent"]


def test_an_attempt_of_a_run_that_was_moved_says_it_no_second_time() -> None:
    story = ASKED, submitted(), wish(), heard(changed(1, is_moved=True)), exited()
    then = given_submit(*story).when(failed()).then()
    assert launched(then) == ["urgent"]


def test_a_run_that_nobody_wants_keeps_what_it_has() -> None:
    over = kept("over", "it was cancelled")
    given_submit(ASKED, submitted(), cancelled()).when(wish()).then(over).then_effects()
    given_submit(ASKED, wish()).when(cancelled()).then(over)
    given_submit(ASKED, submitted(), wish()).when(cancelled()).then()


# -- the effect


class Queues:
    """A launcher that has queues, and answers so."""

    def __init__(self, answer: Moved) -> None:
        self._answer = answer
        self.moved: list[tuple[UUID, Urgency]] = []

    async def find(self, effect_id: UUID) -> JobState:
        return JobState.RUNNING

    async def launch(self, effect_id: UUID, order: JobOrder) -> None:
        raise AssertionError("nothing is begun")

    async def cancel(self, effect_id: UUID) -> None:
        raise AssertionError("nothing is ended")

    async def move(self, effect_id: UUID, order: JobOrder) -> Moved:
        self.moved.append((effect_id, order.urgency))
        return self._answer


def attempt(launcher: Any, named: str = "awsbatch") -> Attempt:
    ports = Ports(FakeClock(), launcher=launcher, deployment=Deployment(launcher=named))
    return Attempt(UUID(int=1), 1, ports, lambda *_: None)


WAITS = Submission(
    requested=requested(priority="urgent", launcher="awsbatch"), attempt=2, job_id=UUID(int=9)
)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Moved.MOVED, changed(2, is_moved=True)),
        (
            Moved.BEGUN,
            kept("begun", f"the job of attempt 2 has its host, and goes on there; {AFTERWARDS}", 2),
        ),
        (Moved.OVER, kept("over", f"the job of attempt 2 has ended; {AFTERWARDS}", 2)),
    ],
)
async def test_what_the_launcher_answers_is_said(answer: Moved, said: Event) -> None:
    launcher = Queues(answer)
    assert await move(WAITS, attempt(launcher)) == [said]
    assert launcher.moved == [(UUID(int=9), Urgency.HIGH)]


async def test_where_no_launcher_has_queues_nothing_is_moved() -> None:
    launcher = FakeLauncher(FakeStore(FakeClock()), "b", lambda _: JobOutcome(exit_code=0))
    [said] = await move(WAITS, attempt(launcher))
    assert said.payload()["reason_code"] == "no queue"
    with pytest.raises(Parked, match="is to be launched by 'awsbatch', and this worker has 'local"):
        await move(WAITS, attempt(Queues(Moved.MOVED), "local"))

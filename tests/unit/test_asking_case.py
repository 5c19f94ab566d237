"""Given these events, `why` of a case and of a run says this."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_member_withdrawn import CaseMemberWithdrawn
from genoflow.events.catalogue import EVENTS
from genoflow.events.event import Event
from genoflow.events.proposal import Proposal, ProposalRefused
from genoflow.events.qc_passed import QcPassed
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.events.run_lost import RunLost
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.run_superseded import RunSuperseded
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_started import TaskStarted
from genoflow.projections.asking import case as cases
from genoflow.projections.asking import run as runs
from genoflow.projections.asking import sample as samples
from genoflow.projections.asking import sequencing, subject, subscription
from tests.asked import (
    COVERAGE,
    RUN_ID,
    failed,
    joined,
    like,
    member_ready,
    opened,
    ready,
    registered,
    requested,
    sentences,
    told,
)
from tests.examples import example
from tests.partition import MOMENT

RUN = str(RUN_ID)
SUBMITTED = RunSubmitted(
    run_id=RUN_ID, case_id="C1", attempt=1, launcher="local", job_name="gf", job_id="J1", queue="q"
)
STARTED = RunStarted(run_id=RUN_ID, attempt=1, job_id="J1", engine="nextflow", engine_version="24")
EXITED = RunExited(run_id=RUN_ID, attempt=1, job_id="J1", exit_code=3)
LOST = RunLost(run_id=RUN_ID, attempt=1, launcher="local", job_id="J1", reason="no such job")
SUCCEEDED = like(RunSucceeded, run_id=RUN_ID, case_id="C1", attempt=1)
RUN_FAILED = RunFailed(
    run_id=RUN_ID, case_id="C1", attempt=1, reason_code="manifest incomplete",
    reason="the report is missing.", will_retry=False, failed_process="CALL",
    missing_outputs=["report"],
)  # fmt: skip
COLLECTED = like(ResultsCollected, run_id=RUN_ID, case_id="C1", attempt=1)
CHECKED = like(ResultsChecked, run_id=RUN_ID, case_id="C1")
HELD = ResultsHeld(
    run_id=RUN_ID, case_id="C1", profile="strict", profile_version="1",
    measured=[{**COVERAGE, "verdict": "fail", "measured_on": "D"}],
    reasons=["coverage is too low for a call."],
)  # fmt: skip
PUBLISHED = like(ResultsPublished, run_id=RUN_ID, case_id="C1")
WHOLE = [requested(), SUBMITTED, STARTED]
LATER = "7f9d2c2e-7c1b-5a53-9d0c-2f6f4b1d7e10"


def task(kind: type[Event], name: str, **more: object) -> Event:
    fields = {"run_id": RUN_ID, "attempt": 1, "job_id": "J1", "task_id": name, "task_name": name}
    return like(kind, **fields, **more)  # type: ignore[no-any-return]


TRIES = requested().attempts_max
RUNS: dict[str, tuple[list[Event], str, str]] = {
    "requested": ([requested()], "requested", f"{RUN} waits to be submitted to local"),
    "submitted": (
        [requested(), SUBMITTED], "submitted",
        f"{RUN} waits for local to start job J1 in queue q, attempt 1",
    ),
    "running": (
        [*WHOLE, task(TaskCompleted, "SORT"), task(TaskStarted, "CALL")], "running",
        f"{RUN} is running on nextflow, attempt 1 of {TRIES}: 1 tasks are done; at work: CALL",
    ),
    "a task failed": (
        [*WHOLE, task(TaskFailed, "CALL", reason="killed.", will_retry=True)], "running",
        f"{RUN} had a task fail: CALL (killed) (since 2026-03-01 12:03 UTC); the engine tries it",
    ),
    "exited": (
        [*WHOLE, EXITED], "exited",
        f"{RUN} ended with exit code 3, and waits for the verdict from its output manifest",
    ),
    "lost": ([*WHOLE, LOST], "lost", f"{RUN} was lost by local, job J1: no such job"),
    "failed": (
        [*WHOLE, EXITED, RUN_FAILED], "failed",
        f"{RUN} failed in attempt 1 of {TRIES} in CALL, manifest incomplete (the report is "
        f"missing; not in the manifest: report)",
    ),
    "to be tried again": (
        [*WHOLE, RUN_FAILED.model_copy(update={"will_retry": True})], "failed",
        "another attempt follows by itself",
    ),
    "tried again": (
        [*WHOLE, RUN_FAILED, SUBMITTED.model_copy(update={"attempt": 2, "job_id": "J2"}), EXITED],
        "submitted", "waits for local to start job J2 in queue q, attempt 2",
    ),
    "succeeded": ([*WHOLE, SUCCEEDED, EXITED], "succeeded", f"{RUN} succeeded, and waits for its"),
    "collected": ([*WHOLE, SUCCEEDED, COLLECTED], "collected", "waits for the check of its"),
    "checked": ([*WHOLE, COLLECTED, CHECKED], "checked", f"{RUN} is checked, and waits to be"),
    "held": (
        [*WHOLE, COLLECTED, HELD], "held",
        f"{RUN} holds its results back: coverage is too low for a call (since 2026-03-01 12:04 "
        f"UTC); a person decides: `genoflow results release {RUN} --role ROLE --reason TEXT`",
    ),
    "published": ([*WHOLE, CHECKED, PUBLISHED], "published", f"{RUN} is published: "),
    "amended": (
        [PUBLISHED, like(ResultsAmended, run_id=RUN_ID)], "amended", "is published, as amended"
    ),
    "cancelled": (
        [*WHOLE, like(RunCancelled, run_id=RUN_ID, attempt=1, reason="wrong order.")], "cancelled",
        f"{RUN} was cancelled (wrong order)",
    ),
    "superseded": (
        [PUBLISHED, like(RunSuperseded, run_id=RUN_ID, reason_code="top-up", reason="more reads",
                         superseded_by_run_id=LATER)],
        "superseded", f"{RUN} does not count any more, top-up (more reads)",
    ),
    "retracted": (
        [PUBLISHED, like(ResultsRetracted, run_id=RUN_ID, reason_code="wrong", reason="a swap")],
        "retracted", f"{RUN} had its results retracted, wrong (a swap)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_why_says_where_a_run_is(name: str) -> None:
    events, state, sentence = RUNS[name]
    run = runs.run_of(RUN, told(*events))
    assert sentence in sentences(RUN, runs.why(run))
    assert runs.word(run) == state
    assert runs.facts(run)["state"] == state


# -- cases


def sample(name: str, *events: Event) -> samples.Sample:
    return samples.sample_of(name, told(*events))


def said(
    events: Iterable[Event], members: Iterable[samples.Sample] = (), run: Iterable[Event] = ()
) -> str:
    asked = cases.case_of("C1", told(*events))
    its_runs = [runs.run_of(RUN, told(*run))] if run else []
    return sentences("C1", cases.why(asked, {one.key: one for one in members}, its_runs))


FAILED = sample("D", registered("D"), joined("D"), failed(sample="D", read_set_ids=()))
BOTH = [opened(), member_ready("D"), member_ready("E")]


def test_a_case_waits_for_its_members_by_name() -> None:
    text = said([opened(), member_ready("E")], [FAILED])
    assert text.startswith(
        "C1 waits for D (tumour), which failed QC of its reads in round 1, below threshold (too "
        "few reads: mean_coverage is 11.2 x where at least 30 is required) (since 2026-03-01 12:00 "
        "UTC); have it sequenced again"
    )
    assert "`genoflow sample why D` tells all" in text
    assert "E (normal)" not in text


def test_a_member_that_has_not_heard_of_its_order_is_told_apart() -> None:
    text = said([opened()], [sample("D", registered("D"))])
    for name in ("D (tumour)", "E (normal)"):
        assert f"C1 waits for {name}, which has not heard of its order yet" in text


def test_a_member_with_good_reads_waits_for_a_worker() -> None:
    through = sample("D", registered("D"), joined("D"), like(QcPassed, sample_id="D"))
    assert "D (tumour), which has good reads; the case has not taken note" in said(
        [opened(), member_ready("E")], [through]
    )


def test_a_case_with_every_member_waits_for_its_run() -> None:
    assert said(BOTH).startswith("C1 waits to be declared ready: every member is")
    assert said([*BOTH, ready()]).startswith(
        "C1 is ready, and waits for a run of panel to be asked for"
    )
    assert said([*BOTH, ready()], run=[requested()]).startswith(
        f"C1 waits for run {RUN}, which waits to be submitted to local"
    )
    assert said([*BOTH, ready()], run=[requested(), PUBLISHED]).startswith(
        f"C1 has run {RUN}, which is published"
    )


def test_a_case_that_is_ready_anew_waits_for_another_run() -> None:
    again = [*BOTH, ready(), member_ready("D", 2)]
    assert said(again, run=[requested()]).startswith("C1 waits to be declared ready anew")
    assert "waits for a run of panel" in said([*again, ready(2)], run=[requested()])


def withdrawn(name: str = "D") -> Event:
    [file, *_] = member_ready(name).files
    return CaseMemberWithdrawn(
        case_id="C1", sample_id=name, read_set_id=file.read_set_id, round=1,
        reason_code="relabelled", reason="tubes were swapped.",
    )  # fmt: skip


def test_a_case_waits_again_for_a_member_whose_reads_count_no_more() -> None:
    lost = [*BOTH, ready(), withdrawn()]
    text = said(lost, [FAILED], run=[requested(), PUBLISHED])
    assert text.startswith("C1 had reads of D that do not count any more: read set ")
    assert "relabelled (tubes were swapped) (since 2026-03-01 12:04 UTC)" in text
    assert "C1 waits for D (tumour), which failed QC of its reads" in text
    assert cases.word(cases.case_of("C1", told(*lost))) == "1 of 2 ready"
    assert "do not count" not in said([*lost, member_ready("D", 2)])
    assert "do not count" not in said([*BOTH, member_ready("D", 2), ready(), withdrawn("X")])
    closed = CaseClosed(case_id="C1", outcome="published", reason="answered")
    assert "do not count any more" in said([*BOTH, ready(), closed, withdrawn()])


def test_a_run_tells_which_of_its_reads_count_no_more() -> None:
    void = RunInputsInvalidated(
        run_id=RUN_ID, case_id="C1", sample_id="D", read_set_id="D.1", reason_code="relabelled",
        reason="tubes were swapped.",
    )  # fmt: skip
    run = runs.run_of(RUN, told(*WHOLE, PUBLISHED, void))
    assert (
        f"{RUN} took reads of D that do not count any more: read set D.1, relabelled (tubes were "
        f"swapped) (since 2026-03-01 12:04 UTC); use nothing of it; ask `genoflow case why C1`"
    ) in sentences(RUN, runs.why(run))
    assert runs.facts(run)["void_reads"] == [
        {"sample": "D", "read_set": "D.1", "reason": "relabelled"}
    ]
    assert runs.word(run) == "published"


def test_a_closed_case_waits_for_nothing() -> None:
    closed = CaseClosed(case_id="C1", outcome="withdrawn", reason="no consent.")
    assert said([opened(), closed]) == (
        "C1 is closed, withdrawn (no consent) (since 2026-03-01 12:01 UTC)"
    )
    assert cases.word(cases.case_of("C1", told(opened(), closed))) == "withdrawn"


def test_what_is_owed_is_said_and_a_case_without_an_order_is_named() -> None:
    assert "C1 owes its results by 2026-03-01 12:00 UTC" in said([opened(due_at=MOMENT)])
    assert said([member_ready("D")]).startswith("C1 waits for its order")


def test_show_lists_the_members_and_whether_they_are_ready() -> None:
    shown = cases.facts(cases.case_of("C1", told(opened(), member_ready("E"))))
    assert [(one["sample"], one["ready"]) for one in shown["members"]] == [
        ("D", False),
        ("E", True),
    ]
    assert shown["state"] == "1 of 2 ready"


# -- nothing is forgotten


@pytest.mark.parametrize(
    ("topic", "uses"),
    [
        (topics.SAMPLE, samples.USES),
        (topics.CASE, cases.USES),
        (topics.RUN, runs.USES),
        (topics.SEQUENCING_RUN, sequencing.USES),
        (topics.NOTIFICATION, subscription.USES),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_every_event_of_a_topic_is_used_or_says_nothing_about_waiting(
    topic: topics.Topic, uses: subject.Uses
) -> None:
    on_topic = {kind for kind in EVENTS if not kind.about.topics or topic in kind.about.topics}
    # Of a proposal the fact tells that it led to; where none did, nothing is otherwise.
    on_topic -= {kind for kind in EVENTS if issubclass(kind, Proposal | ProposalRefused)}
    quiet = {*subject.SAYS_NOTHING}
    assert on_topic | quiet == {*uses, *subject.COMMON} | quiet


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.type())
@pytest.mark.parametrize("seed", range(5))
def test_any_single_event_can_be_asked_about(kind: type[Event], seed: int) -> None:
    event = example(kind, seed)
    for module, make in (
        (samples, samples.sample_of), (cases, cases.case_of), (runs, runs.run_of),
        (sequencing, sequencing.sequencing_run_of), (subscription, subscription.subscription_of),
    ):  # fmt: skip
        state = make("K", [event])
        assert module.why(state)
        assert module.word(state)
        assert module.facts(state)

"""From reads that count no more to results that are void, whichever comes last."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_member_withdrawn import CaseMemberWithdrawn
from genoflow.events.case_ready import CaseReady
from genoflow.events.result_change import ResultChange
from genoflow.events.result_file import ResultFile
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.processors.retract_results import CHANGES_MAX, RETRACT_RESULTS
from genoflow.processors.running.names import run_id_of
from genoflow.processors.tell_runs import TELL_RUNS
from tests.asked import like
from tests.run_facts import CASE, RUN_ID, member, ready
from tests.spec import Spec, heard

REASON = {"reason_code": "relabelled", "reason": "tubes were swapped"}
HASH = "0" * 64


def withdrawn(sample: str = "S1", read_set: str = "S1.A", **fields: Any) -> CaseMemberWithdrawn:
    """The case hears that a read set counts no more."""
    known = {"case_id": CASE, "sample_id": sample, "read_set_id": read_set, "round": 1, **REASON}
    return CaseMemberWithdrawn(**known | fields)


def void(run_id: UUID = RUN_ID, sample: str = "S1", **fields: Any) -> RunInputsInvalidated:
    """A run hears of it."""
    known = {
        "run_id": run_id, "case_id": CASE, "sample_id": sample, "read_set_id": f"{sample}.A",
        **REASON,
    }  # fmt: skip
    return RunInputsInvalidated(**known | fields)


# -- the hop to the runs


def test_every_run_of_the_case_that_took_the_reads_is_told() -> None:
    begin = Spec(TELL_RUNS).given
    first, second = heard(ready(1)), heard(ready(2))
    other = heard(ready(3, members=(member("S2"),)))
    told = heard(withdrawn())
    begin(first, second, other).when(told).then(*(void(run_of(one)) for one in (first, second)))
    begin(first, told).when(told).then_nothing()
    begin(first).when(withdrawn(read_set="S1.B")).then_nothing()
    begin(first).when(withdrawn("S2")).then_nothing()


def run_of(one: CaseReady) -> UUID:
    return run_id_of(one.envelope.event_id)


def test_a_case_that_was_declared_ready_too_late_is_told_at_once() -> None:
    """Its member was withdrawn between the last word on it and the answer to that word."""
    declared = heard(ready(1))
    Spec(TELL_RUNS).given(withdrawn()).when(declared).then(void(run_of(declared)))
    Spec(TELL_RUNS).given(withdrawn(), declared).when(declared).then_nothing()


def test_nobody_hears_of_an_order_that_was_cancelled() -> None:
    begin = Spec(TELL_RUNS).given
    declared = heard(ready(1))
    for outcome in ("cancelled", "withdrawn"):
        closed = CaseClosed(case_id=CASE, outcome=outcome, reason="no")
        begin(declared, closed).when(withdrawn()).then_nothing()
    answered = CaseClosed(case_id=CASE, outcome="published", reason="it is answered")
    begin(declared, answered).when(withdrawn()).then(void(run_of(declared)))


# -- the results


def file(kind: str, sample: str | None) -> ResultFile:
    """A file that was published."""
    return ResultFile(
        kind=kind, sample_id=sample, bucket="results", object_key=f"{sample}/{kind}",
        version_id="1", size_bytes=1, sha256=HASH, content_type="text/plain",
    )  # fmt: skip


FILES = (file("bam", "S1"), file("bam", "S2"), file("vcf", None))


def published(*files: ResultFile, **fields: Any) -> ResultsPublished:
    """What the run answered."""
    known: dict[str, Any] = {
        "run_id": RUN_ID, "case_id": CASE, "files": files or FILES, "request_id": None,
        "held_event_id": None, "supersedes_run_id": None,
    }  # fmt: skip
    found: ResultsPublished = like(ResultsPublished, **known | fields)
    return found


def retracted(*files: ResultFile, reason_code: str = "relabelled") -> ResultsRetracted:
    """What is said of these files."""
    return ResultsRetracted(
        run_id=RUN_ID, case_id=CASE, reason_code=reason_code, reason="tubes were swapped",
        changes=tuple(
            ResultChange(
                what="file", sample_id=one.sample_id, after="",
                before=f"{one.kind}: s3://results/{one.object_key}@1",
            )
            for one in files
        ),
    )  # fmt: skip


def test_results_are_retracted_whichever_comes_last() -> None:
    begin = Spec(RETRACT_RESULTS).given
    void_reads, results = heard(void()), heard(published())
    mine = (FILES[0], FILES[2])
    begin().when(void_reads).then_nothing()
    begin().when(results).then_nothing()
    begin(results).when(void_reads).then(retracted(*mine))
    begin(void_reads).when(results).then(retracted(*mine))
    begin(results, void_reads).when(void_reads).then_nothing()
    begin(void_reads, results).when(results).then_nothing()


def test_a_second_member_retracts_nothing_twice() -> None:
    begin = Spec(RETRACT_RESULTS).given
    begin(published(), void()).when(void(sample="S2")).then_nothing()
    begin(void(), void(sample="S2")).when(published()).then(retracted(*FILES))


def test_what_is_published_after_all_is_retracted_too() -> None:
    amended: ResultsAmended = like(ResultsAmended, run_id=RUN_ID, case_id=CASE, files=FILES[:1])
    begin = Spec(RETRACT_RESULTS).given
    begin(published(), void()).when(published(request_id="r2")).then(retracted(FILES[0], FILES[2]))
    begin(void()).when(amended).then(retracted(FILES[0]))


def test_files_of_others_are_named_where_none_is_the_samples_own() -> None:
    begin = Spec(RETRACT_RESULTS).given
    begin(published(FILES[1])).when(void()).then(retracted(FILES[1]))


def test_the_reason_stays_or_becomes_the_nearest() -> None:
    begin = Spec(RETRACT_RESULTS).given
    for code, said in {"sheet amended": "sheet amended", "run failed": "withdrawn"}.items():
        expected = retracted(FILES[1], reason_code=said)
        begin(published(FILES[1])).when(void(reason_code=code)).then(expected)


def test_of_very_many_files_the_first_are_named() -> None:
    many = tuple(file(f"k{number}", "S1") for number in range(CHANGES_MAX + 1))
    begin = Spec(RETRACT_RESULTS).given
    begin(published(*many)).when(void()).then(retracted(*many[:CHANGES_MAX]))

"""Before reads are judged, told as stories: what is waited for, what is asked, and of the run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from genoflow.events import topics
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.file_violations import FileViolations
from genoflow.events.qc_failed import QcFailed
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.events.threshold import Threshold
from genoflow.processors.check_qc import CHECK_QC, Choose, choose_profile
from genoflow.processors.check_run_qc import CHECK_RUN_QC, Judge, choose_run_profile
from genoflow.processors.decision import Effect
from genoflow.processors.ports import Attempt, Ports
from genoflow.processors.sample_reads import Wish
from genoflow.processors.tell_samples import SAMPLES_AT_ONCE, TELL_SAMPLES, Tell, tell
from tests import qc_facts as facts
from tests.fakes import FakeCatalog, FakeClock
from tests.partition import Partition
from tests.qc_facts import SAMPLE, both, failed, joined, registered, requested, validated
from tests.spec import Spec, heard

given = Spec(CHECK_QC).given
WGS = Wish(assay="wgs", reference="GRCh38", target_set=None, qc_profile=None)
WHOLE = (registered(), *both(), joined())


def asks(
    number: int,
    *read_sets: str,
    files: Sequence[Any] = (),
    wish: Wish = WGS,
    violating: tuple[FileViolations, ...] = (),
) -> Effect:
    """The effect that asks about these read sets."""
    some = files or [file for name in read_sets for file in both(name)]
    choose = Choose(
        sample_id=SAMPLE, round=number, material="FASTQ", wish=wish, read_set_ids=read_sets,
        files=facts.handed_on(*some), violating=violating,
    )  # fmt: skip
    return Effect("choose-profile", choose, discriminator=str(number))


# -- check-qc: what it waits for


def test_the_last_thing_that_is_missing_opens_the_question_whatever_it_is() -> None:
    for order in permutations(WHOLE):
        given(*order[:-1]).when(order[-1]).then().then_effects(asks(1, "A"))


def test_what_is_relabelled_counts_no_more_before_that_was_worked_off() -> None:
    """Else what comes in a swap could be asked about together with what it is swapped for."""
    away = SampleRelabelled(
        sample_id=SAMPLE, true_sample_id="S2", read_set_ids=("A",), request_id="r1", role="lead",
        reason="tubes were swapped",
    )  # fmt: skip
    given(*WHOLE).when(away).then_nothing()
    comes = (registered("B"), *both("B"))
    given(*WHOLE, away, *comes[:-1]).when(comes[-1]).then().then_effects(asks(2, "B"))
    given(*WHOLE, away, *comes).when(facts.invalidated()).then_nothing()


def test_nothing_is_asked_while_something_is_missing() -> None:
    for missing in WHOLE:
        *rest, last = (one for one in WHOLE if one is not missing)
        given(*rest).when(last).then_nothing()


def test_a_question_is_asked_once() -> None:
    for again in WHOLE:
        given(*map(heard, WHOLE)).when(heard(again)).then_nothing()


def test_every_read_set_that_demultiplexing_counted_is_waited_for() -> None:
    first, second = (
        registered(name, of_sample=2, instrument_run_id=None, demultiplex_attempt=1)
        for name in "AB"
    )
    given(first, *both("A")).when(joined()).then_nothing()
    given(first, *both("A"), joined()).when(second).then_nothing()
    files = (*both("A"), validated("B", "R1"))
    given(first, second, *files, joined()).when(validated("B", "R2")).then_effects(
        asks(1, "A", "B")
    )


def test_files_of_one_role_are_told_apart_by_their_lane() -> None:
    lanes = tuple(ExpectedFile(role="R1", lane=lane) for lane in (1, 2))
    of_two = registered(expected_files=lanes)
    first, second = (validated(role="R1", version=f"{lane}", lane=lane) for lane in (1, 2))
    given(of_two, joined()).when(first).then_nothing()
    given(of_two, joined(), first).when(second).then_effects(asks(1, "A", files=(first, second)))


def test_a_run_is_judged_before_its_samples() -> None:
    of_run = registered(instrument_run_id=facts.RUN)
    given(of_run, *both(), joined()).when(facts.run_passed()).then_effects(asks(1, "A"))
    given(facts.run_passed(), *both(), joined()).when(of_run).then_effects(asks(1, "A"))


def run_failure(number: int) -> QcFailed:
    return QcFailed(
        sample_id=SAMPLE, round=number, reason_code="run failed",
        reason="the sequencing run RUN1 failed its QC, so its reads are not judged. Sequence the "
        "sample again, or let it go on: genoflow qc override S1",
        profile="runs", profile_version="1", read_set_ids=("A",), measured=(facts.UNDETERMINED,),
        instrument_run_id=facts.RUN,
    )  # fmt: skip


def test_a_run_that_failed_fails_its_samples_until_a_person_lets_them_go_on() -> None:
    of_run = registered(instrument_run_id=facts.RUN)
    given(of_run).when(facts.run_failed()).then(run_failure(1)).then_effects()
    given(facts.run_failed()).when(of_run).then(run_failure(1))
    held = (of_run, facts.run_failed(), joined(), *both())
    given(*held).when(facts.overridden(1)).then().then_effects(asks(2, "A"))
    given(*held).when(facts.overridden(7)).then_nothing()
    given(*held).when(facts.run_passed(number=2)).then().then_effects(asks(2, "A"))
    given(*held, facts.run_passed(number=2)).when(facts.run_failed(number=3)).then(run_failure(3))
    given(*held, facts.run_passed(number=2)).when(facts.run_passed(number=1)).then_nothing()
    given(*held, facts.run_passed(number=3)).when(facts.run_failed(number=2)).then_nothing()


def test_a_rejected_file_opens_the_wait_again() -> None:
    gone = (registered(), validated(role="R1"), facts.rejected(), validated(role="R2"))
    given(*gone).when(joined()).then_nothing()
    sent_again = validated(role="R1", version="2")
    given(*gone, joined()).when(sent_again).then_effects(
        asks(1, "A", files=(sent_again, validated(role="R2")))
    )
    asked = (*WHOLE, facts.rejected())
    given(*asked).when(sent_again).then_effects(
        asks(2, "A", files=(sent_again, validated(role="R2")))
    )


def test_the_rejection_of_another_version_takes_nothing_away() -> None:
    before = (registered(), *both(), facts.rejected(version="2"))
    given(*before).when(joined()).then_effects(asks(1, "A"))


def test_the_union_is_asked_about_anew_after_a_top_up() -> None:
    more = registered("B")
    given(*WHOLE).when(more).then_nothing()
    given(*WHOLE, more, validated("B", "R1")).when(validated("B", "R2")).then_effects(
        asks(2, "A", "B")
    )


def test_a_read_set_that_counts_no_more_is_left_out() -> None:
    before = (*WHOLE, registered("B"), *both("B"))
    given(*before).when(facts.invalidated("B")).then_effects(asks(3, "A"))
    given(*before, facts.invalidated("B")).when(registered("B")).then_nothing()
    given(*WHOLE).when(facts.invalidated("A")).then_nothing()


def test_an_order_that_asks_for_something_else_is_another_round() -> None:
    exome = Wish(assay="exome", reference="GRCh38", target_set="exome", qc_profile=None)
    given(*WHOLE).when(joined("C2")).then_nothing()
    other = joined("C2", assay="exome", target_set="exome")
    given(*WHOLE).when(other).then_effects(asks(2, "A", wish=exome))
    given(registered(), joined(), other, validated()).when(validated(role="R2")).then_effects(
        asks(1, "A"), asks(2, "A", wish=exome)
    )


def test_nothing_is_asked_for_a_case_that_the_sample_left() -> None:
    two = (joined("C1"), joined("C2"))
    gone = (facts.left("C1"), facts.left("C2"))
    given(*two, *gone, registered(), both()[0]).when(both()[1]).then_nothing()
    given(*two, facts.left("C1"), registered(), both()[0]).when(both()[1]).then_effects(
        asks(1, "A", files=both())
    )


def test_mates_that_differ_fail_once_and_are_not_asked_about() -> None:
    stranger = validated(role="R2", read_names_sha256=facts.sha("others"))
    shorter = validated(role="R2", reads=99)
    of_no_lane = validated(role="R2", reads=99, lane=None)
    for second, metrics in (
        (stranger, {"names_of_mate"}),
        (shorter, {"reads_of_mate"}),
        (of_no_lane, {"reads_of_mate"}),
    ):
        before = given(registered(), joined(), validated())
        then = before.when(second)
        [said] = then._said  # the measured values are looked at one by one
        assert isinstance(said, QcFailed)
        assert (said.round, said.reason_code) == (1, "mates differ")
        assert {one.metric for one in said.measured if one.verdict == "fail"} == metrics
        then.then_effects()
        given(registered(), validated(), second).when(joined()).then_nothing()
    mended = validated(role="R2", version="2")
    given(registered(), joined(), validated(), stranger).when(mended).then().then_effects(
        asks(2, "A", files=(validated(), mended))
    )


def test_the_round_of_a_sample_without_reads_is_taken() -> None:
    nothing = failed(1, reason_code="no reads")
    given(nothing, registered(), joined(), validated()).when(validated(role="R2")).then_effects(
        asks(2, "A")
    )


# -- check-qc: the effect


def attempt(*documents: Event) -> Attempt:
    """A try with these documents published."""
    ports = Ports(FakeClock(), catalog=FakeCatalog(*documents))
    return Attempt(UUID(int=1), 1, ports, lambda *_: None)


async def test_the_request_holds_the_profile_with_its_content() -> None:
    choose = asks(1, "A").arguments
    published = (facts.profile("1"), facts.profile("2"), facts.reference())
    said = await choose_profile(choose, attempt(*published))  # type: ignore[arg-type]
    assert list(said) == [requested(profile_version="2")]
    wish = Wish(assay="odd", reference="GRCh38", target_set="exome", qc_profile="wgs-30x")
    some = asks(1, "A", wish=wish).arguments
    said = await choose_profile(some, attempt(*published, facts.target_set()))  # type: ignore[arg-type]
    regions: dict[str, Any] = {
        "target_set": "exome", "target_set_version": "1", "target_bases": 100,
        "target_set_uri": "s3://references/t.bed", "target_set_sha256": "0" * 64,
    }  # fmt: skip
    assert list(said) == [requested(profile_version="2", assay="odd", **regions)]


async def test_the_request_names_the_files_that_break_a_must() -> None:
    bad = validated(role="R2", violations=3)
    named = facts.violations(bad)
    effect = asks(1, "A", files=[validated(), bad], violating=(named,))
    given(registered(), validated(), joined()).when(bad).then_effects(effect)
    strict = attempt(facts.profile(validation="strict"), facts.reference())
    [said] = await choose_profile(effect.arguments, strict)  # type: ignore[arg-type]
    assert said == requested(validation="strict", violating=(named,))
    other = attempt(facts.profile(), facts.reference())
    [said] = await choose_profile(effect.arguments, other)  # type: ignore[arg-type]
    assert said == requested(violating=(named,))


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"assay": "rna"}, "no QC profile is published for its assay 'rna'"),
        ({"qc_profile": "mine"}, "names the QC profile 'mine', and it is not published"),
        ({"reference": "GRCh99"}, "names the reference 'GRCh99', and none of that name"),
        ({"target_set": "panel"}, "names the target set 'panel', and none of that name"),
        ({"target_set": "old"}, "the regions of 'old' are those of GRCh37, and the order asks for"),
        ({"qc_profile": "lax"}, "requires nothing of reads"),
    ],
)
async def test_what_is_not_published_is_said_with_the_way_on(
    wish: dict[str, str], reason: str
) -> None:
    choose = asks(1, "A", wish=WGS.model_copy(update=wish)).arguments
    lax = facts.profile(document_id="lax", assays=("none",), reads_thresholds=())
    published = (facts.profile(), lax, facts.reference(), facts.target_set("old", "GRCh37"))
    with pytest.raises(Parked) as caught:
        await choose_profile(choose, attempt(*published))  # type: ignore[arg-type]
    assert str(caught.value).startswith("sample S1: ")
    assert reason in str(caught.value)
    assert "genoflow parked requeue" in str(caught.value)


# -- check-run-qc and tell-samples


async def run_verdict(completed: Event, *documents: Event) -> Event:
    """What is said of a run."""
    partition = Partition(CHECK_RUN_QC)
    partition.put(heard(completed))
    partition.work()
    [effect] = partition.open_effects
    [said] = await choose_run_profile(Judge(**effect.arguments), attempt(*documents))
    return partition.finish(effect.effect_id, said)[0]


async def test_a_run_is_judged_by_defaults_where_no_profile_is_published() -> None:
    good = await run_verdict(facts.demultiplexed())
    assert isinstance(good, SequencingRunQcPassed)
    assert (good.profile, good.round, good.key) == ("sequencing-run-defaults", 1, facts.RUN)
    values = {one.metric: (one.value, one.verdict) for one in good.measured}
    assert values["undetermined_fraction"] == (0.1, "pass")
    assert values["samples_without_reads"] == (1.0, "not judged")
    assert values["q30_fraction"] == (0.9, "not judged")
    bad = await run_verdict(facts.demultiplexed(undetermined_fraction=0.6, i5_looks_reversed=True))
    assert isinstance(bad, SequencingRunQcFailed)
    assert "undetermined_fraction is 0.6 fraction and has to be at most 0.5" in bad.reason
    assert "i5 is turned around" in bad.reason
    empty = await run_verdict(facts.demultiplexed(reads_total=0))
    assert isinstance(empty, SequencingRunQcFailed)


async def test_a_run_is_judged_by_the_profile_of_runs() -> None:
    strict = facts.profile(
        "3", document_id="ours", assays=("sequencing-run",),
        run_thresholds=(
            Threshold(metric="undetermined_fraction", unit="fraction", required_max=0.05),
        ),
    )  # fmt: skip
    said = await run_verdict(facts.demultiplexed(), facts.profile(), strict)
    assert isinstance(said, SequencingRunQcFailed)
    assert (said.profile, said.profile_version) == ("ours", "3")


def test_each_demultiplexing_is_a_round_of_its_own() -> None:
    first, second = heard(facts.demultiplexed()), heard(facts.demultiplexed(2))
    begin = Spec(CHECK_RUN_QC).given
    begin(first).when(first).then_nothing()
    then = begin(first).when(second)
    assert [effect.arguments["round"] for effect in then._opened] == [2]
    then = begin(first, second).when(heard(facts.demultiplexed(3)))
    assert [effect.arguments["round"] for effect in then._opened] == [3]


async def test_every_sample_of_a_run_is_told_once() -> None:
    bad = heard(facts.run_failed(None))
    partition = Partition(TELL_SAMPLES)
    partition.put(heard(facts.demultiplexed()), bad, bad)
    partition.work()
    [effect] = partition.open_effects
    said = await tell(Tell(**effect.arguments), attempt())
    assert [event.key for event in said] == [SAMPLE, "S2"]
    assert {event.topic for event in said} == {topics.SAMPLE.name}
    assert said[0] == facts.run_failed(SAMPLE)
    good = heard(facts.run_passed(None, 2))
    partition.put(good)
    partition.work()
    said = await tell(Tell(**partition.open_effects[1].arguments), attempt())
    assert said[1] == facts.run_passed("S2", 2)


def test_the_samples_of_a_full_flow_cell_are_told_in_parts() -> None:
    [library, _] = facts.demultiplexed().libraries
    many = tuple(
        library.model_copy(update={"sample_id": f"S{n}"}) for n in range(2 * SAMPLES_AT_ONCE + 1)
    )
    then = (
        Spec(TELL_SAMPLES).given(facts.demultiplexed(libraries=many)).when(facts.run_passed(None))
    )
    assert [len(one.arguments["sample_ids"]) for one in then._opened] == [200, 200, 1]

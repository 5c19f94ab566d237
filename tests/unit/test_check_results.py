"""Results told as stories: what agrees is published, what contradicts itself is held."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from genoflow.events.event import Event
from genoflow.events.log.changelog import STATE_BYTES_MAX
from genoflow.events.measured import Measured
from genoflow.events.ready_member import ReadyMember
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.threshold import Threshold
from genoflow.events.types import ROWS_MAX
from genoflow.processors.check_results import CHECK_RESULTS
from genoflow.processors.publish_results import PUBLISH_RESULTS
from genoflow.processors.result_checks import Declared, Wanted, check
from tests.run_facts import (
    CASE,
    EARLIER_ID,
    RUN_ID,
    cancelled,
    collected,
    member,
    published,
    requested,
    result,
    superseded,
)
from tests.spec import Spec

given_check, given_publish = Spec(CHECK_RESULTS).given, Spec(PUBLISH_RESULTS).given
COVERAGE = Threshold(metric="mean_coverage", unit="x", required_min=20.0, warn_min=25.0)
CLEAN = Threshold(metric="contamination", unit="fraction", required_max=0.03)
TI_TV = Threshold(metric="ti_tv", unit="ratio", required_min=1.0, required_max=3.5)
CONCORDANT = Threshold(metric="concordance", unit="fraction", required_min=0.9)
SAID: dict[str, Any] = {
    "run_id": RUN_ID, "case_id": CASE, "profile": "wgs-30x", "profile_version": "1",
}  # fmt: skip
RELEASE = f"`genoflow results release {RUN_ID}`"


def value(metric: str, amount: float, on: str | None = "S1", **words: Any) -> Measured:
    """A value as a pipeline reports it."""
    units = {"mean_coverage": "x", "sex": "ratio", "ti_tv": "ratio"}
    known = {"unit": units.get(metric, "fraction"), "verdict": "not judged", "measured_on": on}
    return Measured(metric=metric, value=amount, **known | words)


def someone(sample_id: str, role: str = "single", **declared: Any) -> ReadyMember:
    """A member with what is declared of it."""
    return member(sample_id, role).model_copy(update=declared)


PAIR = (someone("T", "tumour"), someone("N", "normal"))
TRIO = (
    someone("C", "proband", subject_ref="P1"),
    someone("M", "mother", subject_ref="P2", declared_sex="female"),
    someone("F", "father", subject_ref="P3", declared_sex="male"),
)


def judged(
    *values: Measured, members: tuple[ReadyMember, ...] = (), thresholds: Any = ()
) -> list[tuple[str, str | None, str, str | None]]:
    """Metric, on what, verdict and reason of each check."""
    wanted = Wanted(
        members=tuple(
            Declared(
                sample_id=one.sample_id, role=one.role, subject_ref=one.subject_ref,
                sex=one.declared_sex,
            )
            for one in members or (someone("S1"),)
        ),
        thresholds=thresholds,
    )  # fmt: skip
    return [
        (one.measured.metric, one.measured.measured_on, one.measured.verdict, one.reason)
        for one in check(wanted, values, RUN_ID)
    ]


# -- check-results


def test_results_that_keep_every_limit_are_checked() -> None:
    given_check(requested(thresholds=(COVERAGE, CLEAN, TI_TV))).when(
        collected(
            value("mean_coverage", 24.0), value("contamination", 0.01), value("ti_tv", 2.0, None)
        )
    ).then(
        ResultsChecked(
            **SAID,
            measured=(
                value("mean_coverage", 24.0, required_min=20.0, verdict="warn"),
                value("contamination", 0.01, required_max=0.03, verdict="pass"),
                value("ti_tv", 2.0, None, required_min=1.0, required_max=3.5, verdict="pass"),
            ),
        )
    )


def test_what_does_not_keep_a_limit_is_held_and_stands_first() -> None:
    given_check(requested(thresholds=(COVERAGE, CLEAN))).when(
        collected(value("mean_coverage", 30.0), value("contamination", 0.08))
    ).then(
        ResultsHeld(
            **SAID,
            measured=(
                value("contamination", 0.08, required_max=0.03, verdict="fail"),
                value("mean_coverage", 30.0, required_min=20.0, verdict="pass"),
            ),
            reasons=(
                "contamination of S1 is 0.08 fraction and has to be at most 0.03 fraction. Reads "
                "of another subject are among them. Mend it and have the case run again; or look, "
                f"then {RELEASE}",
            ),
        )
    )


def test_a_profile_that_requires_nothing_lets_everything_through() -> None:
    told = value("q30", 0.9, unit="fraction")
    given_check(requested()).when(collected(told)).then(ResultsChecked(**SAID, measured=(told,)))
    files = Measured(metric="files", value=1, unit="files", verdict="not judged")
    given_check(requested()).when(collected()).then(ResultsChecked(**SAID, measured=(files,)))


def test_a_run_has_one_verdict_and_one_that_is_not_wanted_has_none() -> None:
    for story in ((collected(),), (cancelled(),), (superseded(),)):
        given_check(requested(), *story).when(collected(attempt=2)).then_nothing()
    given_check().when(collected()).then_nothing()


def test_many_reasons_are_counted() -> None:
    members = tuple(someone(f"S{number}") for number in range(100))
    asked = requested(members=members, thresholds=(COVERAGE, CLEAN))
    given_check(asked).when(collected()).then(
        ResultsHeld(
            **SAID,
            measured=tuple(
                value(one.metric, 0.0, name.sample_id, required_min=one.required_min,
                      required_max=one.required_max)
                for one in (COVERAGE, CLEAN)
                for name in members
            ),
            reasons=(
                *(
                    f"mean_coverage of S{number} could not be measured and has to be at least 20 "
                    f"x. Have the case run again; or look, then {RELEASE}"
                    for number in range(99)
                ),
                f"101 more; `genoflow run show {RUN_ID}` lists every check",
            ),
        )
    )  # fmt: skip


# -- what was measured on what


def test_what_is_required_is_owed_of_every_member() -> None:
    found = judged(value("mean_coverage", 30.0, "T"), members=PAIR, thresholds=(COVERAGE,))
    assert [(whom, verdict) for _, whom, verdict, _ in found] == [
        ("T", "pass"), ("N", "not judged"),
    ]  # fmt: skip
    assert "mean_coverage of N could not be measured" in str(found[1][3])
    own = Threshold(metric="insert_size", unit="bases", required_min=100)
    found = judged(value("insert_size", 300, "T", unit="bases"), members=PAIR, thresholds=(own,))
    assert [whom for _, whom, _, _ in found] == ["T", "N"]
    [(_, whom, _, reason)] = judged(members=PAIR, thresholds=(TI_TV,))
    assert (whom, str(reason)[:28]) == (None, "ti_tv could not be measured ")


def test_a_warning_alone_asks_for_nothing() -> None:
    warned = Threshold(metric="ti_tv", unit="ratio", warn_min=1.0)
    assert judged(thresholds=(warned,)) == [("ti_tv", None, "not judged", None)]
    told = value("ti_tv", 0.5, None)
    assert judged(told, thresholds=(warned,)) == [("ti_tv", None, "warn", None)]


def test_a_value_in_another_unit_is_not_taken() -> None:
    told = value("contamination", 1.0, unit="percent")
    [(_, _, verdict, reason)] = judged(told, thresholds=(CLEAN,))
    assert verdict == "not judged"
    assert "is told in percent, and the profile requires it in fraction" in str(reason)


def test_every_value_is_judged_where_one_is_told_twice() -> None:
    found = judged(value("contamination", 0.01), value("contamination", 0.2), thresholds=(CLEAN,))
    assert [verdict for _, _, verdict, _ in found] == ["pass", "fail"]


def test_concordance_is_owed_of_the_samples_of_one_subject() -> None:
    assert judged(thresholds=(CONCORDANT,)) == []
    assert judged(members=TRIO, thresholds=(CONCORDANT,)) == []
    [(_, whom, _, reason)] = judged(members=PAIR, thresholds=(CONCORDANT,))
    assert (whom, "concordance of T/N could not" in str(reason)) == ("T/N", True)
    for name in ("T/N", "N/T"):
        told = value("concordance", 0.95, name)
        assert judged(told, members=PAIR, thresholds=(CONCORDANT,)) == [
            ("concordance", name, "pass", None)
        ]
    [(_, _, verdict, reason)] = judged(
        value("concordance", 0.5, "T/N"), members=PAIR, thresholds=(CONCORDANT,)
    )
    assert (verdict, "Samples may be swapped" in str(reason)) == ("fail", True)
    strangers = value("concordance", 0.5, "M/F")
    assert judged(strangers, members=TRIO, thresholds=(CONCORDANT,)) == [
        ("concordance", "M/F", "not judged", None)
    ]


# -- what was declared


@pytest.mark.parametrize(
    ("declared", "found", "verdict", "holds"),
    [
        ("female", "female", "pass", False),
        ("female", "male", "fail", True),
        ("male", "female", "fail", True),
        ("female", "unknown", "not judged", False),
        ("female", None, "not judged", False),
        ("unknown", "male", "not judged", False),
    ],
)
def test_sex_is_compared_with_what_was_declared(
    declared: str, found: str | None, verdict: str, holds: bool
) -> None:
    members = (someone("S1", declared_sex=declared),)
    [(_, _, said, reason)] = judged(value("sex", 0.52, found=found), members=members)
    assert (said, bool(reason)) == (verdict, holds)
    if holds:
        assert reason == (
            f"sex of S1 is declared {declared} and found {found} (chrX at 0.52 of the autosomes): "
            f"samples may be swapped, or the order is wrong; look, then {RELEASE} or `genoflow "
            f"sample relabel`"
        )


def test_a_sex_that_a_profile_requires_has_to_be_told() -> None:
    members = (someone("S1", declared_sex="female"),)
    needed = Threshold(metric="sex", unit="ratio", required_min=0.0)
    unclear = value("sex", 0.7, found="unknown")
    [(_, _, verdict, reason)] = judged(unclear, members=members, thresholds=(needed,))
    assert (verdict, "could not be told from the reads" in str(reason)) == ("not judged", True)
    warned = Threshold(metric="sex", unit="ratio", warn_min=0.0)
    [(_, _, verdict, reason)] = judged(unclear, members=members, thresholds=(warned,))
    assert (verdict, reason) == ("not judged", None)
    [(_, _, verdict, reason)] = judged(members=members, thresholds=(needed,))
    assert (verdict, "sex of S1 could not be measured" in str(reason)) == ("not judged", True)


@pytest.mark.parametrize(
    ("members", "pair", "expected"),
    [
        (PAIR, "T/N", "same"),
        (TRIO, "C/M", "parent-child"),
        (TRIO, "F/C", "parent-child"),
        (TRIO, "M/F", "unrelated"),
    ],
)
def test_who_is_related_is_compared_with_what_was_declared(
    members: tuple[ReadyMember, ...], pair: str, expected: str
) -> None:
    for found in ("same", "parent-child", "unrelated", "unknown"):
        [(_, _, verdict, reason)] = judged(
            value("relatedness", 0.61, pair, found=found), members=members
        )
        agrees = found == expected
        word = "not judged" if found == "unknown" else "pass" if agrees else "fail"
        assert (verdict, reason is None) == (word, agrees or found == "unknown"), found
    [(_, _, _, reason)] = judged(value("relatedness", 0.61, "T/N", found="unrelated"), members=PAIR)
    assert reason == (
        "T and N are declared samples of one subject and found unrelated (0.61 of the informative "
        f"sites agree): samples may be swapped, or the order is wrong; look, then {RELEASE} or "
        "`genoflow sample relabel`"
    )


def test_of_whom_nothing_is_declared_nothing_is_judged() -> None:
    siblings = (TRIO[0], someone("B", "sibling", subject_ref="P9"))
    told = value("relatedness", 0.8, "C/B", found="same")
    assert judged(told, members=siblings) == [("relatedness", "C/B", "not judged", None)]
    foreign = value("sex", 0.5, "S9", found="male")
    assert judged(foreign, members=(someone("S1", declared_sex="female"),)) == [
        ("sex", "S9", "not judged", None)
    ]


def test_an_event_says_what_was_declared_and_what_was_found() -> None:
    members = (someone("S1", declared_sex="female"),)
    held = given_check(requested(members=members)).when(collected(value("sex", 0.52, found="male")))
    told = value("sex", 0.52, found="male", declared="female", verdict="fail")
    [(_, _, _, reason)] = judged(value("sex", 0.52, found="male"), members=members)
    held.then(ResultsHeld(**SAID, measured=(told,), reasons=(str(reason),)))


# -- publish-results


def checked() -> ResultsChecked:
    """Everything passed."""
    return ResultsChecked(**SAID, measured=(value("ti_tv", 2.0, None, verdict="pass"),))


def test_what_is_checked_is_published_once() -> None:
    given_publish(requested(), collected()).when(checked()).then(published())
    given_publish(requested(), collected(), checked()).when(checked()).then_nothing()
    again = requested(supersedes_run_id=EARLIER_ID)
    given_publish(again, collected()).when(checked()).then(published(supersedes_run_id=EARLIER_ID))


def test_of_two_submissions_the_first_that_was_collected_is_published() -> None:
    later = collected(attempt=2, manifest_sha256="9" * 64)
    given_publish(requested(), collected(), later).when(checked()).then(published())


@pytest.mark.parametrize("event", [cancelled(), superseded()], ids=lambda event: event.type())
def test_what_is_not_wanted_any_more_is_not_published(event: Event) -> None:
    given_publish(requested(), collected(), event).when(checked()).then_nothing()
    given_publish(collected()).when(checked()).then_nothing()
    given_publish(requested()).when(checked()).then_nothing()


def test_as_many_files_as_an_event_takes_fit_into_the_state() -> None:
    many = tuple(
        result(
            "vcf",
            f"SAMPLE-{number}",
            hashlib.sha256(bytes([number % 256, number // 256])).hexdigest(),
        )
        for number in range(ROWS_MAX)
    )
    story = (requested(), collected(files=many))
    state = PUBLISH_RESULTS.state()
    for event in story:
        state = PUBLISH_RESULTS.evolve(state, event)
    kept = state.model_dump_json()
    assert len(kept) < STATE_BYTES_MAX / 2
    assert PUBLISH_RESULTS.state.model_validate_json(kept) == state
    said = PUBLISH_RESULTS.decide(state, checked()).events
    assert said == (published(files=many),)


def test_a_verdict_that_is_not_this_rows_own_is_left_alone() -> None:
    assert ResultsHeld not in PUBLISH_RESULTS.on
    assert ResultsCollected not in PUBLISH_RESULTS.on

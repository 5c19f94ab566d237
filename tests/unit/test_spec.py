"""The words in which deciders are tested: they fail where they should, and say both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.sample_registered import SampleRegistered
from genoflow.processors.decision import Decision, Effect
from genoflow.processors.watch_silence import WATCH_SILENCE, Heard
from tests.spec import Spec, heard
from tests.unit.test_deciders import DAY, REGISTERED, given, landed, waits


def test_a_fact_that_is_missing_is_shown_beside_what_was_found() -> None:
    with pytest.raises(AssertionError, match=r'(?s)are others than expected.*-.*"DeadlineSet"'):
        given(REGISTERED).when(landed(1)).then(waits(DAY))
    with pytest.raises(AssertionError, match=r'(?s)are others than expected.*\+.*"DeadlineSet"'):
        given().when(REGISTERED).then_nothing()


def test_a_field_that_differs_is_the_only_line_that_does() -> None:
    other = DeadlineSet(**{**dict(waits(DAY)), "purpose": "another"})
    with pytest.raises(AssertionError) as caught:
        given().when(REGISTERED).then(other)
    changed = [line for line in str(caught.value).splitlines() if line[:1] in "+-"]
    assert [line.split(":")[0].strip() for line in changed if '"' in line] == [
        '-    "purpose"', '+    "purpose"',
    ]  # fmt: skip


def test_ids_are_compared_where_they_are_asked_for() -> None:
    with pytest.raises(AssertionError, match='"id"'):
        given().when(REGISTERED).then(heard(waits(DAY)))


def test_what_could_not_be_taken_is_no_silence() -> None:
    def refuses(_state: Heard, event: SampleRegistered) -> Decision:
        raise ValueError(f"{event.key} is refused")

    spec = Spec(replace(WATCH_SILENCE, decide=refuses))
    spec.given().when(REGISTERED).then_parked("ValueError: S1 is refused")
    with pytest.raises(AssertionError, match=r"S1 was parked\n.*S1 is refused"):
        spec.given().when(REGISTERED).then_nothing()
    with pytest.raises(AssertionError, match="what was given could not be taken"):
        spec.given(REGISTERED)
    with pytest.raises(AssertionError, match="not parked for 'anything'"):
        given().when(REGISTERED).then_parked("anything")


def test_effects_and_states_are_compared_too() -> None:
    with pytest.raises(AssertionError, match="the effects that were opened are others"):
        given().when(REGISTERED).then_effects(Effect("mail", REGISTERED))  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="what is known are others"):
        given().when(REGISTERED).then_state(None)
    with pytest.raises(AssertionError, match="no effect is open"):
        given().when(REGISTERED).performed()

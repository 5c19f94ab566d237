"""What records and outcomes do to a task: facts, states, effects, parked keys, rebuilds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from genoflow.events.errors import UnknownSchema
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.recorded import Raw
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect, effect_id
from genoflow.processors.ledger import TASK, read_ledger
from genoflow.processors.processor import State
from genoflow.processors.step import Outcome
from tests.partition import CODEC, MOMENT, Partition
from tests.toy import (
    NOBODY,
    TOY,
    Files,
    FilesAnew,
    discarded,
    landed,
    parked_by,
    requeued,
    sent,
    told,
    topped,
    worked,
)

# -- records


def test_a_decision_sees_the_state_before_the_event() -> None:
    partition = worked(landed("a"), landed("b"), landed("x", sample="S2"))
    assert told(partition) == [("a", 1), ("b", 2), ("x", 1)]
    assert partition.state("S1") == Files(names=("a", "b"))


def test_the_next_task_goes_on_from_the_changelog_alone() -> None:
    partition = worked(landed("a"))
    partition.restart()
    partition.put(landed("b"))
    partition.work()
    assert told(partition) == [("a", 1), ("b", 2)]


def test_a_hop_stands_on_its_own_topic_and_names_its_cause() -> None:
    cause = landed("a", "hop")
    partition = worked(cause)
    [fact, hop] = partition.said
    assert (hop.topic, hop.key, hop.envelope.causation_id) == (
        "gf.notification.v1", "all", cause.envelope.event_id,
    )  # fmt: skip
    assert hop.envelope.correlation_id == fact.envelope.correlation_id
    assert hop.envelope.producer.service == "toy"


def test_a_state_that_is_forgotten_leaves_nothing() -> None:
    partition = worked(landed("a"), landed("b", "forget"))
    assert partition.states() == {}
    partition.put(landed("c"))
    partition.work()
    assert told(partition)[-1] == ("c", 1)


def test_a_state_that_stays_the_same_is_not_written_again() -> None:
    partition = worked(landed("a"))
    partition.put(landed("a"))
    partition.work()
    changed = [set(step.changes) - {TASK} for step in partition.steps]
    assert changed == [{b"state/S1"}, set(), set()]  # the second one is its own answer, read back


def test_events_of_no_concern_only_move_the_position() -> None:
    partition = worked(topped(1, landed("a")).enveloped(landed("a").envelope))
    assert partition.said == []
    assert partition.position == 1


def test_many_states_are_kept_as_bytes_and_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genoflow.processors.task.HOT_STATES_MAX", 2)
    samples = [f"S{number}" for number in range(5)]
    partition = worked(*(landed("a", sample=s) for s in samples))
    partition.put(*(landed("b", sample=s) for s in samples))
    partition.work()
    assert [number for _, number in told(partition)] == [1] * 5 + [2] * 5


# -- effects


def test_an_effect_is_named_after_its_cause_and_closed_by_its_outcome() -> None:
    cause = landed("a", "mail")
    partition = worked(cause)
    [effect] = partition.open_effects
    assert effect.effect_id == effect_id(cause.envelope.event_id, "toy", "mail")
    [fact] = partition.finish(effect.effect_id, sent(effect.effect_id))
    assert (fact.envelope.causation_id, fact.envelope.effect_id) == (
        cause.envelope.event_id, effect.effect_id,
    )  # fmt: skip
    assert partition.open_effects == []
    assert b"effect/" not in b" ".join(partition.changelog)


def test_an_open_effect_survives_its_owner_and_an_outcome_counts_once() -> None:
    partition = worked(landed("a", "mail"))
    partition.restart()
    [effect] = partition.open_effects
    assert len(partition.finish(effect.effect_id, sent(effect.effect_id))) == 1
    assert partition.finish(effect.effect_id, sent(effect.effect_id)) == []


def test_effects_of_one_event_are_told_apart_by_their_discriminator() -> None:
    partition = worked(landed("a", "two-mails"))
    assert len({effect.effect_id for effect in partition.open_effects}) == 2
    assert [effect.ordinal for effect in partition.open_effects] == [0, 1]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (topped(7, landed("a")), "answered with TopUpRequested, which FLOW does not list"),
        (landed("a"), "answered with FileLanded, which FLOW does not list"),
    ],
)
def test_an_outcome_that_the_row_does_not_list_parks_the_effect(answer: Event, reason: str) -> None:
    partition = worked(landed("a", "mail"))
    [effect] = partition.open_effects
    partition.finish(effect.effect_id, answer)
    [parked] = parked_by(partition)
    assert reason in parked.error
    assert "mend the decider" in parked.error
    assert parked.effect_id == effect.effect_id
    partition.put(requeued(parked))
    partition.work()
    assert [e.parked for e in partition.open_effects] == [None]
    assert told(partition) == [("a", 1)]  # its event is not decided twice


@pytest.mark.parametrize("answer", [42, {"type": "NotificationSent"}, sent(NOBODY).model_copy(
    update={"attempt": "first"}
)], ids=["number", "dict", "forged"])  # fmt: skip
def test_an_outcome_that_is_no_event_parks_the_effect(answer: Any) -> None:
    partition = worked(landed("a", "mail"))
    [effect] = partition.open_effects
    partition.finish(effect.effect_id, answer)
    [parked] = parked_by(partition)
    assert parked.effect_id == effect.effect_id
    assert "Traceback" in parked.error_trace


def test_arguments_that_do_not_survive_the_changelog_park_the_key() -> None:
    class Key(Arguments):
        secret: bytes

    [mail] = TOY.effects
    row = replace(
        TOY,
        effects=(replace(mail, arguments=Key),),
        decide=lambda _state, _event: Decision(effects=(Effect("mail", Key(secret=b"\xff")),)),
    )
    partition = worked(landed("a"), row=row)
    assert "Key is not the same once it was written and read" in parked_by(partition)[0].error
    assert partition.open_effects == []


def test_whatever_a_state_holds_survives_the_changelog() -> None:
    class Everything(State):
        octets: bytes = b""
        money: Decimal = Decimal(0)
        at: datetime | None = None
        names: frozenset[str] = frozenset()

    kept = Everything(
        octets=b"\xff\x00", money=Decimal("1.10"), at=MOMENT, names=frozenset({"ä\n", "b"})
    )
    row = replace(TOY, state=Everything, decide=lambda _s, _e: NOTHING, evolve=lambda _s, _e: kept)
    partition = worked(landed("a"), row=row)
    partition.restart()
    assert partition.state("S1") == kept


def test_a_parked_effect_waits_is_opened_again_once_per_request_and_can_be_given_up() -> None:
    partition = worked(landed("a", "mail"))
    [effect] = partition.open_effects
    fails = Outcome(effect.effect_id, parked="no such address", error_class="Parked")
    partition.hand_in(fails)
    [first] = parked_by(partition)
    partition.restart()
    assert [e.parked for e in partition.open_effects] == ["no such address"]
    assert partition.finish(effect.effect_id, sent(effect.effect_id)) == []
    partition.put(requeued(first))
    partition.work()
    partition.hand_in(fails)
    [_, second] = parked_by(partition)
    assert second.envelope.event_id != first.envelope.event_id
    partition.put(requeued(first))  # the same request again
    partition.work()
    assert [e.parked for e in partition.open_effects] == ["no such address"]
    partition.put(discarded(second, "r2"))
    partition.work()
    assert partition.open_effects == []
    assert partition.said[-1] is second or partition.said[-1] == second


# -- what a decider may not do


@pytest.mark.parametrize(
    ("etag", "error_class", "reason"),
    [
        ("poison", "ValueError", "ValueError: b is poison"),
        ("stranger", "InvalidEvent", "answered with FileLanded, which FLOW does not list"),
        ("elsewhere", "InvalidEvent", "about 'S2' on the topic and in the order of 'S1'"),
        ("unknown-effect", "InvalidEvent", "opened the effect 'telephone' with AboutFile"),
        ("wrong-arguments", "InvalidEvent", "opened the effect 'mail' with Arguments"),
        ("many", "InvalidEvent", "decided 1,001 events at once and the limit is 1,000"),
    ],
)
def test_what_a_decider_may_not_do_parks_the_key(etag: str, error_class: str, reason: str) -> None:
    partition = worked(landed("a"), landed("b", etag), landed("c"), landed("x", sample="S2"))
    [parked] = parked_by(partition)
    assert parked.error.startswith("gf.sample.v1[0]@1: ")
    assert reason in parked.error
    assert (parked.error_class, parked.offset, parked.subject_key) == (error_class, 1, "S1")
    assert "Traceback" in parked.error_trace
    assert parked.value == partition.records[1].value
    assert told(partition) == [("a", 1), ("x", 1)]  # the key waits, others go on
    assert partition.state("S1") == Files(names=("a",))  # nothing of it was half done
    mended = replace(TOY, decide=lambda s, e: Decision(events=(topped(len(s.names) + 1, e),)))
    partition.restart(mended)
    partition.put(requeued(parked))
    partition.work()
    assert told(partition) == [("a", 1), ("x", 1), ("b", 2), ("c", 3)]
    assert partition.task.parked == {}


def test_an_evolve_that_raises_parks_and_nothing_of_the_decision_is_said() -> None:
    def refuses(state: Files, event: FileLanded) -> Files:
        raise RuntimeError("out of order")

    partition = worked(landed("a", "mail"), row=replace(TOY, evolve=refuses))
    assert [event.type() for event in partition.said] == ["EventParked"]
    assert partition.open_effects == []


@pytest.mark.parametrize("after", [{"names": ["a"]}, Files, FilesAnew()])
def test_a_state_of_another_type_parks(after: object) -> None:
    partition = worked(landed("a"), row=replace(TOY, evolve=lambda _state, _event: after))
    [parked] = parked_by(partition)
    assert "and its state is Files, or None to forget; mend evolve()" in parked.error
    assert partition.states() == {}


def test_a_decision_that_is_none_parks() -> None:
    answers_nothing: Any = lambda _state, _event: None  # noqa: E731
    partition = worked(landed("a"), row=replace(TOY, decide=answers_nothing))
    assert "AttributeError" in parked_by(partition)[0].error


def test_an_unknown_schema_stops_and_takes_nothing() -> None:
    partition = worked(landed("a"))
    value = b"\x00\x00\x0f\x42\x3f" + b"x"
    partition.put_raw(Raw(b"S1", value, [("ce_type", b"genoflow.FileLanded")], 0))
    with pytest.raises(UnknownSchema, match=r"gf\.sample\.v1\[0\]@\d: .*"):
        partition.work()
    assert parked_by(partition) == []


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (Raw(b"S1", b"no event at all", [], 0), "not in Confluent's wire format"),
        (Raw(b"S1", None, [], 0), "not in Confluent's wire format"),
        (
            Raw(b"S9", *CODEC.encode(landed("q")), 0),
            "FileLanded is about 'S1' and stands under the key 'S9'",
        ),
    ],
)
def test_bytes_that_are_no_event_of_this_key_park_it(raw: Raw, reason: str) -> None:
    partition = Partition(TOY)
    partition.put_raw(raw)
    key = (raw.key or b"").decode()
    partition.put(landed("a", sample=key))
    partition.work()
    [parked] = parked_by(partition)
    assert reason in parked.error
    assert told(partition) == []
    partition.put(discarded(parked))
    partition.work()
    assert told(partition) == [("a", 1)]


def test_the_stamp_tells_what_was_taken_last_and_by_which_release() -> None:
    partition = worked(landed("a"))
    stamp = read_ledger("place", partition.changelog).stamp
    assert stamp is not None
    last = partition.records[-1]
    assert (stamp.last_offset, stamp.last_id) == (last.offset, last.event_id)
    assert (stamp.code_version, stamp.state_version, stamp.start) == ("1", 1, 0)

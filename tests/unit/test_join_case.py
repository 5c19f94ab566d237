"""join-case: an order is handed to each of its samples, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_left import CaseLeft
from genoflow.events.case_opened import CaseOpened
from genoflow.events.sample_registered import SampleRegistered
from genoflow.processors.join_case import JOIN_CASE, Opened
from tests.partition import MOMENT
from tests.spec import Spec, heard

given = Spec(JOIN_CASE).given
DUE = MOMENT + timedelta(days=7)


def opened(*samples: str) -> CaseOpened:
    roles = ("tumour", "normal")
    members = [
        {"sample_id": sample, "role": role, "subject_ref": "P4", "declared_sex": "female"}
        for sample, role in zip(samples, roles, strict=True)
    ]
    fact = CaseOpened(
        case_id="C4", kind="tumour-normal", members=members, assay="panel", reference="GRCh38",
        target_set="cancer-50", qc_profile="strict", project_id="PR1", priority="urgent",
        due_at=DUE, source="lims",
    )  # fmt: skip
    return heard(fact)


def registered(sample: str) -> SampleRegistered:
    return SampleRegistered(
        sample_id=sample, subject_ref="P4", project_id="PR1", declared_sex="female",
        registered_by="order",
    )  # fmt: skip


def joined(sample: str, role: str, **more: Any) -> CaseJoined:
    return CaseJoined(
        sample_id=sample, case_id="C4", case_kind="tumour-normal", role=role, subject_ref="P4",
        declared_sex="female", assay="panel", material="FASTQ", reference="GRCh38",
        target_set="cancer-50", qc_profile="strict", project_id="PR1", priority="urgent",
        due_at=DUE, **more,
    )  # fmt: skip


def test_every_member_is_registered_and_joins() -> None:
    given().when(opened("D", "E")).then(
        registered("D"), joined("D", "tumour"), registered("E"), joined("E", "normal")
    ).then_effects().then_state(Opened(is_handed_on=True, members=("D", "E")))


def test_an_order_that_is_delivered_twice_is_handed_on_once() -> None:
    given(opened("D", "E")).when(opened("D", "E")).then_nothing()


def test_a_second_order_under_the_same_id_is_not_heard() -> None:
    given(opened("D", "E")).when(opened("D2", "E2")).then_nothing()


def test_a_sample_that_is_named_twice_joins_once() -> None:
    given().when(opened("D", "D")).then(registered("D"), joined("D", "normal"))


def closed(outcome: str = "cancelled") -> CaseClosed:
    return heard(CaseClosed(case_id="C4", outcome=outcome, reason="ordered twice"))


def left(sample: str) -> CaseLeft:
    return CaseLeft(sample_id=sample, case_id="C4", outcome="cancelled", reason="ordered twice")


def test_every_member_hears_once_that_its_case_was_cancelled() -> None:
    given(opened("D", "E")).when(closed()).then(left("D"), left("E"))
    given(opened("D", "E"), closed()).when(closed()).then_nothing()


def test_a_case_that_was_published_keeps_its_members() -> None:
    given(opened("D", "E")).when(closed("published")).then_nothing()


def test_a_case_that_nobody_opened_has_no_members() -> None:
    given().when(closed()).then_nothing()

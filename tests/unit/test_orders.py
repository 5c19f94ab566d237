"""Orders: what becomes a case, and that everything wrong is told at once, with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genoflow.deploy.settings import Settings
from genoflow.events.errors import Refused
from genoflow.processors.intake.order_files import read_documents
from genoflow.processors.intake.orders import OrderRefused, differences, read_order
from genoflow.processors.intake.privacy import PrivacyGuard

GUARD = PrivacyGuard(Settings().person_patterns)


def member(sample: str, role: str, subject: str = "P1", **more: Any) -> dict[str, Any]:
    return {"sample_id": sample, "role": role, "subject_ref": subject, **more}


def order(kind: str, *members: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "case_id": "C1", "kind": kind, "assay": "panel", "reference": "GRCh38",
        "members": list(members), **more,
    }  # fmt: skip


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


SINGLE = order("single", member("A", "single"))
PAIR = order("tumour-normal", member("D", "tumour"), member("E", "normal"))
TRIO = order(
    "trio", member("K", "proband", "P1", affected=True), member("M", "mother", "P2"),
    member("F", "father", "P3", declared_sex="male"), member("S", "sibling", "P4"),
)  # fmt: skip


def problems(document: object) -> dict[str, str]:
    with pytest.raises(OrderRefused) as refusal:
        read_order(document, GUARD, source="tests")
    found = {problem.place: problem.fact for problem in refusal.value.problems}
    assert str(refusal.value).count("\n") == len(refusal.value.problems) - 1
    return found


@pytest.mark.parametrize("document", [SINGLE, PAIR, TRIO], ids=lambda d: d["kind"])
def test_an_order_that_fits_is_a_case(document: dict[str, Any]) -> None:
    found = read_order(document, GUARD, source="tests")
    assert (found.case_id, found.kind, found.source) == ("C1", document["kind"], "tests")
    assert [one.sample_id for one in found.members] == [
        one["sample_id"] for one in document["members"]
    ]
    assert read_order({**document, "source": "lims"}, GUARD, source="tests").source == "lims"


@pytest.mark.parametrize(
    ("document", "place", "fact"),
    [
        ([], "order", "is no JSON object"),
        ({**SINGLE, "source": nested(2_000)}, "order", "is nested deeper than an order is"),
        ({**SINGLE, "\x1b[31m": ""}, "(a field)", "is no field of an order"),
        ({**SINGLE, "kind": ["single"]}, "kind", "valid string"),
        ({**SINGLE, "members": [1]}, "members.0", "valid dictionary"),
        ({**SINGLE, "assay": ""}, "assay", "at least 1 character"),
        ({**SINGLE, "colour": "red"}, "colour", "is no field of an order; leave it out"),
        ({**SINGLE, "case_id": "C 1"}, "case_id", "characters that an id cannot have"),
        ({**SINGLE, "kind": "duo"}, "kind", "can be one of single, tumour-normal, trio"),
        ({**SINGLE, "members": []}, "members", "a single case needs a single and has none"),
        ({**SINGLE, "members": "A"}, "members", "valid tuple"),
        ({**SINGLE, "due_at": "2026-03-01T10:00:00"}, "due_at", "has no time zone"),
        (order("single", member("A", "single"), member("B", "single")), "members.1.role", "second"),
        (order("single", member("A", "tumour")), "members.0.role", "whose roles are single"),
        (order("tumour-normal", member("D", "tumour")), "members", "needs a normal"),
        (
            order("tumour-normal", member("D", "tumour"), member("D", "normal")),
            "members.1.sample_id", "is the sample of members.0 too",
        ),
        (
            order("tumour-normal", member("D", "tumour"), member("E", "normal", "P2")),
            "members.1.subject_ref", "is another subject than that of members.0",
        ),
        (
            order("tumour-normal", member("D", "tumour", declared_sex="male"),
                  member("E", "normal", declared_sex="female")),
            "members.1.declared_sex", "is not that of the other member",
        ),
        (
            order("trio", member("K", "proband"), member("M", "mother"), member("F", "father")),
            "members.2.subject_ref", "is the subject of members.0 too",
        ),
        (
            order("trio", member("K", "proband"), member("M", "mother", "P2", declared_sex="male"),
                  member("F", "father", "P3")),
            "members.1.declared_sex", "is male for the mother",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_its_place(document: object, place: str, fact: str) -> None:
    assert fact in problems(document)[place]


def test_everything_is_told_at_once() -> None:
    found = problems(
        {
            "case_id": "C 1",
            "kind": "trio",
            "priority": "soon",
            "assay": "MRN-0012345",
            "members": [member("K", "proband"), {"role": "proband", "subject_ref": "P"}],
        }
    )
    assert set(found) == {
        "case_id", "priority", "assay", "reference", "members", "members.1.sample_id",
        "members.1.role",
    }  # fmt: skip
    assert found["reference"] == "is missing; add it"
    assert "given: 'soon'" in found["priority"]


@pytest.mark.parametrize(
    "document",
    [
        {**SINGLE, "case_id": "MRN-0012345"},
        {**SINGLE, "case_id": "MRN 0012345"},
        {**SINGLE, "project_id": ["MRN 0012345"]},
        {**SINGLE, "MRN-0012345": "x"},
        order("single", member("A", "single", "MRN-0012345")),
        order("single", {**member("A", "MRN-0012345"), "MRN-0012345": ""}),
    ],
)
def test_an_identifier_of_a_person_is_refused_and_not_repeated(document: dict[str, Any]) -> None:
    with pytest.raises(OrderRefused) as refusal:
        read_order(document, GUARD, source="tests")
    assert "0012345" not in str(refusal.value)


def test_a_second_order_with_the_same_id_is_compared() -> None:
    def read(document: dict[str, Any]) -> Any:
        return read_order(document, GUARD, source="tests")

    turned = {**PAIR, "members": PAIR["members"][::-1], "source": "lims"}
    assert differences(read(PAIR), read(turned)) == []
    other = order("tumour-normal", member("D2", "tumour"), member("E", "normal"), priority="urgent")
    found = [str(problem) for problem in differences(read(PAIR), read(other))]
    assert "priority: is routine on the log and urgent here" in found
    assert "member D.role: is tumour on the log and not given here" in found


# -- files


def test_json_is_one_order_or_a_list_of_them() -> None:
    assert [one.place for one in read_documents(json.dumps(SINGLE), "a.json")] == ["a.json"]
    found = read_documents("\ufeff" + json.dumps([SINGLE, PAIR]), "a.json")
    assert [(one.place, one.document["kind"]) for one in found] == [
        ("a.json order 1", "single"), ("a.json order 2", "tumour-normal"),
    ]  # fmt: skip


TABLE = """\ufeffcase_id;kind;assay;reference;sample_id;role;subject_ref;affected\r
C1;trio;exome;GRCh38;K;proband;P1;yes\r
C1;;;;M;mother;P2;no\r
;;;;;;;\r
C2;single;panel;GRCh38;A;single;P9;\r
C1;trio;;;F;father;P3;\r
"""


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_has_one_row_a_member(delimiter: str) -> None:
    trio, single = read_documents(TABLE.replace(";", delimiter), "a.csv")
    found = read_order(trio.document, GUARD, source="tests")
    assert [(one.sample_id, one.role, one.affected) for one in found.members] == [
        ("K", "proband", True), ("M", "mother", False), ("F", "father", None),
    ]  # fmt: skip
    assert (trio.lines, single.lines) == ((2, 3, 6), (5,))
    assert read_order(single.document, GUARD, source="tests").kind == "single"


def test_a_problem_of_a_table_names_its_line() -> None:
    trio, _ = read_documents(TABLE.replace("father", "uncle"), "a.csv")
    with pytest.raises(OrderRefused) as refusal:
        read_order(trio.document, GUARD, source="tests")
    named = [trio.named(problem) for problem in refusal.value.problems]
    assert any(line.startswith("a.csv: line 6, role: can be one of") for line in named)
    assert any(line.startswith("a.csv: members: a trio case needs a father") for line in named)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "names no column case_id"),
        ("[]", "holds no order"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("case_id\n", "holds no order"),
        ("case_id,colour\nC1,red\n", "column 2 has a name that is unknown or there twice"),
        ("case_id,case_id\n", "column 2 has a name that is unknown or there twice"),
        ("case_id,role\n,single\n", "line 2: has no case_id"),
        ("case_id,role\nC1,single,x\n", "line 2: has 3 cells for 2 columns"),
        ("case_id,assay\nC1,a\nC1,b\n", "line 3: assay is not what line 2 says"),
        ('case_id,assay\nC1,"a', "is no row of a table"),
    ],
)
def test_a_file_that_is_neither_is_refused(text: str, fact: str) -> None:
    with pytest.raises(Refused, match=r"a\.csv") as refusal:
        read_documents(text, "a.csv")
    assert fact in str(refusal.value)

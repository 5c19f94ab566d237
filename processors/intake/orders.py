"""From an order to CaseOpened: whatever brings orders, a person, the API or a LIMS, asks here.

    {"case_id": "C1", "kind": "tumour-normal", "assay": "panel", "reference": "GRCh38",
     "members": [{"sample_id": "D", "role": "tumour", "subject_ref": "P4"},
                 {"sample_id": "E", "role": "normal", "subject_ref": "P4"}]}

The fields are those of CaseOpened. All that is wrong is told at once, each with its place and the
way out; what looks like an identifier of a person is named by its place and not repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from genoflow.events.case_member import CaseMember
from genoflow.events.case_opened import CaseOpened
from genoflow.events.errors import Refused
from genoflow.events.order import Order
from genoflow.processors.intake.privacy import PrivacyGuard, identifier_fault, texts_of

GIVEN_CHARACTERS_MAX = 80  # of a value that is repeated in a problem: one line
# The roles of which a case has exactly one, and those of which it may have any number.
NEEDED = {
    "single": ("single",),
    "tumour-normal": ("tumour", "normal"),
    "trio": ("proband", "mother", "father"),
}
OPTIONAL = {"trio": ("sibling",)}
CONTRADICTS = {"mother": "male", "father": "female"}  # a role, and the sex that it cannot have
MISSING = "is missing; add it"
WAYS_OUT = {
    "missing": MISSING,
    "extra_forbidden": "is no field of an order; leave it out",
    "string_pattern_mismatch": (
        "holds characters that an id cannot have; use letters, digits, dots, dashes and "
        "underscores, and begin with a letter or a digit"
    ),
}
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an order: where, and what with the way out."""

    place: str  # of the field, such as members.1.role
    fact: str

    def __str__(self) -> str:
        return f"{self.place}: {self.fact}"


class OrderRefused(Refused):
    """An order that cannot be a case; every problem is named."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def read_order(document: object, guard: PrivacyGuard, *, source: str) -> CaseOpened:
    """The case that an order opens; OrderRefused names everything that is wrong with it.

    `source` is the system that ordered, where the order itself names none.
    """
    if not isinstance(document, dict):
        raise OrderRefused([Problem("order", "is no JSON object; write one with a case_id")])
    try:
        problems = [*_identifiers(document, guard), *_not_its_own(document)]
    except RecursionError as error:
        raise OrderRefused([Problem("order", "is nested deeper than an order is")]) from error
    order: CaseOpened | None = None
    try:
        order = CaseOpened.model_validate({"source": source, **document})
    except ValidationError as error:
        problems += _faults(error, guard)
    members = document.get("members")
    if isinstance(members, list | tuple) and all(isinstance(member, dict) for member in members):
        kind = _word(document, "kind")
        problems += [*_same_sample(members), *_roles(kind, members), *_subjects(kind, members)]
        problems += _sexes(kind, members)
    if problems or order is None:
        raise OrderRefused(problems)
    return order


def differences(before: Order, after: Order) -> list[Problem]:
    """What a second order with the same case id says otherwise; who sent it does not matter."""
    old, new = _comparable(before), _comparable(after)
    return [
        Problem(place, f"is {_shown(old.get(place))} on the log and {_shown(new.get(place))} here")
        for place in sorted({*old, *new})
        if old.get(place) != new.get(place)
    ]


def _comparable(order: Order) -> dict[str, Any]:
    flat = order.model_dump(mode="json", include=set(Order.model_fields) - {"source"})
    for member in flat.pop("members"):
        sample = member.pop("sample_id")
        flat |= {f"member {sample}.{name}": value for name, value in member.items()}
    return flat


def _shown(value: object) -> str:
    return "not given" if value is None else str(value)


# -- what each field has to be


def _not_its_own(document: Document) -> Iterator[Problem]:
    for name in ("run_id", "configuration"):  # of CaseOpened, and said by whoever takes a job
        if name in document:
            yield Problem(name, WAYS_OUT["extra_forbidden"])


def _identifiers(document: Document, guard: PrivacyGuard) -> Iterator[Problem]:
    for place, text in texts_of(dict(document), ""):
        number = guard.finds(text)
        if number is not None:
            yield Problem(_named(place.lstrip(".").split("."), guard), identifier_fault(number))


def _faults(error: ValidationError, guard: PrivacyGuard) -> Iterator[Problem]:
    for fault in error.errors(include_url=False):
        place = _named([str(part) for part in fault["loc"]], guard)
        fact = WAYS_OUT.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        given = fault["input"]
        is_telling = isinstance(given, str | int | float) and fact != MISSING
        if is_telling and guard.finds(str(given)) is None:
            fact += f" (given: {given!r:.{GIVEN_CHARACTERS_MAX}})"
        yield Problem(place, fact)


def _named(parts: Sequence[str], guard: PrivacyGuard) -> str:
    # The name of a field that nobody knows may hold anything, a person's number too.
    known = [
        part if part.isprintable() and guard.finds(part) is None else "(a field)" for part in parts
    ]
    return ".".join(part[:GIVEN_CHARACTERS_MAX] for part in known) or "order"


# -- what the members have to be to each other


def _word(document: Document, name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) else None


def _same_sample(members: Sequence[Document]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for number, member in enumerate(members):
        sample = _word(member, "sample_id")
        if sample is not None and first.setdefault(sample, number) != number:
            yield Problem(
                f"members.{number}.sample_id",
                f"is the sample of members.{first[sample]} too; a sample has one role in a case: "
                f"leave one of the two out",
            )


def _roles(kind: str | None, members: Sequence[Document]) -> Iterator[Problem]:
    if kind is None or kind not in NEEDED:
        return
    needed, optional = NEEDED[kind], OPTIONAL.get(kind, ())
    counts: Counter[str] = Counter()
    for number, member in enumerate(members):
        role = _word(member, "role")
        if role is None:
            continue
        counts[role] += 1
        place = f"members.{number}.role"
        if role not in (*needed, *optional):
            allowed = " or ".join((*needed, *optional))
            yield Problem(
                place, f"does not fit a {kind} case, whose roles are {allowed}; change it, or kind"
            )
        elif role in needed and counts[role] > 1:
            yield Problem(
                place,
                f"says {role} a second time, and a {kind} case has one; open another case for it",
            )
    for role in needed:
        if not counts[role]:
            yield Problem(
                "members", f"a {kind} case needs a {role} and has none; add the sample in that role"
            )


def _subjects(kind: str | None, members: Sequence[Document]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for number, member in enumerate(members):
        subject = _word(member, "subject_ref")
        if subject is None:
            continue
        earlier = first.setdefault(subject, number)
        place = f"members.{number}.subject_ref"
        if kind == "tumour-normal" and len(first) > 1 and earlier == number:
            yield Problem(
                place,
                f"is another subject than that of members.{next(iter(first.values()))}; tumour and "
                f"normal come from one subject: mend the reference, or open two cases",
            )
        if kind == "trio" and earlier != number:
            yield Problem(
                place,
                f"is the subject of members.{earlier} too; the members of a trio are different "
                f"people: mend the reference",
            )


def _sexes(kind: str | None, members: Sequence[Document]) -> Iterator[Problem]:
    declared = set()
    for number, member in enumerate(members):
        role, sex = _word(member, "role"), _word(member, "declared_sex")
        place = f"members.{number}.declared_sex"
        if kind == "trio" and role is not None and sex == CONTRADICTS.get(role, ""):
            yield Problem(place, f"is {sex} for the {role}; mend the one or the other")
        if kind == "tumour-normal" and sex in ("female", "male"):
            declared.add(sex)
            if len(declared) > 1:
                yield Problem(
                    place,
                    "is not that of the other member; tumour and normal come from one subject: "
                    "mend the one or the other, or say unknown",
                )


MEMBER_FIELDS = tuple(CaseMember.model_fields)
CASE_FIELDS = tuple(name for name in Order.model_fields if name != "members")

"""What a run measured, held against what its profile requires and what its order declares.

A pipeline says what a value was measured on: a sample, two samples as `S1/S2` in the order of the
members, or nothing for the whole case. What is declared of a subject is compared as a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from genoflow.events.measured import Measured
from genoflow.events.threshold import Threshold
from genoflow.events.types import ID_CHARACTERS_MAX, Part
from genoflow.processors.qc_metrics import broken, in_words, judged, number

SEX = "sex"
RELATEDNESS = "relatedness"
CONCORDANCE = "concordance"
UNKNOWN = "unknown"
# Of every member, and of every two samples of one subject: what is owed where a profile names it.
OF_MEMBERS = ("mean_coverage", "contamination", SEX)
OF_ONE_SUBJECT = (RELATEDNESS, CONCORDANCE)
RELATIONS: Mapping[str, str] = {
    "same": "samples of one subject",
    "parent-child": "parent and child",
    "unrelated": "unrelated",
}
SWAPPED = "samples may be swapped, or the order is wrong"
MAY_MEAN: Mapping[str, str] = {
    "contamination": "Reads of another subject are among them. ",
    CONCORDANCE: "Samples may be swapped, or one of them is contaminated. ",
}


class Declared(Part):
    """What an order says of one member."""

    sample_id: str
    role: str
    subject_ref: str
    sex: str


class Wanted(Part):
    """What is required of the results of a run, and what was declared of its members."""

    members: tuple[Declared, ...]
    thresholds: tuple[Threshold, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One value beside what was required and declared; a reason where it holds the results."""

    measured: Measured
    reason: str | None = None


def pair_name(first: str, second: str) -> str:
    """How a measurement names two samples, within the length of a name."""
    return f"{first}/{second}"[:ID_CHARACTERS_MAX]


def check(wanted: Wanted, measurements: Sequence[Measured], run_id: object) -> list[Check]:
    """Every value judged, then what is owed and was not measured."""
    pairs = _pairs(wanted.members)
    way = f"look, then `genoflow results release {run_id}`"
    found = [one for value in measurements for one in _checks_of(wanted, pairs, value, way)]
    return found + [_missing(one, whom, way) for one, whom in _owed(wanted, pairs, measurements)]


Pairs = Mapping[str, tuple[Declared, Declared]]  # by either order of the two


def _pairs(members: Sequence[Declared]) -> Pairs:
    found = {}
    for one, other in combinations(members, 2):
        found[pair_name(other.sample_id, one.sample_id)] = (one, other)
        found[pair_name(one.sample_id, other.sample_id)] = (one, other)
    return found


def _relation(one: Declared, other: Declared) -> str | None:
    """What the order says that two members are to each other; None where it says nothing."""
    roles = {one.role, other.role}
    if one.subject_ref == other.subject_ref:
        return "same"
    if roles == {"mother", "father"}:
        return "unrelated"
    if roles in ({"mother", "proband"}, {"father", "proband"}):
        return "parent-child"
    return None


# -- what was measured


def _checks_of(wanted: Wanted, pairs: Pairs, value: Measured, way: str) -> Iterator[Check]:
    named = [one for one in wanted.thresholds if one.metric == value.metric]
    declared = _declared(wanted, pairs, value)
    if value.metric in OF_ONE_SUBJECT and not _of_one_subject(pairs, value.measured_on):
        held_against = []
    else:
        held_against = named
    for one in judged(held_against, {value.metric: (value.value, value.unit)}):
        words = {"measured_on": value.measured_on, "declared": declared, "found": value.found}
        yield _compared(one.model_copy(update=words), value, way, is_required=_requires(named))


def _requires(thresholds: Iterable[Threshold]) -> bool:
    """Whether it has to be told at all; a warning alone does not ask for that."""
    return any((one.required_min, one.required_max) != (None, None) for one in thresholds)


def _of_one_subject(pairs: Pairs, name: str | None) -> bool:
    two = pairs.get(name or "")
    return two is not None and two[0].subject_ref == two[1].subject_ref


def _declared(wanted: Wanted, pairs: Pairs, value: Measured) -> str | None:
    if value.metric == SEX:
        mine = (one.sex for one in wanted.members if one.sample_id == value.measured_on)
        declared = next(mine, UNKNOWN)
        return None if declared == UNKNOWN else declared
    two = pairs.get(value.measured_on or "")
    return _relation(*two) if two is not None and value.metric == RELATEDNESS else None


def _compared(one: Measured, value: Measured, way: str, *, is_required: bool) -> Check:
    """The verdict of the thresholds, and that of the words where something was declared."""
    if one.declared is not None and one.found in (None, UNKNOWN):
        unclear = one.model_copy(update={"verdict": "not judged"})
        return Check(unclear, _unclear(unclear, way) if is_required else None)
    if one.declared is not None and one.found != one.declared:
        return Check(one.model_copy(update={"verdict": "fail"}), _contradiction(one, way))
    if one.declared is not None and one.verdict == "not judged":
        return Check(one.model_copy(update={"verdict": "pass"}))
    return Check(one, _short(one, value, way) if broken([one]) else None)


def _contradiction(one: Measured, way: str) -> str:
    way_on = f"{SWAPPED}; {way} or `genoflow sample relabel`"
    if one.metric == SEX:
        ratio = f"chrX at {number(one.value)} of the autosomes"
        told = f"sex of {one.measured_on} is declared {one.declared} and found {one.found}"
        return f"{told} ({ratio}): {way_on}"
    two = (one.measured_on or "").replace("/", " and ")
    declared = RELATIONS[one.declared or "same"]
    found = RELATIONS.get(one.found or "", one.found)
    share = f"{number(one.value)} of the informative sites agree"
    return f"{two} are declared {declared} and found {found} ({share}): {way_on}"


def _unclear(one: Measured, way: str) -> str:
    return (
        f"{one.metric} of {one.measured_on} is declared {one.declared} and could not be told from "
        f"the reads, and the profile requires it; {way}"
    )


def _short(one: Measured, value: Measured, way: str) -> str:
    whose = f" of {value.measured_on}" if value.measured_on else ""
    if value.unit != one.unit:
        return (
            f"{value.metric}{whose} is told in {value.unit}, and the profile requires it in "
            f"{one.unit}: mend the profile or the pipeline and have the case run again; or {way}"
        )
    means = MAY_MEAN.get(one.metric, "")
    return in_words([one], f"{means}Mend it and have the case run again; or {way}")


# -- what was not


def _owed(
    wanted: Wanted, pairs: Pairs, measurements: Sequence[Measured]
) -> Iterator[tuple[Threshold, str | None]]:
    """What a profile requires and nobody measured, each with whom it is about."""
    told = {(one.metric, _same_pair(pairs, one.measured_on)) for one in measurements}
    for threshold in wanted.thresholds:
        for whom in _about(threshold.metric, wanted, pairs, measurements):
            if (threshold.metric, whom) not in told:
                yield threshold, whom


def _same_pair(pairs: Pairs, name: str | None) -> str | None:
    two = pairs.get(name or "")
    return pair_name(two[0].sample_id, two[1].sample_id) if two else name


def _about(
    metric: str, wanted: Wanted, pairs: Pairs, measurements: Iterable[Measured]
) -> Iterable[str | None]:
    samples = [one.sample_id for one in wanted.members]
    if metric in OF_ONE_SUBJECT:
        return [_same_pair(pairs, name) for name in _each_once(pairs)]
    # What a pipeline tells of one member it owes of all of them.
    of_members = any(one.metric == metric and one.measured_on in samples for one in measurements)
    return samples if of_members or metric in OF_MEMBERS else (None,)


def _each_once(pairs: Pairs) -> list[str]:
    return [
        name
        for name, two in pairs.items()
        if _of_one_subject(pairs, name) and name == pair_name(two[0].sample_id, two[1].sample_id)
    ]


def _missing(threshold: Threshold, whom: str | None, way: str) -> Check:
    one = judged([threshold], {})[0].model_copy(update={"measured_on": whom})
    return Check(
        one, in_words([one], f"Have the case run again; or {way}") if broken([one]) else None
    )

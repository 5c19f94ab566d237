"""What the depth of each base says of a file: its mean, its breadth, its targets, and sex."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genoflow.processors.validation.sam.depth import (
    CHANGES,
    CHANGES_MAX,
    LEVELS,
    MATES,
    MATES_MAX,
    UNSORTED,
    Depths,
)
from genoflow.processors.validation.sam.header import Header
from genoflow.processors.validation.targets import Target, by_sequence, joined

AUTOSOME, X_CHROMOSOME, Y_CHROMOSOME = (
    re.compile(rb"(chr)?\d+"), re.compile(rb"(chr)?X"), re.compile(rb"(chr)?Y"),
)  # fmt: skip
# Two copies of chrX would give 200 reads of 100 bases, one copy half of them: the ratio of a male
# sample then wanders by 0.05, a third of its way to what is no longer male. As in the pipelines.
X_BASES_MIN = 20_000
TWO_X_MIN, ONE_X_MAX = 0.8, 0.65
# Of a male sample half of what lies on Y can be placed: 0.2 and more. Of a female one some reads
# of its likenesses on X are placed there: 0.01, of short reads 0.03.
Y_MIN, NO_Y_MAX = 0.1, 0.05
SEQUENCES_TOLD_MAX = 100  # by name; of GRCh38 the chromosomes, where it has 3,366 sequences
TARGETS_TOLD_MAX = 10_000  # each with its mean: 100 bytes of JSON, so 1 MB
FAULTS: Mapping[int, str] = {
    UNSORTED: "the records do not stand in the order of their places; sort them by coordinate",
    CHANGES: f"the depth changes at more than {CHANGES_MAX} places at once",
    MATES: f"more than {MATES_MAX} pairs overlap at one place",
}
OF_DEPTH = ("depth_mean", *(f"breadth_{level}x" for level in LEVELS))
OF_TARGETS = tuple(f"target_{name}" for name in OF_DEPTH)
OF_SEX = ("x_ratio", "y_ratio", "sex")
NO_TARGETS = "no targets were given"
ELSEWHERE = "no target lies on a sequence of its header"
Places = dict[bytes, list[int]]


@dataclass(slots=True)
class Coverage:
    """The numbers, what else is told, and why the rest is not known."""

    metrics: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)

    def leave(self, names: Iterable[str], reason: str) -> None:
        """These are not known, for this reason."""
        self.unknown |= dict.fromkeys(names, reason)


class Aim:
    """The targets of a file, by the sequences of its header."""

    def __init__(self, header: Header, targets: Sequence[Target]) -> None:
        self.lengths = dict(zip(header.names, header.lengths, strict=True))
        self.targets = targets
        found = by_sequence(targets, self.lengths)
        self.union = {name: joined(pieces) for name, pieces in found.items()}
        self.places: Places = {
            name: sorted({place for one in pieces for place in one})
            for name, pieces in found.items()
        }
        self.bases = sum(end - start for one in self.union.values() for start, end in one)

    def give(self, header: Header, depths: Depths) -> None:
        """Let the depth be told of them."""
        for name, union in self.union.items():
            depths.aim(header.index[name], union, self.places[name])


def coverage(header: Header, aim: Aim, depths: Depths) -> Coverage:
    """All that can be told once every record is counted."""
    told = Coverage(details={"sex": None})
    whole = sum(max(length, 0) for length in header.lengths)
    if not whole:
        told.leave((*OF_DEPTH, *OF_TARGETS, *OF_SEX), "its header names no sequences")
        return told
    fault, sums, levels, target_sum, target_levels, at_places = depths.covered()
    if fault:
        told.leave((*OF_DEPTH, *OF_TARGETS, *OF_SEX), FAULTS[fault])
        return told
    told.metrics |= _shares(OF_DEPTH, sum(sums), levels, whole)
    told.details["depth_by_sequence"] = _by_sequence(header, sums)
    sizes = dict(zip(header.names, header.lengths, strict=True))
    bases = dict(zip(header.names, sums, strict=True))
    if aim.targets:
        before = {
            name: dict(zip(places, at_places[header.index[name]], strict=True))
            for name, places in aim.places.items()
        }
        _targets(told, aim, before, _shares(OF_TARGETS, target_sum, target_levels, aim.bases))
        sizes = {name: sum(b - a for a, b in one) for name, one in aim.union.items()}
        bases = {
            name: sum(before[name][b] - before[name][a] for a, b in one)
            for name, one in aim.union.items()
        }
    else:
        told.leave(OF_TARGETS, NO_TARGETS)
    _sex(told, sizes, bases)
    return told


def _shares(
    names: Sequence[str], total: int, levels: Sequence[int], whole: int
) -> dict[str, float]:
    if not whole:
        return {}
    values = (total / whole, *(level / whole for level in levels))
    return dict(zip(names, values, strict=True))


def _by_sequence(header: Header, sums: Sequence[int]) -> dict[str, float]:
    rows = [
        (name.decode("utf-8", "replace"), one / length)
        for name, length, one in zip(header.names, header.lengths, sums, strict=True)
        if length > 0
    ]
    return dict(rows[:SEQUENCES_TOLD_MAX])


def _targets(
    told: Coverage, aim: Aim, before: Mapping[bytes, Mapping[int, int]], shares: dict[str, float]
) -> None:
    if not shares:
        told.leave(OF_TARGETS, ELSEWHERE)
        return
    told.metrics |= shares
    told.details["targets"] = [
        _target(one, aim.lengths[one.sequence], before[one.sequence])
        for one in aim.targets[:TARGETS_TOLD_MAX]
        if one.sequence in before
    ]
    if len(aim.targets) > TARGETS_TOLD_MAX:
        told.leave(["targets"], f"of more than {TARGETS_TOLD_MAX} targets the first are told")


def _target(one: Target, length: int, before: Mapping[int, int]) -> dict[str, Any]:
    start, end = one.start, min(one.end, length)
    depth = (before[end] - before[start]) / (end - start) if start < end else 0.0
    return {
        "sequence": one.sequence.decode("utf-8", "replace"),
        "start": one.start,
        "end": one.end,
        "depth_mean": depth,
    }


# -- sex, from the chromosomes


def _sex(told: Coverage, sizes: Mapping[bytes, int], bases: Mapping[bytes, int]) -> None:
    mean = _mean(AUTOSOME, sizes, bases)
    if not mean:
        said = "no autosome is covered" if mean == 0 else "it names no autosomes, such as chr1 or 1"
        told.leave(OF_SEX, said)
        return
    x, y = (_mean(one, sizes, bases) for one in (X_CHROMOSOME, Y_CHROMOSOME))
    if x is None:
        told.leave(OF_SEX, "it names no chrX")
        return
    told.metrics["x_ratio"] = x / mean
    if y is None:
        told.leave(["y_ratio"], "it names no chrY")
    else:
        told.metrics["y_ratio"] = y / mean
    expected = mean * _bases(X_CHROMOSOME, sizes)
    if expected < X_BASES_MIN:
        said = f"two copies of chrX would give {expected:.0f} bases, and {X_BASES_MIN} are needed"
        told.leave(["sex"], said)
        return
    told.details["sex"] = sex = sex_of(x / mean, None if y is None else y / mean)
    if sex is None:
        of_y = "" if y is None else f" and chrY at {y / mean:.2f}"
        said = f"chrX at {x / mean:.2f}{of_y} of the autosomes fit neither sex"
        told.leave(["sex"], said)


def sex_of(x_ratio: float, y_ratio: float | None) -> str | None:
    """Which sex these depths are of; None where X and Y are of none, or contradict each other."""
    if x_ratio >= TWO_X_MIN and (y_ratio is None or y_ratio <= NO_Y_MAX):
        return "female"
    if x_ratio <= ONE_X_MAX and (y_ratio is None or y_ratio >= Y_MIN):
        return "male"
    return None


def _mean(
    names: re.Pattern[bytes], sizes: Mapping[bytes, int], bases: Mapping[bytes, int]
) -> float | None:
    whole = _bases(names, sizes)
    return _bases(names, bases) / whole if whole else None


def _bases(names: re.Pattern[bytes], counted: Mapping[bytes, int]) -> int:
    return sum(count for name, count in counted.items() if names.fullmatch(name) and count > 0)

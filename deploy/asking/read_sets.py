"""The read sets of a sample: which files are expected, which are here, what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from genoflow.deploy.asking import file as files
from genoflow.deploy.asking.file import File
from genoflow.deploy.asking.subject import A_WORKER, Answer
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.projections.words import listed

# What `genoflow reads send` takes.
SENT_BY_COMMAND = {"R1", "R2", "BAM", "BAI", "CRAM", "CRAI", "VCF", "TBI"}
Batch = tuple[str | None, int | None, int | None]  # run, revision of its sheet, attempt


@dataclass(slots=True)
class ReadSet:
    """One read set, and whether anything may still be decided by it."""

    registered: ReadSetRegistered
    at: datetime
    order: int
    invalidated: ReadSetInvalidated | None = None

    @property
    def name(self) -> str:
        """Its id."""
        return self.registered.read_set_id


@dataclass(frozen=True, slots=True)
class Expected:
    """A file that has to land, and the newest that did."""

    part: str
    role: str
    file: File | None


def expected_of(read_set: ReadSet, every: Iterable[File]) -> list[Expected]:
    """Each expected file with the newest version that landed for it."""
    mine = [file for file in every if file.read_set_id == read_set.name]
    found = []
    for one in read_set.registered.expected_files:
        fitting = [file for file in mine if _fits(one, file)]
        part = one.role if one.lane is None else f"{one.role} of lane {one.lane}"
        found.append(
            Expected(part, one.role, max(fitting, key=lambda file: file.order, default=None))
        )
    return found


def _fits(one: ExpectedFile, file: File) -> bool:
    return one.role == file.role and (
        one.lane is None or file.lane is None or one.lane == file.lane
    )


def is_whole(read_set: ReadSet, every: Iterable[File]) -> bool:
    """Whether each of its files is here and valid."""
    return all(one.file and one.file.is_valid for one in expected_of(read_set, every))


def why(read_set: ReadSet, every: Iterable[File]) -> list[Answer]:
    """What it waits for: files that are not here, not yet validated, or at fault."""
    expected = expected_of(read_set, every)
    answers: list[Answer] = []
    of = f"{len(expected)} files of read set {read_set.name}"
    missing = [one.part for one in expected if one.file is None]
    if missing:
        answers.append(
            Answer(
                f"waits for {len(missing)} of {of}: {listed(missing)}", read_set.at,
                _way_of(read_set, [one for one in expected if one.file is None]),
            )
        )  # fmt: skip
    unread = [one for one in expected if one.file and one.file.verdict is None]
    if unread:
        answers.append(
            Answer(
                f"waits for the validation of {len(unread)} of {of}: "
                f"{listed(one.part for one in unread)}",
                min(one.file.at for one in unread if one.file), A_WORKER,
            )
        )  # fmt: skip
    for one in expected:
        if one.file and one.file.verdict is not None and not one.file.is_valid:
            found = files.why(one.file)
            says = f"cannot go on: {one.part} of read set {read_set.name} {found.says}"
            command = _command(read_set, [one]) if one.file.is_refused else None
            way = f"{found.way}: {command}" if command else found.way
            answers.append(Answer(says, found.since, way))
    return answers


def _way_of(read_set: ReadSet, missing: Iterable[Expected]) -> str:
    made_here = read_set.registered.instrument_run_id is not None
    command = None if made_here else _command(read_set, missing)
    if command is None:
        return "see that they are sent, each with this read set and its role in the metadata"
    return f"send what is missing: {command}"


def _command(read_set: ReadSet, wanted: Iterable[Expected]) -> str | None:
    """What sends these files; None where a role alone does not say which file is meant."""
    fact = read_set.registered
    roles = [one.role for one in wanted]
    each = [one.role for one in fact.expected_files]
    if not SENT_BY_COMMAND.issuperset(roles) or any(each.count(role) > 1 for role in roles):
        return None
    options = " ".join(f"--{role.lower()} FILE" for role in roles)
    return f"`genoflow reads send {fact.sample_id} {options} --read-set {fact.read_set_id}`"


def unregistered(every: Iterable[ReadSet]) -> Answer | None:
    """Read sets that a demultiplexing counted for the sample and that are not registered yet."""
    # One that counts no more was registered all the same; with none that counts, nothing is due.
    here: Counter[Batch] = Counter()
    counted: dict[Batch, tuple[int, datetime]] = {}
    for one in every:
        fact = one.registered
        batch = (fact.instrument_run_id, fact.sheet_revision, fact.demultiplex_attempt)
        here[batch] += 1
        if one.invalidated is None:
            counted[batch] = (fact.read_sets_of_sample, one.at)
    for batch, (count, at) in counted.items():
        if batch[0] is not None and here[batch] < count:
            return Answer(
                f"waits for {count - here[batch]} of {count} read sets of run {batch[0]} to be "
                f"registered",
                at, A_WORKER,
            )  # fmt: skip
    return None

"""The read sets of a sample: which files are expected, which are here, what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from genoflow.projections.asking import file as files
from genoflow.projections.asking.file import File, Files
from genoflow.projections.asking.subject import A_WORKER, Answer
from genoflow.projections.read_set_state import ReadSet, unregistered
from genoflow.projections.words import listed

# What `genoflow reads send` takes.
SENT_BY_COMMAND = {"R1", "R2", "BAM", "BAI", "CRAM", "CRAI", "VCF", "TBI"}


@dataclass(frozen=True, slots=True)
class Slot:
    """A file that has to land, and what is known of the newest that did."""

    part: str
    role: str
    file: File | None


def slots_of(read_set: ReadSet, files: Files) -> list[Slot]:
    """Each expected file with the newest version that landed for it."""
    by_id = {one.row.file_id: one for one in files.values()}
    return [
        Slot(one.part, one.role, by_id[one.file.file_id] if one.file else None)
        for one in read_set.expected()
    ]


def why(read_set: ReadSet, every: Files) -> list[Answer]:
    """What it waits for: files that are not here, not yet validated, or at fault."""
    expected = slots_of(read_set, every)
    answers: list[Answer] = []
    of = f"{len(expected)} files of read set {read_set.name}"
    missing = [one.part for one in expected if one.file is None]
    if missing:
        answers.append(
            Answer(
                f"waits for {len(missing)} of {of}: {listed(missing)}",
                read_set.registered.envelope.occurred_at,
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


def _way_of(read_set: ReadSet, missing: Iterable[Slot]) -> str:
    made_here = read_set.registered.instrument_run_id is not None
    command = None if made_here else _command(read_set, missing)
    if command is None:
        return "see that they are sent, each with this read set and its role in the metadata"
    return f"send what is missing: {command}"


def _command(read_set: ReadSet, wanted: Iterable[Slot]) -> str | None:
    """What sends these files; None where a role alone does not say which file is meant."""
    fact = read_set.registered
    roles = [one.role for one in wanted]
    each = [one.role for one in fact.expected_files]
    if not SENT_BY_COMMAND.issuperset(roles) or any(each.count(role) > 1 for role in roles):
        return None
    options = " ".join(f"--{role.lower()} FILE" for role in roles)
    return f"`genoflow reads send {fact.sample_id} {options} --read-set {fact.read_set_id}`"


def to_come(every: Collection[ReadSet]) -> Answer | None:
    """Read sets that a demultiplexing counted for the sample and that are not registered yet."""
    found = unregistered(every)
    if found is None:
        return None
    return Answer(
        f"waits for {found.missing} of {found.counted} read sets of run {found.run} to be "
        f"registered",
        found.since, A_WORKER,
    )  # fmt: skip

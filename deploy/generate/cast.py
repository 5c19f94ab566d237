"""The cast of the demonstration: six samples in two lanes, and what befalls each of them.

The numbers belong together. A gets what its profile wants, C a fifth of it, and its top-up the
rest; D carries variants of some cells that E, the same subject's normal, does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from genoflow.deploy.generate.genome import Genome, make_genome
from genoflow.deploy.generate.instruments import INSTRUMENTS, Instrument
from genoflow.deploy.generate.libraries import Library, Run, index_pairs
from genoflow.deploy.generate.reads import Recipe, make_pairs, pairs_for
from genoflow.deploy.generate.variants import (
    FEMALE,
    MALE,
    Subject,
    make_subject,
    sites_of,
    with_low_fraction,
)

DEPTH = 30.0
PREFIX = "SIM"  # of every sample's id
LOW_VARIANTS = 12  # of the 40 sites that 50 kb have for them
MODEL = "NovaSeq 6000"  # two lanes, each with libraries of its own
TOP_UP_MODEL = "MiSeq"  # one lane is enough for it


@dataclass(frozen=True, slots=True)
class Member:
    """One sample of the cast: whose it is, where it lies, and what is the matter with it."""

    letter: str
    lane: int
    subject: str
    sex: str
    case_id: str
    role: str
    depth_share: float = 1.0
    fault: str | None = None
    about: str = ""
    by_courier: bool = False  # sequenced elsewhere: its files come, and no sheet lists it
    prefix: str = PREFIX

    @property
    def sample_id(self) -> str:
        """The sample's id on every sheet."""
        return f"{self.prefix}-{self.letter}"


MEMBERS = (
    Member("A", 1, "subject-1", FEMALE, "CASE-1", "single", about="all is well"),
    Member(
        "B", 1, "subject-2", MALE, "CASE-2", "single", fault="truncated-fastq",
        by_courier=True,
        about="sequenced elsewhere, on no sheet; its R2 comes truncated, and then whole",
    ),
    Member(
        "C", 1, "subject-3", FEMALE, "CASE-3", "single", depth_share=0.2,
        about="too few reads; the second run tops it up",
    ),
    Member(
        "D", 2, "subject-4", MALE, "CASE-4", "tumour", depth_share=2.0,
        about="a tumour, which waits for its normal",
    ),
    Member("E", 2, "subject-4", MALE, "CASE-4", "normal",
        about="the normal of the same case",
    ),
    Member(
        "F", 2, "subject-5", FEMALE, "CASE-5", "single", depth_share=0.0,
        about="on the sheet, without a read",
    ),
)  # fmt: skip


def members_of(prefix: str) -> tuple[Member, ...]:
    """The cast under ids of its own, so that it can be played more than once on one log."""
    if prefix == PREFIX:
        return MEMBERS
    return tuple(
        replace(member, prefix=prefix, case_id=f"{prefix}-{member.case_id}") for member in MEMBERS
    )


@dataclass(frozen=True, slots=True)
class Cast:
    """The genome, who is who, the run that all lie on, and the run that tops C up."""

    genome: Genome
    subjects: dict[str, Subject]  # by sample id
    run: Run
    top_up: Run
    members: tuple[Member, ...]

    @property
    def on_sheet(self) -> Run:
        """The run as this lab sequences it."""
        return self._only(by_courier=False)

    @property
    def by_courier(self) -> Run:
        """What another lab sequences, and sends as files."""
        return self._only(by_courier=True)

    def _only(self, *, by_courier: bool) -> Run:
        names = {one.sample_id for one in self.members if one.by_courier is by_courier}
        libraries = (one for one in self.run.libraries if one.sample_id in names)
        return replace(self.run, libraries=tuple(libraries))


def make_cast(
    seed: int,
    depth: float = DEPTH,
    model: str = MODEL,
    *,
    pooled: bool = False,
    prefix: str = PREFIX,
    first_run: int = 1,
) -> Cast:
    """The cast of a seed; pooled, every library lies in every lane."""
    genome = make_genome(seed)
    members = members_of(prefix)
    subjects = {member.sample_id: _subject(genome, seed, member) for member in members}
    instrument, top_up = INSTRUMENTS[model], INSTRUMENTS[TOP_UP_MODEL]
    indexes = index_pairs(seed, len(MEMBERS))
    lanes = range(1, instrument.lanes + 1)
    main: list[Library] = []
    rest: list[Library] = []
    for member, pair in zip(members, indexes, strict=True):
        subject = subjects[member.sample_id]
        library = Library(member.sample_id, f"{member.sample_id}-lib1", member.lane, *pair)
        made = sequenced(library, genome, subject, seed, depth * member.depth_share, instrument)
        if pooled or instrument.pooled:
            main += _split(made, lanes)
        else:
            main.append(replace(made, lane=min(member.lane, instrument.lanes)))
        if 0 < member.depth_share < 1:
            again = replace(library, library_id=f"{member.sample_id}-lib2", lane=1)
            missing = depth * (1 - member.depth_share)
            rest.append(sequenced(again, genome, subject, seed, missing, top_up))
    return Cast(
        genome, subjects, Run(instrument, first_run, seed, tuple(main)),
        Run(top_up, first_run + 1, seed, tuple(rest)), members,
    )  # fmt: skip


def sequenced(
    library: Library, genome: Genome, subject: Subject, seed: int, depth: float, on: Instrument
) -> Library:
    """The library with as many pairs of a subject as this depth takes on this instrument."""
    # Darkness is a base for instruments of two colours alone.
    recipe = Recipe() if on.colours == 2 else Recipe(poly_g_fraction=0.0)
    count = pairs_for(depth, genome, recipe)
    pairs = make_pairs(genome, subject, f"{seed}/{library.library_id}", count, recipe)
    return replace(library, pairs=pairs)


def _split(library: Library, lanes: range) -> list[Library]:
    return [
        replace(library, lane=lane, pairs=library.pairs[lane - 1 :: len(lanes)]) for lane in lanes
    ]


def _subject(genome: Genome, seed: int, member: Member) -> Subject:
    sites = sites_of(genome, seed)
    subject = make_subject(member.subject, sites, seed, member.sex)
    if member.role == "tumour":
        return with_low_fraction(subject, sites, seed, LOW_VARIANTS)
    return subject

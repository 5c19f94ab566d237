"""What the members of a run enter with: a row for each part of a read set, held against the
reference.

An alignment or a list of variants counts positions of one reference. They are compared here, before
anything is computed, so that the reason stands in the manifest and not in a task's output.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.ready_member import ReadyMember

COLUMNS = ("sample", "read_set", "r1", "r2", "alignment", "variants")
# In which column the file of a role stands, and how it is called here. What is in a file is told
# by its first bytes, so VCF may be packed or not, or be BCF. Indexes are made anew.
PLACES: Mapping[str, tuple[str, str]] = {
    "R1": ("r1", "fastq.gz"),
    "R2": ("r2", "fastq.gz"),
    "BAM": ("alignment", "bam"),
    "CRAM": ("alignment", "cram"),
    "VCF": ("variants", "vcf"),
}
NAMES_SHOWN_MAX = 3


class Unpaired(ValueError):
    """A read set of which no row can be made."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: the part of a read set, and its files by their column."""

    sample_id: str
    part: str
    files: Mapping[str, ReadSetFile]

    @property
    def read_set_id(self) -> str:
        """The read set of which it is a part."""
        return next(iter(self.files.values())).read_set_id

    @property
    def options(self) -> str:
        """How `genoflow reads send` is told of its files."""
        return " ".join(f"--{file.role.lower()} FILE" for file in self.files.values())

    @property
    def is_placed(self) -> bool:
        """Whether it counts positions of a reference."""
        return not self.files.keys() <= {"r1", "r2"}

    def path(self, column: str, inputs: Path) -> Path:
        """Where the file of a column is put."""
        role = self.files[column].role
        return inputs / f"{self.part}.{role}.{PLACES[role][1]}"

    def row(self, inputs: Path) -> tuple[str, ...]:
        """As it stands in the table of samples."""
        found = (str(self.path(one, inputs)) if one in self.files else "" for one in COLUMNS[2:])
        return (self.sample_id, self.part, *found)


def entries_of(member: ReadyMember) -> Iterator[Entry]:
    """The rows of a member: mates beside each other; Unpaired where they are not as many."""
    by_set: dict[str, dict[str, list[ReadSetFile]]] = {}
    for file in sorted(member.files, key=lambda one: one.object_key):
        by_set.setdefault(file.read_set_id, {}).setdefault(file.role, []).append(file)
    for name, roles in by_set.items():
        columns = _columns(member.sample_id, name, roles)
        for number, files in enumerate(columns, start=1):
            part = name if len(columns) == 1 else f"{name}.{number}"
            yield Entry(member.sample_id, part, files)


def _columns(
    sample_id: str, name: str, roles: Mapping[str, list[ReadSetFile]]
) -> list[dict[str, ReadSetFile]]:
    first, second = roles.get("R1", []), roles.get("R2", [])
    alone = [
        {PLACES[role][0]: file} for role in ("BAM", "CRAM", "VCF") for file in roles.get(role, ())
    ]
    if (not first and not alone) or (second and len(second) != len(first)):
        raise Unpaired(
            f"the read set {name} of {sample_id} has {len(first)} files R1 and {len(second)} "
            f"files R2"
        )
    mates = [{"r1": one} for one in first]
    for both, one in zip(mates, second, strict=False):
        both["r2"] = one
    return [*mates, *alone]


# -- held against the reference


@dataclass(frozen=True, slots=True)
class Sequences:
    """The sequences of a reference, in their order."""

    fasta: Path
    lengths: Mapping[str, int]

    def fault(self, entry: Entry, inputs: Path) -> str | None:
        """The first fault by which a file is not of this reference; None without one."""
        if "alignment" in entry.files:
            return self._of_alignment(entry.path("alignment", inputs))
        return self._of_variants(entry.path("variants", inputs))

    def _of_alignment(self, path: Path) -> str | None:
        import pysam  # noqa: PLC0415 -- takes 0.2 s, and runs of FASTQ do without

        with pysam.AlignmentFile(str(path), "r", check_sq=False) as opened:
            rows: list[dict[str, Any]] = opened.header.to_dict().get("SQ", [])
        told = [(str(one["SN"]), int(one["LN"])) for one in rows]
        return self._other(told) or self._other_bases(
            {str(one["SN"]): str(one["M5"]) for one in rows if "M5" in one}
        )

    def _other(self, told: Iterable[tuple[str, int]]) -> str | None:
        for name, length in told:
            if name not in self.lengths:
                known = ", ".join([*self.lengths][:NAMES_SHOWN_MAX])
                return f"its header names the sequence {name:.100}, and the reference has {known} …"
            if length not in (0, self.lengths[name]):
                return (
                    f"its header gives {name:.100} {length:,} bases, and the reference "
                    f"{self.lengths[name]:,}"
                )
        return None

    def _other_bases(self, told: Mapping[str, str]) -> str | None:
        import pysam  # noqa: PLC0415 -- see above

        with pysam.FastaFile(str(self.fasta)) as fasta:
            for name, said in told.items():
                bases = fasta.fetch(name).upper().encode()
                if hashlib.md5(bases, usedforsecurity=False).hexdigest() != said.lower():
                    return f"its header says that {name:.100} has other bases than the reference"
        return None

    def _of_variants(self, path: Path) -> str | None:
        import pysam  # noqa: PLC0415 -- see above

        with pysam.VariantFile(str(path)) as opened, pysam.FastaFile(str(self.fasta)) as fasta:
            contigs = opened.header.contigs.values()
            if fault := self._other((one.name, one.length or 0) for one in contigs):
                return fault
            for number, one in enumerate(opened, start=1):
                said = one.ref or ""
                if fault := self._other([(one.chrom, 0)]):
                    return fault  # a header may leave its sequences out
                here = fasta.fetch(one.chrom, one.start, one.start + len(said))
                if said.upper() != here.upper():
                    return (
                        f"its record {number:,} has {said:.20} at {one.chrom}:{one.pos:,}, and the "
                        f"reference has {here or 'nothing':.20} there"
                    )
        return None

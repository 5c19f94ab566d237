"""Which build of a genome a header speaks of, and whether it is the one that was ordered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

# Lengths of chromosomes 1 and 2, as the assemblies publish them: no two builds share either.
LENGTHS = {
    249_250_621: "GRCh37",
    243_199_373: "GRCh37",
    248_956_422: "GRCh38",
    242_193_529: "GRCh38",
    248_387_328: "T2T-CHM13v2",
    242_696_752: "T2T-CHM13v2",
}
LONGEST = ("1", "2", "chr1", "chr2")
# How the same builds are called, in lower case, letters and digits alone.
ALIASES = {
    "grch37": "GRCh37",
    "hg19": "GRCh37",
    "hs37": "GRCh37",
    "b37": "GRCh37",
    "grch38": "GRCh38",
    "hg38": "GRCh38",
    "hs38": "GRCh38",
    "t2t": "T2T-CHM13v2",
    "chm13": "T2T-CHM13v2",
}
DOCUMENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def known_build(name: str) -> str | None:
    """The published build that a name stands for."""
    plain = _plain(name)
    return next((build for alias, build in ALIASES.items() if plain.startswith(alias)), None)


def build_of(contigs: Mapping[str, int], names: Iterable[str]) -> str | None:
    """The build of these contigs, else the one that the header names; None where it is silent."""
    for contig in LONGEST:
        if build := LENGTHS.get(contigs.get(contig, 0)):
            return build
    for name in names:
        if build := known_build(name):
            return build
        if DOCUMENT_ID.fullmatch(name):
            return name
    return None


def contradicted(found: str | None, declared: Sequence[str]) -> str | None:
    """What parts a build from those ordered; None where it is one of them, or nothing is known.

    Two names that are both no published build are one where either holds the other; between a
    published build and a name of the lab's own there is nothing to compare.
    """
    if found is None or not declared or any(_may_be_one(found, name) for name in declared):
        return None
    return f"its header is of {found}, and the order names {' and '.join(declared)}"


def _may_be_one(found: str, name: str) -> bool:
    first, second = known_build(found), known_build(name)
    if first is not None and second is not None:
        return first == second
    if first is not None or second is not None:
        return True
    return _plain(found) in _plain(name) or _plain(name) in _plain(found)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())

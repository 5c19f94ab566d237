"""Whether what a run would take belongs together, before anything of it is submitted.

Positions mean something in one build alone. So what the reference was published with, by name,
length and MD5 of each sequence, is held against the headers of alignments and variants, against
every region and against the known sites. What disagrees is told on the log, with the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from genoflow.events.contig import Contig
from genoflow.events.errors import GenoflowError, Retry
from genoflow.events.input_finding import InputFinding
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.run_requested import RunRequested
from genoflow.events.stored_version import name_of
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.events.types import TEXT_CHARACTERS_MAX
from genoflow.processors.alignments import PANEL
from genoflow.processors.headings import Heading, Headings, Opening, Place, Unreadable
from genoflow.processors.ports import UNVERSIONED, ObjectArchived
from genoflow.processors.published import place_of
from genoflow.processors.running.regions import fault_in

ALIGNMENTS, VARIANTS = ("BAM", "CRAM"), ("VCF",)
SITES = (PANEL, "known-sites")  # kinds of files of a reference
FASTA = "fasta"
NAMES_SHOWN_MAX = 3
FINDINGS_MAX = 1_000  # as many as a request holds
ORDER = "or order the case with the reference that it was made with"


@dataclass(frozen=True, slots=True)
class Build:
    """The sequences of a reference, by their names."""

    name: str
    contigs: Mapping[str, Contig]

    @property
    def lengths(self) -> dict[str, int]:
        """How long each is."""
        return {name: one.length_bases for name, one in self.contigs.items()}


def build_of(reference: ReferencePublished) -> Build:
    """What a reference was published with."""
    name = f"{reference.document_id} {reference.version}"
    return Build(name, {one.name: one for one in reference.contigs})


def disagreement(opening: Opening, build: Build) -> str | None:
    """The first thing in which a file is not of this build; None where nothing is."""
    for one in opening.headings:
        if said := _other(one, build):
            return said
    for name, place in opening.reached:
        if said := _other(Heading(name), build):
            return said
        if place > (length := build.contigs[name].length_bases):
            return f"it has a record at {name:.100}:{place:,}, and that ends at {length:,}"
    return None


def _other(one: Heading, build: Build) -> str | None:
    known = build.contigs.get(one.name)
    if known is None:
        alike = next((name for name in _spellings(one.name) if name in build.contigs), None)
        if alike is not None:
            return f"it says {one.name:.100} where the reference says {alike}"
        names = ", ".join([*build.contigs][:NAMES_SHOWN_MAX])
        return f"it names the sequence {one.name:.100}, and the reference has {names} …"
    if one.length_bases and one.length_bases != known.length_bases:
        return (
            f"it gives {one.name} {one.length_bases:,} bases, and the reference has "
            f"{known.length_bases:,}: that is another build"
        )
    if one.md5 is not None and one.md5.lower() != known.md5.lower():
        return f"its {one.name} has other bases than that of the reference, by their MD5"
    return None


def _spellings(name: str) -> tuple[str, ...]:
    plain = name.removeprefix("chr")
    mitochondrion = {"M": "MT", "MT": "M"}.get(plain, plain)
    return f"chr{plain}", plain, f"chr{mitochondrion}", mitochondrion


def left_out(opening: Opening, build: Build) -> str | None:
    """That a file knows fewer sequences than the reference, which is allowed and worth knowing."""
    names = {one.name for one in opening.headings}
    absent = [name for name in build.contigs if name not in names]
    if not names or not absent:
        return None
    shown = ", ".join(absent[:NAMES_SHOWN_MAX])
    more = " …" if len(absent) > NAMES_SHOWN_MAX else ""
    return f"leaves out {len(absent):,} sequences of the reference ({shown}{more}), which it may"


# -- all that a run takes


def findings_of(
    asked: RunRequested,
    reference: ReferencePublished,
    targets: TargetSetPublished | None,
    headings: Headings,
) -> list[InputFinding]:
    """What is found of a run's files, the reasons to refuse it first; Retry where none answers."""
    build = build_of(reference)
    found = [
        *_of_reference(reference, headings),
        *_of_targets(targets, build, headings),
        *_of_sites(reference, build, headings),
        *_of_reads(asked, build, headings),
    ]
    return sorted(found, key=lambda one: not one.refuses)[:FINDINGS_MAX]


def finding(what: str, place: str, said: str, *, refuses: bool = True) -> InputFinding:
    """One finding, cut to what an event holds."""
    cut = said[:TEXT_CHARACTERS_MAX]
    return InputFinding(what=what, place=place[:TEXT_CHARACTERS_MAX], said=cut, refuses=refuses)


def _of_reference(reference: ReferencePublished, headings: Headings) -> Iterator[InputFinding]:
    name = f"the reference {reference.document_id} {reference.version}"
    files = [one for one in reference.files if one.kind == FASTA]
    if not files:
        said = f"{name} has no file of the kind {FASTA}; publish a version that has one"
        yield finding("reference", name, said)
    for one in files:
        place = place_of(one.uri)
        if place is None:
            said = f"{one.uri} of {name} is not in the object store; publish it with s3://…"
            yield finding("reference", one.uri, said)
            continue
        try:
            headings.look((*place, UNVERSIONED))
        except ObjectArchived:
            continue  # the run waits until it is restored
        except Retry:
            raise
        except GenoflowError as error:
            said = f"{name} cannot be fetched ({error}); put its {FASTA} there again"
            yield finding("reference", one.uri, said)


def _of_targets(
    targets: TargetSetPublished | None, build: Build, headings: Headings
) -> Iterator[InputFinding]:
    place = place_of(targets.uri) if targets else None
    if targets is None or place is None:
        return
    name = f"the regions {targets.document_id} {targets.version}"
    way = f"publish a version with regions of {build.name.split(' ')[0]}"
    try:
        with headings.lines((*place, UNVERSIONED)) as lines:
            fault = fault_in(lines, build.lengths, targets.padding_bases)
    except ObjectArchived:
        return
    except Retry:
        raise
    except GenoflowError as error:
        yield finding("targets", targets.uri, f"{name} cannot be fetched ({error}); {way}")
        return
    if fault is not None:
        yield finding(
            "targets", targets.uri, f"{name} are not those of {build.name}: {fault}; {way}"
        )


def _of_sites(
    reference: ReferencePublished, build: Build, headings: Headings
) -> Iterator[InputFinding]:
    for one in reference.files:
        place = place_of(one.uri)
        if one.kind in SITES and place is not None:
            whose = f"the {one.kind} of {build.name}"
            way = f"publish {build.name.split(' ')[0]} with sites of its own build"
            file = _File("known sites", one.uri, (*place, UNVERSIONED), whose, way)
            yield from _compared(file, build, headings.variants)


def _of_reads(asked: RunRequested, build: Build, headings: Headings) -> Iterator[InputFinding]:
    for member in asked.members:
        for file in member.files:
            if file.role not in (*ALIGNMENTS, *VARIANTS):
                continue
            open_it = headings.variants if file.role in VARIANTS else headings.alignment
            whose = f"the read set {file.read_set_id} of {member.sample_id}"
            way = (
                f"send it made with this reference (`genoflow reads send {member.sample_id} "
                f"--{file.role.lower()} FILE --read-set {file.read_set_id}`), {ORDER}"
            )
            place = file.bucket, file.object_key, file.version_id
            one = _File("reads", f"s3://{name_of(file)}", place, whose, way)
            yield from _compared(one, build, open_it)


@dataclass(frozen=True, slots=True)
class _File:
    """One that is held against the build, and what can be done where it disagrees."""

    what: str
    uri: str
    place: Place
    whose: str
    way: str

    def found(self, said: str, *, refuses: bool = True) -> list[InputFinding]:
        return [finding(self.what, self.uri, f"{self.whose} {said}", refuses=refuses)]


def _compared(
    file: _File, build: Build, open_it: Callable[[Place], Opening]
) -> Iterable[InputFinding]:
    try:
        opening = open_it(file.place)
    except ObjectArchived:
        said = "lies in an archive; it is compared once it is restored, by the run itself"
        return file.found(said, refuses=False)
    except Retry:
        raise
    except (Unreadable, GenoflowError) as error:
        return file.found(f"cannot be read ({error}); {file.way}")
    if other := disagreement(opening, build):
        return file.found(f"is not of {build.name}: {other}; {file.way}")
    if note := left_out(opening, build):
        return file.found(note, refuses=False)
    return []


def refusals(findings: Sequence[InputFinding]) -> tuple[InputFinding, ...]:
    """Those for which a run is not begun."""
    return tuple(one for one in findings if one.refuses)

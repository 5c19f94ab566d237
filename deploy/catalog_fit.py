"""Whether the files of new documents are what the documents say, as far as they lie here.

A reference names its sequences by length and MD5, regions and known sites count positions of them.
What is wrong there is said to whoever publishes, and not to each run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from genoflow.deploy.catalog import AnyDocument, order_of
from genoflow.deploy.catalog_files import LocalFile
from genoflow.events.errors import Refused
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.processors.adapters.s3_headings import opening_of_variants
from genoflow.processors.headings import Heading, Opening
from genoflow.processors.running.fit import FASTA, SITES, Build, build_of, disagreement
from genoflow.processors.running.regions import fault_in

FAULTS_SHOWN_MAX = 30  # about one screen


def refuse_unfit(
    new: Sequence[AnyDocument], known: Sequence[AnyDocument], files: Sequence[LocalFile]
) -> None:
    """Refused where a file here is not of its document's build; each file is named."""
    here = {one.uri: one.path for one in files}
    faults = [
        f"{path}: {fault}"
        for document in new
        for path, fault in _faults(document, [*known, *new], here)
    ]
    if faults:
        more = ["nothing was published; mend these and try again"]
        raise Refused("\n".join([*faults[:FAULTS_SHOWN_MAX], *more]))


def _faults(
    document: AnyDocument, everything: Sequence[AnyDocument], here: dict[str, Path]
) -> Iterator[tuple[Path, str]]:
    if isinstance(document, TargetSetPublished) and document.uri in here:
        path, reference = here[document.uri], _reference_of(document, everything)
        if reference is not None:
            build = build_of(reference)
            with path.open("rb") as lines:
                fault = fault_in(lines, build.lengths, document.padding_bases)
            if fault:
                yield path, f"is not of {build.name}: {fault}"
    if isinstance(document, ReferencePublished):
        build = build_of(document)
        for file in document.files:
            if file.uri in here and (fault := _fault(file.kind, here[file.uri], build)):
                yield here[file.uri], f"is not of {build.name}: {fault}"


def _reference_of(
    regions: TargetSetPublished, everything: Iterable[AnyDocument]
) -> ReferencePublished | None:
    return next(
        (
            one
            for one in everything
            if isinstance(one, ReferencePublished)
            and one.document_id == regions.reference
            and order_of(one.version) == order_of(regions.reference_version)
        ),
        None,
    )


def _fault(kind: str, path: Path, build: Build) -> str | None:
    if kind == FASTA:
        found = Opening(tuple(_sequences(path)))
        names = {one.name for one in found.headings}
        absent = next((name for name in build.contigs if name not in names), None)
        said = absent and f"the document names the sequence {absent}, and it is not in the file"
        return disagreement(found, build) or said
    if kind in SITES:
        try:
            return disagreement(opening_of_variants(str(path)), build)
        except (OSError, ValueError) as error:
            return f"it cannot be read as VCF or BCF ({error})"
    return None


def _sequences(fasta: Path) -> Iterator[Heading]:
    """Each sequence of a FASTA, with its length and the MD5 of its bases in upper case."""
    name, length, digest = "", 0, hashlib.md5(usedforsecurity=False)
    with fasta.open("rb") as lines:
        for line in lines:
            if line.startswith(b">"):
                if name:
                    yield Heading(name, length, digest.hexdigest())
                name = (line[1:].split() or [b""])[0].decode(errors="replace")
                length, digest = 0, hashlib.md5(usedforsecurity=False)
            else:
                bases = line.strip().upper()
                length += len(bases)
                digest.update(bases)
    if name:
        yield Heading(name, length, digest.hexdigest())

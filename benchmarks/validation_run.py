"""One contestant of `benchmarks/validation.py` that is ours, in a process of its own.

every PATH   all of it: checksums, validation, every metric
base PATH    the same with the sums alone
limit PATH   the bytes inflated and hashed, and nothing looked at
inflate PATH, hash PATH   the two halves of it
whole PATH [FASTA]   what `genoflow validate` does with a file of any format
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from genoflow.processors.validation.engine import PythonEngine
from genoflow.processors.validation.findings import Findings
from genoflow.processors.validation.inflate import blocks_of, compression_of
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.reads.reader import read_fastq
from genoflow.processors.validation.source import Source

PIECE_BYTES = 4 * 1024**2  # as the flow reads objects
HEAD_BYTES = 66_000


class NoDigests:
    """What hashes nothing."""

    md5 = sha256 = ""

    def update(self, piece: bytes) -> None:
        """Leave it."""


def pieces(path: Path) -> Iterator[bytes]:
    """The file as it is stored."""
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def measured(path: Path, *, every: bool) -> None:
    """What the validator does; it has to find nothing."""
    source, findings = Source(pieces(path)), Findings()
    compression = compression_of(source.peek(HEAD_BYTES))
    found = read_fastq(source, compression, Expected("R1"), findings, every=every)
    source.drain()
    if not found.reads or list(findings) or len(source.md5) != 32:
        raise SystemExit(f"{path.name}: {list(findings)}")


def whole(path: Path, reference: Path | None) -> None:
    """The engine over a file, in which it has to find nothing."""
    report = PythonEngine().validate(pieces(path), Expected(reference_path=reference))
    if list(report.findings) or len(report.md5 or "") != 32:
        raise SystemExit(f"{path.name}: {list(report.findings)}")


def inflated(source: Source) -> None:
    """Its text, thrown away."""
    size = sum(len(block.text) for block in blocks_of(
        source, compression_of(source.peek(HEAD_BYTES)), needs_end=False
    ))  # fmt: skip
    if not size:
        raise SystemExit("it has no text")


def main(what: str, path: Path, *others: Path) -> None:
    """Do it once."""
    if what in ("every", "base"):
        measured(path, every=what == "every")
        return
    if what == "whole":
        whole(path, *others or (None,))
        return
    if what == "start":
        return
    if what == "inflate":
        inflated(Source(pieces(path), NoDigests()))  # type: ignore[arg-type]
        return
    source = Source(pieces(path))
    if what == "limit":
        inflated(source)
    source.drain()
    if len(source.md5) != 32:
        raise SystemExit("it has no checksum")


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))

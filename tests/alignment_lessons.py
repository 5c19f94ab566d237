"""What makes the histories of alignments meet: few files, and answers to few rounds."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.qc_requested import QcRequested
from genoflow.events.read_set_file import ReadSetFile
from genoflow.processors.alignments import ANSWERS
from genoflow.processors.processor import Processor
from tests.examples import example

ROUNDS = (1, 2, 3)
SELDOM = 0.1  # of what locks files away: else most histories are over before they have begun
MATERIALS = ("BAM", "BAM", "BAM", "BAM", "CRAM", "FASTQ")


def taught(row: Processor, event: Event, source: random.Random) -> Event:
    """The event as the histories of this row have it."""
    assert type(event) in (*row.on, *row.folds)
    if isinstance(event, FileQuarantined) and source.random() > SELDOM:
        event = example(QcRequested, source.randrange(10**9))
    return type(event)(**dict(event) | _narrowed(event, source)).enveloped(event.envelope)


def _narrowed(event: Event, source: random.Random) -> dict[str, Any]:
    if isinstance(event, QcRequested):
        return requested(source, panels=1 - SELDOM, targets=0.5) | _files(source)
    if isinstance(event, ANSWERS):
        return answered(source)
    version = source.choice(("1", "null"))
    if isinstance(event, FileQuarantined):
        # Before the answer to its round or after it: which of them is no matter of this row.
        return {"bucket": "raw", "object_key": "3.BAM", "version_id": version}
    assert isinstance(event, FileLanded)
    return {"bucket": "raw", "object_key": source.choice(("1.BAM", "2.BAM")), "version_id": version}


def _files(source: random.Random) -> dict[str, Any]:
    sets = source.choice((("1",), ("1",), ("1", "2")))
    roles = source.choice((("BAM", "BAI"), ("BAM", "BAI"), ("BAM",)))
    files = (
        ReadSetFile(
            read_set_id=name, role=role, bucket="raw", object_key=f"{name}.{role}",
            version_id=source.choice(("1", "null")), size_bytes=10, sha256="0" * 64,
        )
        for name in sets
        for role in roles
    )  # fmt: skip
    return {"read_set_ids": sets, "files": tuple(files)}


def requested(source: random.Random, *, panels: float, targets: float) -> dict[str, Any]:
    """Which alignments, over what: rounds that owe both, one, or nothing, each so often."""
    has_panel = source.random() < panels
    has_targets = source.random() < targets
    return {
        "round": source.choice(ROUNDS), "material": source.choice(MATERIALS),
        "panel_uri": "s3://references/panel.vcf" if has_panel else None,
        "panel_sha256": "0" * 64 if has_panel else None,
        "target_set": "exome" if has_targets else None, "target_set_version": "1",
        "target_set_uri": "s3://references/t.bed" if has_targets else None,
        "target_set_sha256": "0" * 64 if has_targets else None,
    }  # fmt: skip


def answered(source: random.Random) -> dict[str, Any]:
    """To which round."""
    return {"round": source.choice(ROUNDS)}


NARROWED: Mapping[type[Event], Callable[[random.Random], dict[str, Any]]] = dict.fromkeys(
    ANSWERS, answered
)

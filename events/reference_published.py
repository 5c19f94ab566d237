"""A reference build can be used."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.contig import Contig
from genoflow.events.event import About, Event
from genoflow.events.reference_file import ReferenceFile
from genoflow.events.types import ITEMS_MAX, Count, DocumentId, Name, Version


class ReferencePublished(Event):
    """The bundle is fixed under this version, its sequences by checksum."""

    about: ClassVar[About] = About(
        topics=(topics.CATALOG,),
        key="document_id",
        version="1.0",
        identity=("document_id", "version"),
    )

    document_id: DocumentId = Field(description="the build, such as GRCh38")
    version: Version = Field(description="its version")
    title: Name = Field(description="for people")
    genome_bases: Count = Field(description="length without gaps, for coverage by yield")
    contigs: tuple[Contig, ...] = Field(
        min_length=1, max_length=ITEMS_MAX, description="in the order of the FASTA"
    )
    files: tuple[ReferenceFile, ...] = Field(min_length=1, max_length=100, description="the bundle")

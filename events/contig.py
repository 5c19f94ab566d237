"""One sequence of a reference."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Count, Md5, Name, Part


class Contig(Part):
    """One sequence of a reference, known by its checksum and not by its name."""

    name: Name = Field(description="as the FASTA calls it")
    length_bases: Count = Field(description="how long it is")
    md5: Md5 = Field(description="of its upper-case bases, as SAM's M5")

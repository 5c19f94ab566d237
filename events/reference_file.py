"""One file of a reference bundle."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Bytes, Name, Part, Sha256, Uri


class ReferenceFile(Part):
    """One file of a reference bundle."""

    kind: Name = Field(description="such as fasta, fai, dict, bwa or known-sites")
    uri: Uri = Field(description="where it is")
    size_bytes: Bytes = Field(description="how long it is")
    sha256: Sha256 = Field(description="of its bytes")

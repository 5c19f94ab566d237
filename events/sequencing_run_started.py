"""An instrument began to write a run."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.read_cycles import ReadCycles
from genoflow.events.types import Identifier, InstrumentRunId, Lane, Name, Sha256, Small, Uri


class SequencingRunStarted(Event):
    """A run folder with a readable RunInfo is there; its end is awaited."""

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN,),
        key="instrument_run_id",
        version="1.0",
        identity=("instrument_run_id",),
    )

    instrument_run_id: InstrumentRunId = Field(description="the run, as RunInfo names it")
    instrument_id: Name = Field(description="serial number of the instrument")
    instrument_model: Name = Field(
        description="such as MiSeq or NovaSeq X; it decides which marker is awaited"
    )
    platform: Name = Field(description="the layout of the folder, such as illumina")
    run_number: Small | None = Field(None, description="the instrument's own count")
    flow_cell_id: Identifier = Field(description="the flow cell")
    lanes: Lane = Field(description="how many lanes it has")
    reads: tuple[ReadCycles, ...] = Field(
        min_length=1, max_length=16, description="in the order of sequencing"
    )
    run_folder: Uri = Field(description="where the instrument writes")
    run_info_sha256: Sha256 = Field(description="of RunInfo.xml, by which a later change is seen")
    control_software: Name | None = Field(None, description="from RunParameters")
    chemistry: Name | None = Field(None, description="from RunParameters")

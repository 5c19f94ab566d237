"""Facts of an instrument run that are also handed to each of its samples."""

from __future__ import annotations

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.types import InstrumentRunId, SampleId


class RunOrSample(Event):
    """Said once on the run's own key, and once more on the key of every sample that it concerns."""

    instrument_run_id: InstrumentRunId = Field(description="the run")
    sample_id: SampleId | None = Field(
        None, description="the sample to which it is handed; none on the run's own key"
    )

    @property
    def key(self) -> str:
        """The sample to which it is handed, else the run."""
        return self.sample_id or self.instrument_run_id

    @property
    def topic(self) -> str:
        """The sample's topic where it is handed to one, else the run's."""
        return (topics.SAMPLE if self.sample_id else topics.SEQUENCING_RUN).name

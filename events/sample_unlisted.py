"""The sheet of a run does not hold a sample whose files name the run."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.run_or_sample import RunOrSample
from genoflow.events.types import Ordinal, SampleId


class SampleUnlisted(RunOrSample):
    """The files of the sample name this run, and the sheet in force does not hold it.

    SampleListed is the positive twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.SEQUENCING_RUN, topics.SAMPLE),
        key="instrument_run_id",
        version="1.0",
        discriminator=("claimed_sample_id",),
    )

    claimed_sample_id: SampleId = Field(description="the sample that the files name")
    sheet_revision: Ordinal = Field(description="the sheet that was in force")

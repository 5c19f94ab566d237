"""For how long one class of files is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from genoflow.events.types import Choices, KeepDays, Name, Part

READS, ALIGNMENT, VARIANTS, OTHER = "reads", "alignment", "variants", "other"
UNASSIGNED, WORK, RESULTS, UNPUBLISHED = "unassigned", "work", "results", "unpublished"
UNDETERMINED, RUN_FOLDER, DELIVERY = "undetermined", "run_folder", "delivery"
OF_SAMPLE = (READS, ALIGNMENT, VARIANTS, OTHER, UNASSIGNED)
OF_RUN = (WORK, RESULTS, UNPUBLISHED)
OF_SEQUENCING_RUN = (UNDETERMINED, RUN_FOLDER)
# A delivered copy stands under whomever its metadata name, so its class is of no one topic.
FileClass = Annotated[str, Choices(*OF_SAMPLE, *OF_RUN, *OF_SEQUENCING_RUN, DELIVERY)]


class RetentionRule(Part):
    """Files of a class may be deleted so many days after what the class counts from."""

    name: Name = Field(description="by which a deletion names it")
    file_class: FileClass = Field(
        description="which files; docs/buckets.md says from when the days of each class count"
    )
    keep_days: KeepDays = Field(description="days; a class without a rule is kept for ever")

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
        description="work and unpublished count from the run's last event, results from their "
        "publication, run_folder from the end of its demultiplexing, delivery from when a copy "
        "was put there, and all others from their landing"
    )
    keep_days: KeepDays = Field(description="days; a class without a rule is kept for ever")

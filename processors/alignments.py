"""What is read of a round's alignments before its reads can be measured, and when it is owed."""

from __future__ import annotations

from genoflow.events.contamination_estimated import ContaminationEstimated
from genoflow.events.contamination_not_estimated import ContaminationNotEstimated
from genoflow.events.metric_registry import ALIGNED, JUDGED
from genoflow.events.qc_requested import QcRequested
from genoflow.events.reference_file import ReferenceFile
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.target_coverage_measured import TargetCoverageMeasured
from genoflow.events.target_coverage_not_measured import TargetCoverageNotMeasured

PANEL = "contamination-sites"  # the kind of the file in a reference
CONTAMINATION = "contamination"
TARGETS = "targets"
# By what is owed, the metrics that it brings.
BRINGS = {
    CONTAMINATION: (CONTAMINATION,),
    TARGETS: tuple(one.name for one in JUDGED if one.name.startswith("target_")),
}
Share = ContaminationEstimated | ContaminationNotEstimated
Answer = Share | TargetCoverageMeasured | TargetCoverageNotMeasured
ANSWERS = (
    ContaminationEstimated,
    ContaminationNotEstimated,
    TargetCoverageMeasured,
    TargetCoverageNotMeasured,
)


def panel_of(reference: ReferencePublished) -> ReferenceFile | None:
    """The common variants of a reference, over which foreign reads are counted."""
    return next((one for one in reference.files if one.kind == PANEL), None)


def owed(request: QcRequested) -> tuple[str, ...]:
    """What this round waits for; a request of before these could be told owes nothing."""
    if request.material not in ALIGNED:
        return ()
    asked = {one.metric for one in request.thresholds}
    found = []
    if request.panel_uri is not None or CONTAMINATION in asked:
        found.append(CONTAMINATION)
    if request.target_set_uri is not None:
        found.append(TARGETS)
    return tuple(found)


def answered(event: Answer) -> str:
    """Which of what is owed this answers."""
    return CONTAMINATION if isinstance(event, Share) else TARGETS

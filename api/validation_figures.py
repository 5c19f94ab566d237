"""How long the validation of files took, by their format, as a figure of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.metrics_core import HistogramMetricFamily

from genoflow.projections.files import count_validations
from genoflow.projections.paging import Found
from genoflow.projections.store import Connection

# A small file takes a tenth of a second, 100 GB at 100 MB/s a quarter of an hour; six hours are
# the limit of one attempt.
BOUNDS_SECONDS = (0.1, 1, 10, 60, 300, 900, 3_600, 14_400, 21_600)
UNKNOWN = "unknown"  # of bytes in which no format was found


async def validation_seconds(connection: Connection) -> HistogramMetricFamily:
    """The figure as the rows tell it: the same whichever worker did the work."""
    return family_of(await count_validations(connection, BOUNDS_SECONDS))


def family_of(found: Iterable[Found]) -> HistogramMetricFamily:
    """The figure of these counts, one for each format."""
    told = HistogramMetricFamily(
        "validation_duration_seconds",
        "How long the read of a file took that ended with its verdict.",
        labels=("file_type",),
    )
    for row in found:
        within = zip(BOUNDS_SECONDS, row["within"], strict=True)
        buckets = [(f"{bound:g}", float(count)) for bound, count in within]
        name = (row["format"] or UNKNOWN).lower()
        told.add_metric([name], [*buckets, ("+Inf", row["number"])], row["total_seconds"])
    return told

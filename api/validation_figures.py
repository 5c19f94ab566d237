"""How long the validation of files took, by their format, in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from genoflow.projections.files import count_validations
from genoflow.projections.paging import Found
from genoflow.projections.store import Connection

NAME = "validation_duration_seconds"
ABOUT = "How long the read of a file took that ended with its verdict."
# A small file takes a tenth of a second, 100 GB at 100 MB/s a quarter of an hour; six hours are
# the limit of one attempt.
BOUNDS_SECONDS = (0.1, 1, 10, 60, 300, 900, 3_600, 14_400, 21_600)
UNKNOWN = "unknown"  # of bytes in which no format was found


async def validation_lines(connection: Connection) -> list[str]:
    """The figure as the rows tell it: the same whichever worker did the work."""
    return list(_lines(await count_validations(connection, BOUNDS_SECONDS)))


def _lines(found: list[Found]) -> Iterator[str]:
    yield f"# HELP {NAME} {ABOUT}"
    yield f"# TYPE {NAME} histogram"
    for row in found:
        label = f'file_type="{(row["format"] or UNKNOWN).lower()}"'
        for bound, count in zip(BOUNDS_SECONDS, row["within"], strict=True):
            yield f'{NAME}_bucket{{{label},le="{bound:g}"}} {count}'
        yield f'{NAME}_bucket{{{label},le="+Inf"}} {row["number"]}'
        yield f"{NAME}_sum{{{label}}} {row['total_seconds']:g}"
        yield f"{NAME}_count{{{label}}} {row['number']}"

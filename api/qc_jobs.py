"""A job of QC by its id: a round of a sample, or a question about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from genoflow.api.qc_answers import NEITHER
from genoflow.api.reading import Reading
from genoflow.api.refusal import Refusal
from genoflow.projections import qc, qc_analyses

JOB = re.compile(r"(?P<sample>[^/]{1,200})\.(?P<round>[1-9][0-9]{0,3})")
QUESTION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


async def job_found(reading: Reading, qc_job_id: str) -> tuple[Mapping[str, Any], bool]:
    """Its row, and whether it is a round; a Refusal of 404 where nobody has asked for it."""
    found: Mapping[str, Any] | None = None
    is_round = QUESTION.fullmatch(qc_job_id) is None
    if not is_round:
        found = await qc_analyses.analysis_of(reading.connection, UUID(qc_job_id), at=reading.at)
    elif named := JOB.fullmatch(qc_job_id):
        found = await qc.qc_of(
            reading.connection, named["sample"], int(named["round"]), at=reading.at
        )
    if not found:
        raise Refusal(404, f"QC {qc_job_id}: nobody has asked for it; {NEITHER}")
    return found, is_round

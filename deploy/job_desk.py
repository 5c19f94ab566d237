"""A job that a person asks for at the command line, by what the log says of its samples."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from genoflow.api.job_orders import ENDED_WELL, Takes, Wish, order_of_job
from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_opened import CaseOpened
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.subjects import Subjects
from genoflow.processors.configurations import configuration_of
from genoflow.processors.ports import CatalogReader

SOURCE = "genoflow-cli"


async def job_order(
    subjects: Subjects, catalog: CatalogReader, wish: Wish, job_id: UUID
) -> CaseOpened:
    """The order that the job is; NoJob names everything that is wrong with the wish."""
    pipeline = await catalog.find(PipelinePublished, wish.pipeline_id)
    saved = await configuration_of(catalog, wish.config_id) if wish.config_id else None
    configured = saved.pipeline if saved else None
    takes = Takes(pipeline.case_kinds, pipeline.materials, configured) if pipeline else None
    orders = await _orders_of(subjects, wish.sample_ids)
    return order_of_job(wish, takes, orders, job_id, SOURCE)


async def _orders_of(subjects: Subjects, sample_ids: Sequence[str]) -> list[CaseOpened]:
    """What was ordered for these samples and not taken back, the newest order last."""
    stories = await subjects.events_of(topics.SAMPLE, sample_ids)
    named = {
        event.case_id: None
        for story in stories.values()
        for event in story
        if isinstance(event, CaseJoined)
    }
    found = [_standing(story) for story in (await subjects.events_of(topics.CASE, named)).values()]
    orders = [one for one in found if one is not None]
    return sorted(orders, key=lambda one: (one.envelope.occurred_at, one.case_id))


def _standing(story: Sequence[object]) -> CaseOpened | None:
    """The order of a case, unless it was taken back."""
    for event in story:
        if isinstance(event, CaseClosed) and event.outcome != ENDED_WELL:
            return None
    return next((one for one in story if isinstance(one, CaseOpened)), None)

"""What an operation is called: stable, short, and the same in every client."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute

from genoflow.api.operations import operation_id


async def nothing() -> None:
    """Does nothing."""


@pytest.mark.parametrize(
    ("tag", "name", "expected"),
    [
        ("samples", "list_samples", "samples_list"),
        ("samples", "show_sample", "samples_get"),
        ("samples", "count_samples", "samples_count"),
        ("samples", "list_waiting", "samples_list_waiting"),
        ("sequencing runs", "list_runs", "sequencing_runs_list"),
        ("sequencing runs", "show_run", "sequencing_runs_get"),
        ("execution", "show_job", "execution_get_job"),
        ("ingestion", "list_all", "ingestion_list"),
        ("timelines", "case_timeline", "timelines_case"),
        ("why", "why_case", "why_case"),
        ("notifications", "subscribe", "notifications_subscribe"),
        ("wishes", "create_wish", "wishes_create"),
    ],
)
def test_an_operation_is_called_by_its_tag_and_what_is_done(
    tag: str, name: str, expected: str
) -> None:
    assert operation_id(APIRoute("/", nothing, name=name, tags=[tag])) == expected
    assert operation_id(APIRoute("/", nothing, name=name)) == name.replace("show_", "get_")

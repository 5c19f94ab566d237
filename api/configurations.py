"""Configurations of pipelines: held against the pipeline's own schema, saved, and listed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from genoflow.api.guard import GuardedRoute, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import PAGE_DEFAULT, After, Limit, Reading, ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.api.resources import MachineOut, resources
from genoflow.api.rows import key_of, page
from genoflow.api.writing import OutsideHere, WritingHere
from genoflow.events.types import ID_CHARACTERS_MAX
from genoflow.projections import catalog
from genoflow.projections.document_states import IN_FORCE
from genoflow.projections.paging import Found

KIND = "configuration"
ORDER = {"document_id": str, "version_order": str, "version": str}
PARAMETERS: dict[str, Any] = {"variant_caller": "bcftools", "quality_threshold": 30}

reads = APIRouter(prefix="/pipelines", tags=["pipelines"], route_class=ReadingRoute)
router = APIRouter(prefix="/pipelines", tags=["pipelines"], route_class=GuardedRoute)

PipelineVersion = Annotated[
    str | None,
    Field(
        max_length=20, pattern=r"^[0-9]{1,18}(\.[0-9]{1,18}){0,2}$", examples=["1"],
        description="the one version that it is for; else whichever is active",
    ),
]  # fmt: skip


class ConfigurationIn(BaseModel):
    """Parameters under a name; the same name again is a new version."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=ID_CHARACTERS_MAX, examples=["Custom WGS Config"])
    parameters: dict[str, Any] = Field(
        description="what differs from the pipeline's defaults", examples=[PARAMETERS]
    )
    resource_requirements: dict[str, Any] | None = Field(
        None, description="what a step may take: cpu, memory and disk, with their units",
        examples=[{"cpu": 16, "memory": "64GB", "disk": "500GB"}],
    )  # fmt: skip
    pipeline_version: PipelineVersion = None


class ConfigurationMade(BaseModel):
    """What is saved."""

    config_id: str = Field(description="by which a run is asked for with it")
    pipeline_id: str = Field(examples=["germline"])
    name: str = Field(examples=["Custom WGS Config"])
    version: str = Field(examples=["1"])
    created_at: datetime


class ConfigurationChecked(BaseModel):
    """Whether it could be saved; nothing is."""

    is_valid: bool
    pipeline_version: str = Field(description="against which it was held", examples=["1"])
    faults: list[str] = Field(
        description="each with the parameter, what is so, and what can be",
        examples=[["parameters.variant_caller: is 'GATK', and can be bcftools"]],
    )


class PipelineConfiguration(ConfigurationMade):
    """The newest version of a configuration."""

    created_by: str
    pipeline_version: str | None = Field(description="null: whichever is active")
    parameters: dict[str, Any] = Field(examples=[PARAMETERS])
    resource_requirements: MachineOut | None
    is_preset: bool = Field(description="it comes with the pipeline")


class ConfigurationsOut(BaseModel):
    """A page of configurations."""

    configurations: list[PipelineConfiguration]
    next: str | None = Field(
        description="hand it to `after` for the next page; null at the end", examples=[None]
    )


@router.post(
    "/{pipeline_id}/configurations", summary="Save a configuration", status_code=201,
    response_model=ConfigurationMade, responses={404: {}},
)  # fmt: skip
@asks(Permission.PIPELINES_WRITE)
async def save_configuration(
    pipeline_id: str, wish: ConfigurationIn, writing: WritingHere
) -> ConfigurationMade:
    """Save parameters of a pipeline under a name, once its schema takes them.

    The same name with other parameters is a new version of the same configuration.
    """
    desk = writing.outside.desks.configurations
    fact = await desk.save(pipeline_id, wish.model_dump(), writing.stated, writing.put)
    return ConfigurationMade(
        config_id=fact.document_id, pipeline_id=fact.pipeline, name=fact.title,
        version=fact.version, created_at=fact.envelope.occurred_at,
    )  # fmt: skip


@router.post(
    "/{pipeline_id}/configurations/check", summary="Check a configuration",
    response_model=ConfigurationChecked, responses={404: {}},
)  # fmt: skip
@asks(Permission.PIPELINES_READ)
async def check_configuration(
    pipeline_id: str, wish: ConfigurationIn, outside: OutsideHere
) -> ConfigurationChecked:
    """Say everything for which the pipeline would not take these parameters; save nothing."""
    found = await outside.desks.configurations.check(pipeline_id, wish.model_dump())
    return ConfigurationChecked(
        is_valid=not found.faults, pipeline_version=found.pipeline_version,
        faults=list(found.faults),
    )  # fmt: skip


@reads.get(
    "/{pipeline_id}/configurations", summary="Configurations of a pipeline", responses={404: {}}
)
@asks(Permission.PIPELINES_READ)
async def list_configurations(
    reading: ReadingHere, pipeline_id: str, after: After = None, limit: Limit = PAGE_DEFAULT
) -> ConfigurationsOut:
    """List the newest version of each configuration of a pipeline, presets among them."""
    connection, at = reading.connection, reading.at
    if not await catalog.list_documents(
        connection, kind="pipeline", document_id=pipeline_id, limit=1, at=at
    ):
        raise Refusal(404, f"pipeline {pipeline_id}: was never published; /pipelines lists them")
    found = await catalog.list_documents(
        connection, kind=KIND, state=IN_FORCE, pipeline=pipeline_id,
        after=key_of(after, ORDER), limit=limit, at=at,
    )  # fmt: skip
    configurations = [await _configuration(reading, one) for one in found]
    return ConfigurationsOut(configurations=configurations, next=page(found, ORDER, limit)["next"])


async def _configuration(reading: Reading, row: Found) -> PipelineConfiguration:
    name, version = row["document_id"], row["version"]
    content = await catalog.content_of(reading.connection, name, version, at=reading.at)
    assert content is not None, "a version and its content are written together"
    return PipelineConfiguration(
        config_id=name, pipeline_id=content["pipeline"], name=row["title"], version=version,
        created_at=row["published_at"], created_by=row["published_by"],
        pipeline_version=content["pipeline_version"],
        parameters=json.loads(content["parameters_json"]),
        resource_requirements=resources(content["resource_requirements"]),
        is_preset=content["is_preset"],
    )  # fmt: skip

"""The settings of this deployment, for administrators, without any secret."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from genoflow.api.guard import GuardedRoute, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.refusal import Refusal
from genoflow.api.writing import OutsideHere

router = APIRouter(prefix="/config", tags=["configuration"], route_class=GuardedRoute)


class ConfigurationOut(BaseModel):
    """What one service of this deployment is set to."""

    config: dict[str, Any] = Field(
        examples=[
            {
                "database_url": "postgresql://[redacted]@db.lab.example:5432/genoflow",
                "aws_region": "eu-central-1",
                "feature_flags": {},
            }
        ]
    )


@router.get(
    "/{environment}/{service}", summary="Settings of a service", response_model=ConfigurationOut,
    responses={404: {}},
)  # fmt: skip
@asks(Permission.CONFIG_READ)
async def show_configuration(
    environment: str, service: str, outside: OutsideHere
) -> ConfigurationOut:
    """Tell what a service of this deployment is set to; secrets are redacted."""
    known = outside.desks.configuration
    if environment != known.environment:
        raise Refusal(
            404, f"environment {environment}: is not this one, which is {known.environment}; ask "
            f"the API of that deployment, which alone knows its settings",
        )  # fmt: skip
    found = known.services.get(service)
    if found is None:
        raise Refusal(404, f"service {service}: is none; there are {', '.join(known.services)}")
    return ConfigurationOut(config=dict(found))

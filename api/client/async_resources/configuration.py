"""Configuration; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from genoflow.api.client.call import Call, path_of
from genoflow.api.client.models.configuration import Configuration
from genoflow.api.client.wire import AsyncWire


class AsyncConfigurationCalls:
    """The calls of configuration."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    async def get(self, environment: str, service: str) -> Configuration:
        """Tell what a service of this deployment is set to; secrets are redacted."""
        call = Call(
            method="GET",
            path=path_of(
                "/v1/config/{environment}/{service}", environment=environment, service=service
            ),
        )
        return await self._wire.ask(call, {200: Configuration})

"""Configuration; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genoflow.api.client.answers import Answer


class Configuration(Answer):
    """What one service of this deployment is set to."""

    config: Mapping[str, Any]

"""The table of prices by which costs are estimated: the deployment's own, else the package's."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import as_file, files

from genoflow.deploy.settings import Settings
from genoflow.events.errors import Refused
from genoflow.processors.running.prices import Prices, read_prices

SHIPPED = "aws.json"


def shipped_prices() -> str:
    """The table that comes with the package, as text."""
    return files("genoflow.deploy.prices").joinpath(SHIPPED).read_text(encoding="utf-8")


def prices_of(settings: Settings) -> Prices:
    """The table of this deployment; Refused where its file is none."""
    if settings.prices is not None:
        return read_prices(settings.prices)
    with as_file(files("genoflow.deploy.prices").joinpath(SHIPPED)) as path:
        return read_prices(path)


def prices_or_none(settings: Settings, tell: Callable[[str], None]) -> Prices | None:
    """The same for a run, which no table may stop: where it is none, costs are unknown."""
    try:
        return prices_of(settings)
    except Refused as error:
        tell(f"genoflow: {error}; until then nobody knows what tasks cost")
        return None

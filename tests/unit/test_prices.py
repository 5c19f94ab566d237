"""What tasks come to by a table of prices: by their machine, by what they asked for, or unknown."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from genoflow.deploy.price_table import prices_of, prices_or_none, shipped_prices
from genoflow.deploy.settings import Settings
from genoflow.events.errors import Refused
from genoflow.events.task_resources import TaskResources
from genoflow.processors.running.prices import Prices

GB = 10**9
TABLE = Prices.model_validate({
    "title": "t", "as_of": "2026-01-01", "region": "r", "source": "s", "spot_share": "0.5",
    "launchers": {"awsbatch": {"cpu_hour_usd": "0.04", "memory_gb_hour_usd": "0.005"}},
    "machines": {"big": {"cpus": 8, "memory_gb": "32", "hour_usd": "0.8"}},
})  # fmt: skip


def test_a_task_costs_its_share_of_cores_and_memory() -> None:
    asked = TaskResources(cpus=4, memory_bytes=8 * GB)
    assert TABLE.cost_of("awsbatch", asked, 1_800.0) == Decimal("0.050000")
    held = TaskResources(cpus=4, peak_rss_bytes=2 * GB)  # nothing was asked for: what it held
    assert TABLE.cost_of("awsbatch", held, 3_600.0) == Decimal("0.085000")


def test_a_machine_that_is_known_is_paid_by_the_larger_share() -> None:
    asked = TaskResources(cpus=2, memory_bytes=16 * GB, machine_type="big")
    assert TABLE.cost_of("awsbatch", asked, 3_600.0) == Decimal("0.200000")
    more = TaskResources(cpus=99, memory_bytes=16 * GB, machine_type="big")
    assert TABLE.cost_of("awsbatch", more, 3_600.0) == Decimal("0.400000")  # one machine at most


@pytest.mark.parametrize(
    ("launcher", "used", "seconds"),
    [
        ("local", TaskResources(cpus=1), 1.0),
        ("awsbatch", TaskResources(memory_bytes=1), 1.0),
        ("awsbatch", TaskResources(cpus=1), None),
    ],
)
def test_what_nobody_knows_is_no_cost(
    launcher: str, used: TaskResources, seconds: float | None
) -> None:
    assert TABLE.cost_of(launcher, used, seconds) is None


def test_a_deployment_names_its_own_table(tmp_path: Path) -> None:
    shipped = prices_of(Settings())
    assert shipped == Prices.model_validate_json(shipped_prices())
    own = tmp_path / "prices.json"
    own.write_text(json.dumps(json.loads(shipped_prices()) | {"region": "eu-central-1"}))
    assert prices_of(Settings(prices=own)).region == "eu-central-1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("{}", "launchers"),
        ('{"spot_share": 2}', "spot_share"),
        ("[" * 10, "prints a table to begin with"),
        (" " * 1_000_001, "larger than"),
    ],
)
def test_what_is_no_table_is_refused_and_stops_no_run(
    tmp_path: Path, text: str | None, words: str
) -> None:
    path, said = tmp_path / "prices.json", list[str]()
    if text is not None:
        path.write_text(text)
    settings = Settings(prices=path)
    with pytest.raises(Refused, match=words):
        prices_of(settings)
    assert prices_or_none(settings, said.append) is None
    assert words in said[0]

"""What a row keeps of an event, as Postgres is given it."""

from __future__ import annotations

import json

import pytest

from genoflow.events.catalogue import EVENTS
from genoflow.events.event import Event
from genoflow.projections.row import as_json, json_of
from tests.examples import example

SEEDS = 20


@pytest.mark.parametrize("model", EVENTS, ids=lambda model: model.__name__)
def test_the_fields_of_a_fact_are_the_same_json_both_ways(model: type[Event]) -> None:
    for seed in range(SEEDS):
        event = example(model, seed)
        assert json.loads(json_of(event)) == json.loads(as_json(event.payload()))

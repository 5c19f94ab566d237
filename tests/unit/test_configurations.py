"""What a run takes of a configuration, and machines and times as clients read them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genoflow.api.resources import duration, resources
from genoflow.deploy.pipelines import PIPELINES, PRESETS, pipeline_document, preset_documents
from genoflow.events.configuration_saved import ConfigurationSaved
from genoflow.events.errors import Refused
from genoflow.processors.configurations import configuration_of, parameters_with
from tests.fakes import FakeCatalog
from tests.run_facts import pipeline
from tests.spec import heard
from tests.unit.test_catalog import parsed, refused

SCHEMA = '{"properties":{"ploidy":{"type":"integer"}},"additionalProperties":false}'
PIPELINE = pipeline(parameters_schema_json=SCHEMA)


def saved(parameters: object = None, **fields: Any) -> ConfigurationSaved:
    """Parameters of that pipeline."""
    known: dict[str, Any] = {
        "document_id": "c1", "version": "1", "title": "mine", "pipeline": "germline",
        "parameters_json": json.dumps({"ploidy": 1} if parameters is None else parameters),
        "parameters_sha256": "0" * 64,
    }  # fmt: skip
    return ConfigurationSaved(**known | fields)


async def test_a_run_takes_the_newest_version_over_what_the_pipeline_says() -> None:
    catalog = FakeCatalog(heard(saved()), heard(saved({"ploidy": 3}, version="2")))
    found = await configuration_of(catalog, "c1")
    assert parameters_with(PIPELINE, found) == {"ploidy": 3}
    assert parameters_with(PIPELINE, await configuration_of(catalog, "c1", "1")) == {"ploidy": 1}
    assert parameters_with(PIPELINE, await configuration_of(catalog, "none")) == {"ploidy": 2}


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        (saved(pipeline="other"), "is of the pipeline other, and not of germline"),
        (saved(pipeline_version="2"), "is for version 2 of germline, and the run would take 1"),
        (saved({"ploidy": "x"}), "germline 1 does not take it (ploidy: is 'x', and integer"),
        (saved({"bed": "/x"}), "bed: is said by the flow of every run; leave it out"),
        (saved({"depth": 1}), "depth: the pipeline knows no such parameter; there are ploidy"),
    ],
)
def test_what_the_pipeline_does_not_take_is_refused(
    configuration: ConfigurationSaved, words: str
) -> None:
    with pytest.raises(Refused) as caught:
        parameters_with(PIPELINE, configuration)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", PIPELINES)
def test_presets_are_what_their_pipeline_takes(name: str) -> None:
    documents = [pipeline_document(name), *preset_documents(name)]
    [published, *presets] = parsed(documents)
    assert {one.title for one in presets} <= PRESETS.keys()
    for one in presets:
        assert one.is_preset
        assert parameters_with(published, one) == dict(PRESETS[one.title])
    if presets:
        properties = json.loads(published.parameters_schema_json)["$defs"]["calling"]["properties"]
        defaults = {key: properties[key]["default"] for key in PRESETS["standard"]}
        assert defaults == PRESETS["standard"]


@pytest.mark.parametrize("said", ["no JSON", "[]"])
def test_a_pipeline_whose_schema_is_no_object_is_named(said: str) -> None:
    with pytest.raises(Refused, match="germline 1: its schema of parameters are no JSON object"):
        parameters_with(pipeline(parameters_schema_json=said), saved())


def test_a_configuration_of_what_is_not_published_is_refused() -> None:
    plain = {"kind": "configuration", "version": "1", "title": "a", "parameters": {"x": 1}}
    assert refused(plain | {"pipeline": "none"}) == [
        "1.json: pipeline: none is not published; publish it first, or in the same command"
    ]
    germline = pipeline_document("germline")
    both = [germline, plain | {"pipeline": "germline", "pipeline_version": "1.0"}]
    assert refused(both)[0].endswith("pipeline_version: is 1.0; write 1, as it is published")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, None), (0, "PT0S"), (59.6, "PT1M"), (90, "PT1M30S"), (9_000, "PT2H30M"),
        (3_601, "PT1H1S"), (360_000, "PT100H"),
    ],
)  # fmt: skip
def test_a_duration_is_written_as_iso_8601(seconds: float | None, text: str | None) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, None), (0, "0B"), (64 * 10**9, "64GB"), (1_500 * 10**6, "1500MB"),
        (2**30, "1073741824B"),
    ],
)  # fmt: skip
def test_a_size_has_its_unit(size: int | None, text: str | None) -> None:
    found = resources({"cpus": 2, "memory_bytes": size, "disk_bytes": None})
    assert found is not None
    assert (found.cpu, found.memory, found.disk) == (2, text, None)
    assert resources(None) is None

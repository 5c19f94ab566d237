"""Older editions are read as the newest: minors by their defaults, majors by their upcasters."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field, StringConstraints

from genoflow.events import topics
from genoflow.events.catalogue import EVENTS
from genoflow.events.codec import HEADER_SEAL, PREFIX, Codec, header
from genoflow.events.errors import MalformedEvent, UnknownSchema
from genoflow.events.event import About, Event
from genoflow.events.registry import Edition, Registry
from genoflow.events.schema_release import plan
from genoflow.events.types import Fraction, Name, Part, SampleId
from genoflow.events.upcasters import UPCASTERS, Upcast
from tests.examples import example

Short = Annotated[str, StringConstraints(max_length=20)]


def about(version: str) -> About:
    return About(topics=(topics.SAMPLE,), key="sample_id", version=version)


class Depth(Part):
    """A depth with its unit."""

    value: float = Field(description="how deep")
    unit: Name = Field(description="in what")


def editions_of_the_toy() -> dict[str, type[Event]]:
    """The same type of event as it was written over the years."""

    def named(model: type[Event]) -> type[Event]:
        model.__name__ = "DepthMeasured"
        return model

    class First(Event):
        """A depth was measured."""

        about: ClassVar[About] = about("1.0")
        sample_id: SampleId = Field(description="the sample")
        depth: float = Field(description="fold")

    class Second(Event):
        """A depth was measured."""

        about: ClassVar[About] = about("1.1")
        sample_id: SampleId = Field(description="the sample")
        depth: float = Field(description="fold")
        method: Name = Field("unknown", description="how")
        share: Fraction | None = Field(None, description="of the targets")

    class Third(Event):
        """A depth was measured."""

        about: ClassVar[About] = about("2.0")
        sample_id: SampleId = Field(description="the sample")
        depth: Depth = Field(description="with its unit")
        method: Name = Field(description="how")

    class Fourth(Event):
        """A depth was measured."""

        about: ClassVar[About] = about("3.0")
        sample_id: SampleId = Field(description="the sample")
        depths: tuple[Depth, ...] = Field(description="each with its unit")
        method: Short = Field(description="how")

    models = (First, Second, Third, Fourth)
    return {model.about.version: named(model) for model in models}


TOYS = editions_of_the_toy()


def to_2(values: dict[str, Any]) -> dict[str, Any]:
    method = values.get("method", "unknown")
    depth = {"value": values["depth"], "unit": "x"}
    return {"sample_id": values["sample_id"], "depth": depth, "method": method}


def to_3(values: dict[str, Any]) -> dict[str, Any]:
    depths = [values["depth"]]
    return {"sample_id": values["sample_id"], "depths": depths, "method": values["method"]}


STEPS: dict[tuple[str, int], Upcast] = {("DepthMeasured", 1): to_2, ("DepthMeasured", 2): to_3}


def all_editions() -> tuple[Edition, ...]:
    released: tuple[Edition, ...] = ()
    for model in TOYS.values():
        released += plan([model], released, STEPS)
    return released


def codec_at(version: str, steps: dict[tuple[str, int], Upcast] = STEPS) -> Codec:
    """The codec of the code of that year, with every schema deployed first."""
    return Codec(Registry(all_editions(), [TOYS[version]], steps))


def written(version: str, seed: int = 1) -> tuple[Event, bytes, bytes]:
    event = example(TOYS[version], seed)
    value, headers = codec_at(version).encode(event)
    seal = header(headers, HEADER_SEAL)
    assert seal is not None
    return event, value, seal


@pytest.mark.parametrize("sealed", [True, False])
def test_an_older_minor_gets_the_defaults(sealed: bool) -> None:
    event, value, seal = written("1.0")
    read = codec_at("1.1").decode(value, seal if sealed else None)
    assert type(read) is TOYS["1.1"]
    assert dict(read) == {**dict(event), "method": "unknown", "share": None}
    assert read.envelope == event.envelope


@pytest.mark.parametrize("sealed", [True, False])
def test_a_newer_minor_is_read_by_older_code(sealed: bool) -> None:
    event, value, seal = written("1.1")
    read = codec_at("1.0").decode(value, seal if sealed else None)
    assert dict(read) == {key: getattr(event, key) for key in ("sample_id", "depth")}


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_older_major_comes_through_its_upcaster(version: str, sealed: bool) -> None:
    event, value, seal = written(version)
    read = codec_at("2.0").decode(value, seal if sealed else None)
    before = dict(event)
    depth = Depth(value=before["depth"], unit="x")
    assert dict(read) == {
        "sample_id": before["sample_id"],
        "depth": depth,
        "method": before.get("method", "unknown"),
    }
    assert read.envelope == event.envelope
    assert type(read) is TOYS["2.0"]


@pytest.mark.parametrize("sealed", [True, False])
def test_upcasters_are_chained(sealed: bool) -> None:
    event, value, seal = written("1.0")
    read = codec_at("3.0").decode(value, seal if sealed else None)
    depth = Depth(value=dict(event)["depth"], unit="x")
    assert dict(read)["depths"] == (depth,)


@pytest.mark.parametrize("sealed", [True, False])
def test_what_an_upcaster_makes_is_checked(sealed: bool) -> None:
    event = TOYS["2.0"](**{**dict(example(TOYS["2.0"])), "method": "m" * 21}).enveloped(
        example(TOYS["2.0"]).envelope
    )
    value, headers = codec_at("2.0").encode(
        event.enveloped(event.envelope.model_copy(update={"subject": event.key}))
    )
    with pytest.raises(MalformedEvent, match=r"DepthMeasured v2\.0, upcast to v3\.method: String"):
        codec_at("3.0").decode(value, header(headers, HEADER_SEAL) if sealed else None)


@pytest.mark.parametrize("sealed", [True, False])
def test_a_gap_between_majors_stops(sealed: bool) -> None:
    _, value, seal = written("1.0")
    with pytest.raises(UnknownSchema, match="nothing leads from v2 to v3; write the upcaster"):
        codec_at("3.0", {("DepthMeasured", 1): to_2}).decode(value, seal if sealed else None)


@pytest.mark.parametrize("sealed", [True, False])
def test_a_newer_major_stops_and_is_never_taken_for_an_older_one(sealed: bool) -> None:
    _, value, seal = written("3.0")
    with pytest.raises(UnknownSchema, match=r"DepthMeasured v3\.0 is newer"):
        codec_at("2.0").decode(value, seal if sealed else None)


def test_an_unknown_id_stops() -> None:
    _, value, seal = written("2.0")
    older = Registry(all_editions()[:2], [TOYS["1.1"]], STEPS)
    with pytest.raises(UnknownSchema, match=r"schema id 3 is unknown here \(known: 2 editions"):
        Codec(older).decode(value, seal)


def test_a_type_without_a_model_stops() -> None:
    _, value, seal = written("2.0")
    with pytest.raises(UnknownSchema, match="DepthMeasured is no event here"):
        Codec(Registry(all_editions(), [], STEPS)).decode(value, seal)


def test_a_version_that_is_not_released_cannot_be_written() -> None:
    event, _, _ = written("2.0")
    unreleased = Codec(Registry(all_editions()[:2], [TOYS["2.0"]], STEPS))
    with pytest.raises(UnknownSchema, match=r"DepthMeasured v2\.0 is not released; run"):
        unreleased.encode(event)


def test_the_prefix_names_the_edition() -> None:
    for number, version in enumerate(TOYS, start=1):
        _, value, _ = written(version)
        assert PREFIX.unpack_from(value) == (0, number)


def test_every_upcaster_is_of_an_event_and_leads_somewhere() -> None:
    majors = {model.type(): int(model.about.version.split(".")[0]) for model in EVENTS}
    for event_type, major in UPCASTERS:
        assert 1 <= major < majors[event_type]

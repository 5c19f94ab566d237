"""One value of a sample's metadata."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from genoflow.events.types import NO_NUL, Number, Part

VALUE_CHARACTERS_MAX = 500  # a sentence or two: longer texts are documents, and have a store
MetadataName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", min_length=1, max_length=64)
]
MetadataText = Annotated[str, StringConstraints(pattern=NO_NUL, max_length=VALUE_CHARACTERS_MAX)]


class MetadataValue(Part):
    """A name with a text, a number or a yes or no: exactly one of the three is there."""

    name: MetadataName = Field(description="as the schema of the project names it")
    text: MetadataText | None = Field(None, description="where it is a text")
    number: Number | None = Field(None, description="where it is a number")
    flag: bool | None = Field(None, description="where it is a yes or no")

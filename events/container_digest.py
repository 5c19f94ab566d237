"""A container that a pipeline runs in, by what it holds and not by a tag."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import ImageDigest, Name, Part


class ContainerDigest(Part):
    """The same digest is the same image, wherever it is pulled from."""

    name: Name = Field(description="the image, or the step that it is for")
    digest: ImageDigest = Field(description="of the image, such as sha256:…")

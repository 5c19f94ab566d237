"""What each operation is called, in the OpenAPI and so in every client that is made from it."""

from __future__ import annotations

import re

from fastapi.routing import APIRoute

ALL = "all"


def operation_id(route: APIRoute) -> str:
    """The tag and what is done: samples_list for list_samples, samples_get for show_sample."""
    name = re.sub(r"^show_", "get_", route.name)
    if not route.tags:
        return name
    tag = re.sub(r"\W+", "_", str(route.tags[0]))
    return f"{tag}_{_without(name, tag)}"


def _without(name: str, tag: str) -> str:
    # list_runs of "sequencing runs" is list, why_case of "why" is case: the rest the tag says.
    for noun in (tag, tag.rpartition("_")[2], ALL):
        for one in (noun, noun.removesuffix("s"), noun.removesuffix("es")):
            if name.endswith(f"_{one}"):
                return name.removesuffix(f"_{one}")
            if name.startswith(f"{one}_"):
                return name.removeprefix(f"{one}_")
    return name

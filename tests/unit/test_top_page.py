"""docs/top.md and its schema say what the program does."""

from __future__ import annotations

from genoflow.deploy.top.screen import Top
from genoflow.deploy.top.shown import Shown
from tests.tidy.source import text_of
from tests.top_lab import example
from tools.top_schema import PATH, schema_text

PAGE = "docs/top.md"


async def test_the_example_is_what_is_printed() -> None:
    _, _, rest = text_of(PAGE).partition("<!-- printed by python -m tests.top_lab -->\n```text\n")
    assert rest.partition("```")[0] == await example(), f"{PAGE}: print it anew, and paste it"


def test_the_schema_is_printed_from_the_models() -> None:
    assert PATH.read_text(encoding="utf-8") == schema_text(), (
        "docs/top.schema.json: differs; `python -m tools.top_schema` prints it"
    )


def test_every_field_of_the_document_and_every_key_stands_on_the_page() -> None:
    page = text_of(PAGE)
    fields = set(Shown.model_fields) - {"format"}
    assert {name for name in fields if f"`{name}`" not in page} == set()
    keys = {"slash": "/"}
    shown = {keys.get(one.key, one.key) for one in Top.BINDINGS if not isinstance(one, tuple)}
    assert {key for key in shown - {"escape"} if f"| {key} |" not in page} == set()

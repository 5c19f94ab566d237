"""docs/provenance.schema.json, printed from the models: `python -m tools.provenance_schema`."""

from __future__ import annotations

import json
from pathlib import Path

from genoflow.projections.asking.provenance_parts import VERSION, Provenance

PATH = Path(__file__).resolve().parents[1] / "docs" / "provenance.schema.json"


def text() -> str:
    """The schema of the document that `genoflow results provenance --json` prints."""
    schema = Provenance.model_json_schema(mode="serialization")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:genoflow:provenance:{VERSION}",
    }
    return json.dumps(head | schema, indent=2) + "\n"


def main() -> None:
    """Write it."""
    PATH.write_text(text(), encoding="utf-8")
    print(PATH.name)


if __name__ == "__main__":
    main()

"""docs/top.schema.json, printed from the models: `python -m tools.top_schema`."""

from __future__ import annotations

import json
from pathlib import Path

from genoflow.deploy.top.shown import Shown

PATH = Path(__file__).resolve().parents[1] / "docs" / "top.schema.json"


def schema_text() -> str:
    """The JSON Schema of `genoflow top --once --json`."""
    return json.dumps(Shown.model_json_schema(mode="serialization"), indent=2) + "\n"


def main() -> None:
    """Write it."""
    PATH.write_text(schema_text(), encoding="utf-8")
    print(PATH.name)


if __name__ == "__main__":
    main()

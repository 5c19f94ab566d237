"""docs/alert_rules.schema.json, printed from the models: `python -m tools.alert_rules_schema`."""

from __future__ import annotations

from pathlib import Path

from genoflow.deploy.alert_rules import schema_text

PATH = Path(__file__).resolve().parents[1] / "docs" / "alert_rules.schema.json"


def main() -> None:
    """Write it."""
    PATH.write_text(schema_text(), encoding="utf-8")
    print(PATH.name)


if __name__ == "__main__":
    main()

"""report.py CASE HTML JSON VALUES...: what a person reads, and what is judged.

VALUES are what the other steps measured: of one sample an object with `sample_id`, a number by
metric and `<metric>_found` where a word was found; else rows that say what they were measured on.
"""

import html
import json
import sys
from pathlib import Path

UNITS = {
    "mean_coverage": "x", "breadth_10x": "fraction", "mapped_fraction": "fraction",
    "duplicate_fraction": "fraction", "sex": "ratio", "variants": "variants",
    "ti_tv": "ratio", "somatic_variants": "variants", "contamination": "fraction",
    "relatedness": "fraction", "concordance": "fraction", "quality_mean": "base quality",
    "mismatch_fraction": "fraction", "insert_size_mean": "bases",
    "mendelian_errors": "variants", "mendelian_error_fraction": "fraction",
    "de_novo_variants": "variants", "on_target_fraction": "fraction",
    "targets_covered_fraction": "fraction", "assigned_fraction": "fraction",
    "genes_detected": "genes",
}  # fmt: skip
FOUND = "_found"
Row = dict[str, object]


def _rows(path: str) -> list[Row]:
    said = json.loads(Path(path).read_text(encoding="utf-8"))
    if isinstance(said, list):
        return [{**row, "unit": UNITS[row["metric"]]} for row in said]
    sample = said.pop("sample_id")
    words = {name: said.pop(name) for name in [*said] if name.endswith(FOUND)}
    return [
        {"metric": name, "value": value, "unit": UNITS[name], "measured_on": sample}
        | ({"found": words[name + FOUND]} if name + FOUND in words else {})
        for name, value in said.items()
    ]


def main(case_id: str, page: str, measurements: str, *values: str) -> None:
    """Write the page and the measurements."""
    rows = [row for path in sorted(values) for row in _rows(path)]
    Path(measurements).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    cells = "\n".join(
        f"<tr><td>{html.escape(str(row.get('measured_on', 'case')))}</td>"
        f"<td>{row['metric']}</td><td>{row['value']:.6g}</td><td>{row['unit']}</td>"
        f"<td>{row.get('found', '')}</td></tr>"
        for row in rows
    )
    title = html.escape(f"Case {case_id}")
    Path(page).write_text(
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title>"
        f"<h1>{title}</h1><table><tr><th>of</th><th>metric</th><th>value</th><th>unit</th>"
        f"<th>found</th></tr>\n"
        f"{cells}\n</table></html>\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

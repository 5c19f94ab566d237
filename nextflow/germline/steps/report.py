"""report.py CASE HTML JSON VCF COMPARED COVERAGE...: what a person reads, and what is judged."""

import html
import json
import sys
from pathlib import Path

import pysam

TRANSITIONS = {("A", "G"), ("G", "A"), ("C", "T"), ("T", "C")}
UNITS = {
    "mean_coverage": "x", "breadth_10x": "fraction", "mapped_fraction": "fraction",
    "duplicate_fraction": "fraction", "sex": "ratio", "variants": "variants",
    "ti_tv": "ratio", "somatic_variants": "variants",
}  # fmt: skip


def _of_variants(path: str) -> dict[str, float]:
    """Counts over the whole case."""
    variants = somatic = transitions = transversions = 0
    with pysam.VariantFile(path) as records:
        for one in records:
            variants += 1
            somatic += "SOMATIC" in one.info
            for other in one.alts or ():
                if len(one.ref or "") == len(other) == 1:
                    is_transition = (one.ref, other) in TRANSITIONS
                    transitions += is_transition
                    transversions += not is_transition
        found: dict[str, float] = {"variants": variants}
        if "SOMATIC" in records.header.info:
            found["somatic_variants"] = somatic
    if transversions:
        found["ti_tv"] = transitions / transversions
    return found


def main(
    case_id: str, page: str, measurements: str, vcf: str, compared: str, *coverages: str
) -> None:
    """Write the page and the measurements."""
    rows: list[dict[str, object]] = []
    for path in sorted(coverages):
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        sample, sex = values.pop("sample_id"), values.pop("sex_found")
        rows += [
            {"metric": name, "value": value, "unit": UNITS[name], "measured_on": sample}
            | ({"found": sex} if name == "sex" else {})
            for name, value in values.items()
        ]
    rows += json.loads(Path(compared).read_text(encoding="utf-8"))
    rows += [
        {"metric": name, "value": value, "unit": UNITS[name]}
        for name, value in _of_variants(vcf).items()
    ]
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

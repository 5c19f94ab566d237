"""Reports of quality: a page that stands alone, with the figures of the files and no others."""

from __future__ import annotations

import json

import pytest

from genoflow.api.reports import charts
from genoflow.api.reports.curves import Missing, Plot, drawn
from genoflow.api.reports.markup import figure, text
from genoflow.api.reports.multiqc import multiqc_of
from genoflow.api.reports.page import page_of
from genoflow.api.reports.report import FILES_MAX, FileTold, Judgement, Report
from genoflow.deploy.qc_reports import Judge, file_told, of_files
from genoflow.events.errors import Refused
from tests.alignments import bam, cram, vcf
from tests.reads import fastq, library
from tests.report_pages import SECTION, page, told

HOSTILE = '"><script>alert(1)</script>\u202e\n<img src=x onerror=a()>&amp;'
STRANGE = "A<b>'\"&"
HEAD = b"@HD\tVN:1.6\n@SQ\tSN:one\tLN:1000\n"
PAIRS = HEAD + b"".join(
    b"p%d\t99\tone\t5\t60\t4M\t=\t%d\t%d\tACGT\tFFFF\n"
    b"p%d\t147\tone\t%d\t60\t4M\t=\t5\t-%d\tACGT\tFFFF\n"
    % (number, size + 1, size, number, size + 1, size)
    for number, size in enumerate((100, 101, 110, 110))
)


def test_a_page_tells_the_figures_of_a_file_and_draws_them() -> None:
    one = told(library(400, 3))
    metrics = one["metrics"]
    read = page(of_files([one], None))
    assert read.row("quality_mean")[0] == figure(metrics["quality_mean"])
    assert read.row("gc_fraction")[0] == figure(metrics["gc_fraction"])
    assert one["sha256"] in read.words
    plots = {some["id"] for tag, some in read.seen if tag == "figure"}
    assert plots == {
        f"f1-{name}" for name in (
            "per_base_quality", "per_sequence_quality", "per_base_content", "per_base_n",
            "gc_content", "lengths", "duplication", "adapters",
        )
    }  # fmt: skip
    at = read.cells.index("place in the read")
    first = read.cells[at + 7 : at + 14]
    quality = metrics["per_base_quality"]
    names = ("percentile_10", "lower_quartile", "median", "upper_quartile", "percentile_90", "mean")
    assert first == ["1", *(figure(float(quality[name][0])) for name in names)]
    for line in metrics["overrepresented_sequences"]:
        assert read.row(line["sequence"])[:2] == [
            figure(line["count"]),
            figure(line["percentage"]),
        ]


@pytest.mark.parametrize(
    ("body", "plots", "missing"),
    [
        (
            bam(),
            {"mapping", "mapping_quality"},
            {"insert_sizes", "coverage", "depth", "per_base_quality"},
        ),
        (
            PAIRS,
            {"mapping", "mapping_quality", "insert_sizes"},
            {"coverage", "depth", "per_base_quality"},
        ),
        (
            cram(),
            set(),
            {"mapping", "mapping_quality", "insert_sizes", "coverage", "depth", "per_base_quality"},
        ),
        (vcf(), {"variant_kinds", "ti_tv", "genotypes"}, set()),
        (vcf(mode="wb", samples=("A", "B")), {"variant_kinds", "ti_tv"}, {"genotypes"}),
    ],
    ids=["bam", "sam", "cram", "vcf", "bcf"],
)
def test_what_is_not_measured_is_named_with_its_reason(
    body: bytes, plots: set[str], missing: set[str]
) -> None:
    one = told(body, "S7")
    found = list(drawn(one["format"], one["metrics"]))
    assert {plot.id for plot in found if isinstance(plot, Plot)} >= plots
    # What others measure of alignments is drawn as soon as it is there.
    assert {plot.id for plot in found if isinstance(plot, Missing)} <= missing
    assert {plot.id for plot in found} == plots | missing
    read = page(of_files([one], None))
    for plot in found:
        if isinstance(plot, Missing):
            assert f"{plot.title}: not measured: {plot.why}" in read.words


def test_coverage_is_drawn_where_it_is_told_and_else_its_reason() -> None:
    unsorted = {"breadth_1x": None, "unknown": {"breadth_1x": "not <sorted>"}}
    missing = {one.id: one.why for one in drawn("BAM", unsorted) if isinstance(one, Missing)}
    assert missing["coverage"] == missing["depth"] == "not <sorted>"
    assert page(Report("r", files=[FileTold("a", "BAM", metrics=unsorted)])).row("breadth_1x")[
        0
    ] == ("not measured: not <sorted>")
    known = {
        "breadth_10x": 0.5, "breadth_1x": 0.75, "target_breadth_10x": 1.0, "reads": 3,
        "depth_by_sequence": {"<1>": 2.5, "2": 0.0},
        "targets": [{"sequence": "<1>", "start": 9, "end": 20, "depth_mean": 3.5}],
    }  # fmt: skip
    plots = {one.id: one for one in drawn("BAM", known) if isinstance(one, Plot)}
    assert plots["coverage"].labels == ["1x", "10x"]
    assert plots["coverage"].series == {
        "reference": [(0.0, 75.0), (1.0, 50.0)],
        "targets": [(1.0, 100.0)],
    }
    read = page(Report("r", files=[FileTold("a", "BAM", metrics=known)]))
    assert read.row("<1>:10-20")[0] == "3.5"
    assert "<1>: 2.5" not in read.words
    files = multiqc_of(Report("r", files=[FileTold("a", "BAM", metrics=known)]))
    for content in files.values():
        assert [fault.message for fault in SECTION.iter_errors(content)] == []
    assert files["genoflow_depth_mqc.json"]["data"]["a"] == {"_1_": 2.5, "2": 0.0}


def test_insert_sizes_are_those_of_the_pairs() -> None:
    metrics = told(PAIRS)["metrics"]
    assert metrics["insert size distribution"] == [[100, 100, 1], [101, 101, 1], [110, 110, 2]]
    assert metrics["insert size average"] == 105.25


def test_a_file_that_could_not_be_read_is_told_with_its_findings() -> None:
    one = told(library(50, 1)[:-40])
    assert not one["valid"]
    read = page(of_files([one], None))
    assert "fastq-truncated" in read.words
    assert "not valid" in read.words
    unread = {**one, "metrics": {}}
    assert "could not be read to its end" in page(of_files([unread], None)).words


@pytest.mark.parametrize("body", [b"", b"@a\n\n+\n\n", b"@a\nA\n+\nF\n"])
def test_files_of_nothing_or_little_have_a_page(body: bytes) -> None:
    page(of_files([told(body, named="FASTQ")], None))


def test_what_comes_from_files_is_never_markup() -> None:
    one = told(vcf(samples=(STRANGE,)), HOSTILE)
    reads = told(library(300, 3), HOSTILE)
    reads["metrics"]["overrepresented_sequences"] = [
        {"sequence": HOSTILE, "count": 3, "percentage": 1.0}
    ]
    reads["findings"] = [
        {"code": HOSTILE, "severity": HOSTILE, "where": {"line": 3}, "message": HOSTILE}
    ]
    judged = Judgement(HOSTILE, 1.0, HOSTILE, HOSTILE, required_min=0.5, words=(HOSTILE, HOSTILE))
    report = Report(
        HOSTILE, HOSTILE, "fail", HOSTILE, about=((HOSTILE, HOSTILE),), judged=(judged,),
        files=[file_told(one), file_told(reads)], notes=(HOSTILE,),
    )  # fmt: skip
    read = page(report)
    assert STRANGE in read.words
    shown = HOSTILE.replace("\u202e", "\\u202e").replace("\n", "\\n")
    assert read.words.count(shown) >= 10
    assert "\u202e" not in read.words
    for content in multiqc_of(report).values():
        plain = json.dumps(content, ensure_ascii=False)
        assert not set(plain) & set("<>&\u202e"), plain[:300]


def test_text_shows_what_cannot_be_seen() -> None:
    assert text("a\x00\ud800b\u200b<") == "a\\x00\\ud800b\\u200b&lt;"
    assert [figure(value) for value in (None, True, 12_345, 0.123456, 12_345.6, float("inf"))] == [
        "–", "yes", "12,345", "0.1235", "12,346", "inf",
    ]  # fmt: skip


def test_a_page_holds_no_more_files_than_it_shows_well() -> None:
    with pytest.raises(Refused, match=f"a page holds {FILES_MAX}"):
        page_of(Report("many", files=[FileTold("x")] * (FILES_MAX + 1)))


def test_ticks_are_round_and_lie_within() -> None:
    assert charts.ticks(0.0, 40.0) == [0, 10, 20, 30, 40]
    assert charts.ticks(31.5, 33.5, 10)[:2] == pytest.approx([31.6, 31.8])
    assert charts.ticks(5.0, 5.0) == [5.0]


# -- verdicts


def test_thresholds_are_drawn_and_told_in_words() -> None:
    judged = Judgement("q30_fraction", 0.82, "fraction", "warn", required_min=0.8, warn_min=0.85)
    assert charts.wanted(judged) == "at least 0.8, warning below 0.85"
    drawing = charts.gauge(judged)
    assert "0.82 fraction; at least 0.8, warning below 0.85" in drawing
    assert (drawing.count('class="required"'), drawing.count('class="wish"')) == (1, 1)
    unknown = Judgement("x", None, "x", "not judged", required_min=1.0, why="nobody counted")
    assert charts.gauge(unknown) == ""
    assert "not measured: nobody counted" in page(Report("r", "r", judged=(unknown,))).words


def test_files_alone_are_held_against_a_profile() -> None:
    both = [told(fastq(50, mate=mate), f"S7_R{mate}.fastq") for mate in (1, 2)]
    bare = of_files(both, Judge("standard", "wgs"))
    [coverage] = [one for one in bare.judged if one.metric == "mean_coverage"]
    assert (bare.verdict, coverage.value, coverage.why) == ("fail", None, "name --genome-bases")
    known = of_files(both, Judge("standard", "wgs", 100))
    by_name = {one.metric: one for one in known.judged}
    assert (by_name["mean_coverage"].value, by_name["mean_coverage"].verdict) == (60.0, "pass")
    assert (by_name["n_fraction"].warn_max, by_name["n_fraction"].verdict) == (0.05, "pass")
    assert by_name["quality_mean"].verdict == "fail"
    assert "quality_mean is" in str(known.reason)
    with pytest.raises(Refused, match="make a report of each kind"):
        of_files([*both, told(vcf())], Judge("standard", "wgs"))
    with pytest.raises(Refused, match="name standard, strict, or a JSON file"):
        of_files(both, Judge("nowhere.json", "wgs"))

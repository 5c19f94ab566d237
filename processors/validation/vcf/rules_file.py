"""Rules of VCF for the file as a whole: its bytes, its lines, its first line and its columns."""

from __future__ import annotations

from genoflow.processors.validation.rules import Rule, Severity

E, V, N = Severity.ERROR, Severity.VIOLATION, Severity.NOTE

# A rule is a row of a table: fields in the order of `Rule`, several on a line.
# fmt: off
EMPTY = Rule(
    "vcf-empty", E, "VCF 4.3, 1.4.1", "A VCF file begins with its fileformat line.",
    "send the file again; a file without variants still has its header", "\n", "empty")
FILEFORMAT_MISSING = Rule(
    "vcf-fileformat-missing", E, "VCF 4.3, 1.4.1", "The first line is ##fileformat=VCFv4.x.",
    "write ##fileformat as the first line", "##source=caller", "not this format")
VERSION_MALFORMED = Rule(
    "vcf-version-malformed", E, "VCF 4.3, 1.4.1", "The version is written as VCFv4.x.",
    "write the version as VCFv4.3", "##fileformat=VCF v4.3", "not this format")
VERSION_UNKNOWN = Rule(
    "vcf-version-unknown", V, "VCF 4.3, 1.4.1", "The version is one of 4.1 to 4.5.",
    "write the file as VCF 4.3 with bcftools view", "##fileformat=VCFv4.0")
FILEFORMAT_REPEATED = Rule(
    "vcf-fileformat-repeated", V, "VCF 4.3, 1.4.1", "A file has one fileformat line.",
    "keep the first fileformat line alone", "##fileformat=VCFv4.2")
NOT_UTF8 = Rule(
    "vcf-not-utf8", V, "VCF 4.3, 1.2", "Text is encoded as UTF-8.",
    "convert the text with iconv -t UTF-8", "a line in Latin-1")
BYTE_ORDER_MARK = Rule(
    "vcf-byte-order-mark", V, "VCF 4.3, 1.2", "No byte order mark stands before the text.",
    "remove the first three bytes", "the bytes EF BB BF before ##fileformat")
CONTROL_CHARACTER = Rule(
    "vcf-control-character", V, "VCF 4.3, 1.2", "There are no control characters in the text.",
    "remove the character, or write it percent-encoded", "a byte 07 in a line")
CARRIAGE_RETURN = Rule(
    "vcf-carriage-return", N, "VCF 4.3, 1.2", "Lines end with LF; CR LF is legal from 4.3 on.",
    "convert the line ends with dos2unix",
    "##fileformat=VCFv4.2\r\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\r\n")
LINE_ENDS_MIXED = Rule(
    "vcf-line-ends-mixed", N, "", "All lines end in the same way.",
    "convert the line ends with dos2unix",
    "##fileformat=VCFv4.3\r\n##source=caller\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
LAST_LINE_CUT = Rule(
    "vcf-last-line-cut", E, "VCF 4.3, 1.6", "The last line ends with a line separator.",
    "send the file again whole, or end its last line if nothing is missing",
    "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t1\t.\tA\tC\t.\t.\t.",
    "truncated")
LAST_LINE_OPEN = Rule(
    "vcf-last-line-open", N, "VCF 4.5, 1.6",
    "The last line ends with a line separator; of 4.5 the authors publish a file without one.",
    "see that nothing is missing, and end the last line",
    "##fileformat=VCFv4.5\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t1\t.\tA\tC\t.\t.\t.")
LINE_TOO_LONG = Rule(
    "vcf-line-too-long", E, "", "A line is at most 16 MiB long: 500,000 samples of 32 bytes.",
    "split the file by sample", "1\t1\t.\tA\tC\t.\t.\tX=AAAA… without an end")
BLANK_LINE = Rule(
    "vcf-blank-line", V, "VCF 4.3, 1.6", "No blank line stands between lines.",
    "remove blank lines",
    "##fileformat=VCFv4.3\n\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
BLANK_END = Rule(
    "vcf-blank-end", N, "VCF 4.3, 1.6", "No blank line stands at the end.",
    "remove the blank lines at the end",
    "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n\n")
GZIP_NOT_BGZF = Rule(
    "vcf-gzip-not-bgzf", N, "", "A compressed VCF is BGZF, so that an index can point into it.",
    "compress it with bgzip instead of gzip", "a file that gzip compressed")
HEADER_LINE_MISSING = Rule(
    "vcf-header-line-missing", E, "VCF 4.3, 1.5", "One line begins with #CHROM, before all data.",
    "write the header line", "##fileformat=VCFv4.3\n##source=caller\n", "truncated")
LINE_BEFORE_HEADER = Rule(
    "vcf-line-before-header", E, "VCF 4.3, 1.4",
    "Before the header line there are meta-information lines alone, which begin with ##.",
    "begin the line with ##, or move it behind the header line",
    "##fileformat=VCFv4.3\nsome text\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n",
    "unreadable")
COLUMNS = Rule(
    "vcf-columns", E, "VCF 4.3, 1.5",
    "The header line names the eight fixed columns, and FORMAT before samples.",
    "name the columns as the specification does, with tabs between them",
    "#CHROM\tPOSITION\tID\tREF\tALT\tQUAL\tFILTER\tINFO", "unreadable")
FORMAT_WITHOUT_SAMPLES = Rule(
    "vcf-format-without-samples", V, "VCF 4.3, 1.5", "A FORMAT column is followed by samples.",
    "remove the FORMAT column, or name the samples",
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT")
SAMPLE_REPEATED = Rule(
    "vcf-sample-repeated", V, "VCF 4.3, 1.5", "Sample names are unique.",
    "rename the samples with bcftools reheader",
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS1")
SAMPLE_UNNAMED = Rule(
    "vcf-sample-unnamed", V, "VCF 4.3, 1.5",
    "Every sample has a name, and no tab ends the header line.",
    "name the sample, or remove the tab at the end",
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\t")
META_AFTER_HEADER = Rule(
    "vcf-meta-after-header", V, "VCF 4.3, 1.4", "No line behind the header line begins with #.",
    "move meta-information before the header line", "##source=caller behind data")
WRONG_SAMPLE = Rule(
    "vcf-wrong-sample", E, "", "The sample that the file was sent for is one of its columns.",
    "send it for the sample that it is of, or correct what was registered",
    "a file of S1 sent for S2", "wrong sample")
WRONG_BUILD = Rule(
    "vcf-wrong-build", E, "", "The genome of the header is the one that was ordered.",
    "send it made with the build of the order, or correct the order",
    "a file of GRCh37 for an order of GRCh38", "wrong build")
# fmt: on

FILE_RULES: tuple[Rule, ...] = (
    EMPTY, FILEFORMAT_MISSING, VERSION_MALFORMED, VERSION_UNKNOWN, FILEFORMAT_REPEATED, NOT_UTF8,
    BYTE_ORDER_MARK, CONTROL_CHARACTER, CARRIAGE_RETURN, LINE_ENDS_MIXED, LAST_LINE_CUT,
    LAST_LINE_OPEN, LINE_TOO_LONG, BLANK_LINE, BLANK_END, GZIP_NOT_BGZF, HEADER_LINE_MISSING,
    LINE_BEFORE_HEADER, COLUMNS, FORMAT_WITHOUT_SAMPLES, SAMPLE_REPEATED, SAMPLE_UNNAMED,
    META_AFTER_HEADER, WRONG_SAMPLE, WRONG_BUILD,
)  # fmt: skip

"""Rules of VCF for the fixed columns of a data line, INFO among them."""

from __future__ import annotations

from genoflow.processors.validation.rules import Rule, Severity

E, V, N = Severity.ERROR, Severity.VIOLATION, Severity.NOTE
_TWO = "##fileformat=VCFv{}\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{}\n{}\n"

# A rule is a row of a table: fields in the order of `Rule`, several on a line.
# fmt: off
COLUMN_COUNT = Rule(
    "vcf-column-count", E, "VCF 4.3, 1.6", "A data line has as many columns as the header line.",
    "write every column, and no tab at the end", "1\t1\t.\tA\tC\t.\t.")
CHROM = Rule(
    "vcf-chrom", V, "VCF 4.3, 1.6.1",
    "CHROM is a name that the version allows, or <name>; one with * has to be declared, and up to "
    "4.3 one with a colon.",
    "rename the contig, or declare it by ##contig", "chr 1\t1\t.\tA\tC\t.\t.\t.")
CONTIG_UNDECLARED = Rule(
    "vcf-contig-undeclared", N, "VCF 4.3, 1.4.7",
    "Where contigs are declared, all of them are.",
    "declare it by ##contig, as BCF requires",
    "##fileformat=VCFv4.3\n##contig=<ID=1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    "2\t1\t.\tA\tC\t.\t.\t.\n")
CONTIG_SPLIT = Rule(
    "vcf-contig-split", V, "VCF 4.3, 1.6.1", "All records of a contig form one block.",
    "sort the file with bcftools sort",
    _TWO.format("4.3", "1\t1\t.\tA\tC\t.\t.\t.\n2\t1\t.\tA\tC\t.\t.\t.", "1\t9\t.\tA\tC\t.\t.\t."))
POS = Rule(
    "vcf-pos", E, "VCF 4.3, 1.6.1", "POS is a number, 0 or more.",
    "write the position, counted from 1", "1\t-1\t.\tA\tC\t.\t.\t.")
POS_BEYOND = Rule(
    "vcf-pos-beyond-contig", V, "VCF 4.3, 1.6.1", "POS is at most the length of its contig and 1.",
    "compare the contigs of the header with the reference that was used",
    "##fileformat=VCFv4.3\n##contig=<ID=1,length=9>\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t11\t.\tA\tC\t.\t.\t.\n")
POS_ORDER = Rule(
    "vcf-pos-order", V, "VCF 4.3, 1.6.1", "Positions increase within a contig.",
    "sort the file with bcftools sort",
    _TWO.format("4.3", "1\t9\t.\tA\tC\t.\t.\t.", "1\t1\t.\tA\tC\t.\t.\t."))
POS_ORDER_FREE = Rule(
    "vcf-pos-order-free", N, "VCF 4.5, 1.6.1",
    "Positions increase within a contig; of 4.5 the authors publish a file where they do not.",
    "sort the file with bcftools sort",
    _TWO.format("4.5", "1\t9\t.\tA\tC\t.\t.\t.", "1\t1\t.\tA\tC\t.\t.\t."))
DUPLICATE = Rule(
    "vcf-record-duplicate", V, "VCF 4.3, 1.6.1",
    "A variant stands in a file once, however its alleles are written.",
    "remove duplicates with bcftools norm -d exact",
    _TWO.format("4.3", "1\t7\t.\tTAT\tTGT\t.\t.\t.", "1\t8\t.\tA\tG\t.\t.\t."))
ID = Rule(
    "vcf-id", V, "VCF 4.3, 1.6.1", "ID has identifiers between semicolons, without white space.",
    "write a dot where there is no identifier", "1\t1\trs1;\tA\tC\t.\t.\t.")
ID_REPEATED = Rule(
    "vcf-id-repeated", V, "VCF 4.3, 1.6.1", "An identifier stands in a record once.",
    "keep one of them", "1\t1\trs1;rs1\tA\tC\t.\t.\t.")
REF = Rule(
    "vcf-ref", V, "VCF 4.3, 1.6.1", "REF is bases of A, C, G, T and N.",
    "write another letter as the first base that it stands for", "1\t1\t.\tR\tC\t.\t.\t.")
ALT = Rule(
    "vcf-alt", V, "VCF 4.3, 1.6.1",
    "An allele of ALT is bases, *, a dot, <ID> or a breakend with a base.",
    "write the allele as the specification does", "1\t1\t.\tA\tC,,G\t.\t.\t.")
ALT_SYMBOL = Rule(
    "vcf-alt-symbol", V, "VCF 4.3, 1.4.5",
    "A symbolic allele with levels begins with DEL, INS, DUP, INV or CNV.",
    "use one of these types", "1\t1\t.\tA\t<BND:X>\t.\t.\t.")
ALT_UNDECLARED = Rule(
    "vcf-alt-undeclared", N, "VCF 4.3, 1.4.5", "A symbolic allele is declared by ##ALT.",
    "declare it", "1\t1\t.\tA\t<DEL>\t.\t.\tEND=9")
ALT_REPEATED = Rule(
    "vcf-alt-repeated", N, "", "Alleles of a record differ from each other and from REF.",
    "join the alleles with bcftools norm", "1\t1\t.\tA\tC,C\t.\t.\t.")
QUAL = Rule(
    "vcf-qual", V, "VCF 4.3, 1.6.1", "QUAL is a number or a dot.",
    "write a dot where it is unknown", "1\t1\t.\tA\tC\thigh\t.\t.")
QUAL_NEGATIVE = Rule(
    "vcf-qual-negative", V, "VCF 4.3, 1.6.1", "QUAL, a Phred-scaled probability, is not negative.",
    "write the quality again, or a dot", "1\t1\t.\tA\tC\t-9\t.\t.")
FILTER = Rule(
    "vcf-filter", V, "VCF 4.3, 1.6.1",
    "FILTER is PASS, a dot, or codes between semicolons without white space.",
    "write the codes anew", "1\t1\t.\tA\tC\t.\tq10;\t.")
FILTER_ZERO = Rule(
    "vcf-filter-zero", V, "VCF 4.3, 1.6.1", "0 is no filter.",
    "write PASS or a dot", "1\t1\t.\tA\tC\t.\t0\t.")
FILTER_REPEATED = Rule(
    "vcf-filter-repeated", V, "VCF 4.3, 1.6.1", "A filter stands in a record once.",
    "keep one of them", "1\t1\t.\tA\tC\t.\tq10;q10\t.")
FILTER_PASS_AND = Rule(
    "vcf-filter-pass-and", N, "VCF 4.3, 1.6.1", "PASS stands alone.",
    "remove PASS where a filter failed", "1\t1\t.\tA\tC\t.\tq10;PASS\t.")
FILTER_UNDECLARED = Rule(
    "vcf-filter-undeclared", N, "VCF 4.3, 1.4.3", "A filter is declared by ##FILTER.",
    "declare it", "1\t1\t.\tA\tC\t.\tq10\t.")
INFO = Rule(
    "vcf-info", V, "VCF 4.3, 1.6.1", "INFO is a dot, or entries between semicolons.",
    "write a dot where there is none", "1\t1\t.\tA\tC\t.\t.\tDP=1;;AN=2")
INFO_KEY = Rule(
    "vcf-info-key", V, "VCF 4.3, 1.6.1",
    "A key of INFO has no white space; from 4.3 on it is letters, digits, _ and dots.",
    "rename the key", "1\t1\t.\tA\tC\t.\t.\tX Y=1")
INFO_REPEATED = Rule(
    "vcf-info-repeated", V, "VCF 4.3, 1.6.1", "A key stands in INFO once.",
    "keep one of them", "1\t1\t.\tA\tC\t.\t.\tDP=1;DP=2")
INFO_UNDECLARED = Rule(
    "vcf-info-undeclared", N, "VCF 4.3, 1.4.2", "A key of INFO is declared by ##INFO.",
    "declare it", "1\t1\t.\tA\tC\t.\t.\tX=1")
INFO_NUMBER = Rule(
    "vcf-info-number", V, "VCF 4.3, 1.4.2", "An entry has as many values as its Number says.",
    "write one value for each, with dots for those that are missing",
    "1\t1\t.\tA\tC,G\t.\t.\tAC=1")
INFO_TYPE = Rule(
    "vcf-info-type", V, "VCF 4.3, 1.3", "Values are of the Type of their key.",
    "write the values anew, or declare another Type", "1\t1\t.\tA\tC\t.\t.\tDP=many")
FLAG_VALUE = Rule(
    "vcf-flag-value", V, "VCF 4.3, 1.4.2", "A flag has no value.",
    "write the key alone", "1\t1\t.\tA\tC\t.\t.\tDB=2")
FLAG_ZERO_OR_ONE = Rule(
    "vcf-flag-zero-or-one", N, "VCF 4.1, 1.4.1",
    "A flag needs no value; 0 and 1 are known from old files, and readers take both for true.",
    "write the key alone, or nothing for 0", "1\t1\t.\tA\tC\t.\t.\tDB=1")
INFO_VALUE_MISSING = Rule(
    "vcf-info-value-missing", V, "VCF 4.3, 1.6.1", "A key that is no flag has a value.",
    "write a dot where it is missing", "1\t1\t.\tA\tC\t.\t.\tDP=")
INFO_NEGATIVE = Rule(
    "vcf-info-negative", V, "VCF 4.3, 1.6.1",
    "Counts, depths, frequencies and END are not negative.",
    "write the values anew", "1\t1\t.\tA\tC\t.\t.\tAC=-1")
CIGAR = Rule(
    "vcf-info-cigar", V, "VCF 4.3, 1.6.1", "CIGAR is lengths and operations of MIDNSHP=X.",
    "write the alignment of each allele as SAM does", "1\t1\t.\tA\tC\t.\t.\tCIGAR=1Q")
INTEGER_RANGE = Rule(
    "vcf-integer-range", V, "VCF 4.3, 1.3", "An Integer has 32 bits.",
    "declare the key as Float", "1\t1\t.\tA\tC\t.\t.\tDP=2147483648")
INTEGER_RESERVED = Rule(
    "vcf-integer-reserved", V, "VCF 4.3, 1.3",
    "The eight lowest numbers of 32 bits are no values: BCF cannot hold them.",
    "write a dot where it is missing",
    '##fileformat=VCFv4.3\n##INFO=<ID=X,Number=1,Type=Integer,Description="A number">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t1\t.\tA\tC\t.\t.\tX=-2147483648\n")
PERCENT = Rule(
    "vcf-percent", V, "VCF 4.3, 1.2",
    "From 4.3 on a percent sign in a value begins two hexadecimal digits in upper case.",
    "write a percent sign as %25", "1\t1\t.\tA\tC\t.\t.\tAA=5%")
INFO_SPACE = Rule(
    "vcf-info-space", V, "VCF 4.1, 1.4.1", "Up to 4.2 no white space stands in INFO.",
    "write an underscore, or the file as VCF 4.3", "1\t1\t.\tA\tC\t.\t.\tX=a b")
INFO_EQUALS = Rule(
    "vcf-info-equals", V, "VCF 4.3, 1.6.1", "No equals sign stands in a value.",
    "write it as %3D", "1\t1\t.\tA\tC\t.\t.\tX=a=b")
INFO_QUOTED = Rule(
    "vcf-info-quoted", N, "VCF 4.3, 1.6.1",
    "Quotes have no meaning in INFO; a text within them is taken for one value.",
    "encode commas and equals signs instead", '1\t1\t.\tA\tC\t.\t.\tX="a,b"')
END_BEFORE = Rule(
    "vcf-end-before-pos", V, "VCF 4.3, 1.6.1", "END is not before POS.",
    "write the last position of the variant", "1\t9\t.\tA\t<DEL>\t.\t.\tEND=5")
END_EMPTY = Rule(
    "vcf-end-empty", N, "VCF 4.3, 1.6.1",
    "END is POS at least; 0, and the position before POS, are written for a span of nothing.",
    "remove END, or write the last position of the variant",
    "1\t9\t.\tA\t<DEL>\t.\t.\tEND=8")
INTERVAL = Rule(
    "vcf-interval", V, "VCF 4.3, 3",
    "An interval of confidence (CIPOS, CIEND, CILEN, CICN …) reaches from 0 or less to 0 or more.",
    "write how far below and above the value may lie", "1\t9\t.\tA\t<DEL>\t.\t.\tEND=20;CIPOS=2,5")
# fmt: on

RECORD_RULES: tuple[Rule, ...] = (
    COLUMN_COUNT, CHROM, CONTIG_UNDECLARED, CONTIG_SPLIT, POS, POS_BEYOND, POS_ORDER,
    POS_ORDER_FREE, DUPLICATE, ID, ID_REPEATED, REF, ALT, ALT_SYMBOL, ALT_UNDECLARED, ALT_REPEATED,
    QUAL, QUAL_NEGATIVE, FILTER, FILTER_ZERO, FILTER_REPEATED, FILTER_PASS_AND, FILTER_UNDECLARED,
    INFO, INFO_KEY, INFO_REPEATED, INFO_UNDECLARED, INFO_NUMBER, INFO_TYPE, FLAG_VALUE,
    FLAG_ZERO_OR_ONE, INFO_VALUE_MISSING, INFO_NEGATIVE, CIGAR, INTEGER_RANGE, INTEGER_RESERVED,
    PERCENT, INFO_SPACE, INFO_EQUALS, INFO_QUOTED, END_BEFORE, END_EMPTY, INTERVAL,
)  # fmt: skip

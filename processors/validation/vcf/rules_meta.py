"""Rules of VCF for meta-information lines, which begin with ##."""

from __future__ import annotations

from genoflow.processors.validation.rules import Rule, Severity

E, V, N = Severity.ERROR, Severity.VIOLATION, Severity.NOTE

# A rule is a row of a table: fields in the order of `Rule`, several on a line.
# fmt: off
MALFORMED = Rule(
    "vcf-meta-malformed", V, "VCF 4.3, 1.4", "A meta-information line is ##key=value.",
    "write the line as key and value", "##Some random text")
VALUE_EMPTY = Rule(
    "vcf-meta-value-empty", V, "VCF 4.3, 1.4", "The value of a meta-information line is not empty.",
    "write a value, or remove the line", "##reference=")
UNCLOSED = Rule(
    "vcf-meta-unclosed", V, "VCF 4.3, 1.4", "A value that begins with < ends with >.",
    "close the value", '##INFO=<ID=X,Number=1,Type=Float,Description="A number"')
PAIR = Rule(
    "vcf-meta-pair", V, "VCF 4.3, 1.4", "Between < and > stand key=value pairs with commas.",
    "write key=value, and quote what holds commas", "##contig=<ID=1,A,length=1000>")
QUOTES = Rule(
    "vcf-meta-quotes", V, "VCF 4.3, 1.4.2",
    'A quoted value ends with a quote, and quotes within it are written as \\".',
    "close the quote, or escape the quotes within",
    '##FILTER=<ID=q10,Description="Below "10">')
KEY_REPEATED = Rule(
    "vcf-meta-key-repeated", V, "VCF 4.3, 1.4", "A key stands once between < and >.",
    "keep one of them", '##FILTER=<ID=q10,Description="a",Description="b">')
ID_MISSING = Rule(
    "vcf-meta-id-missing", V, "VCF 4.3, 1.4", "A structured line has an ID.",
    "give the line an ID", "##contig=<length=1000>")
ID_REPEATED = Rule(
    "vcf-meta-id-repeated", V, "VCF 4.3, 1.4", "An ID is unique among lines of its kind.",
    "keep one of the lines",
    '##fileformat=VCFv4.3\n##FILTER=<ID=q10,Description="a">\n##FILTER=<ID=q10,Description="b">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
CONTIG_REPEATED = Rule(
    "vcf-contig-repeated", N, "VCF 4.3, 1.4.7",
    "A contig is declared once; a second line that contradicts nothing is worth knowing.",
    "keep one of the lines",
    "##fileformat=VCFv4.3\n##contig=<ID=1>\n##contig=<ID=1,length=1000>\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
ID_CHARACTERS = Rule(
    "vcf-meta-id-characters", V, "VCF 4.3, 1.4.7",
    "An ID has only the characters that its kind allows.",
    "rename it", "##contig=<ID=1 A>")
KEY_MISSING = Rule(
    "vcf-meta-key-missing", V, "VCF 4.3, 1.4.2",
    "INFO and FORMAT lines have Number, Type and Description, others what is required of them.",
    "write the missing key", '##INFO=<ID=X,Number=1,Description="A number">')
DESCRIPTION_MISSING = Rule(
    "vcf-description-missing", N, "VCF 4.4, 1.4.3", "ALT and FILTER lines have a Description.",
    "describe it", "##fileformat=VCFv4.4\n##FILTER=<ID=q10>\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
DESCRIPTION_QUOTES = Rule(
    "vcf-description-quotes", V, "VCF 4.3, 1.4.2", "A Description stands in double quotes.",
    "quote it", "##FILTER=<ID=q10,Description=Quality below 10>")
OPTIONAL_QUOTES = Rule(
    "vcf-optional-quotes", N, "VCF 4.5, 1.4", "From 4.5 on values of further keys are quoted.",
    "quote it",
    '##fileformat=VCFv4.5\n##FILTER=<ID=q10,Description="a",Cutoff=10>\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
ORDER = Rule(
    "vcf-meta-order", V, "VCF 4.3, 1.4.2", "Keys stand in the order ID, Number, Type, Description.",
    "write the keys in that order", '##INFO=<Number=1,ID=X,Type=Float,Description="A number">')
ORDER_FREE = Rule(
    "vcf-meta-order-free", N, "VCF 4.5, 1.4", "From 4.5 on that order is only recommended.",
    "write the keys in the order ID, Number, Type, Description",
    '##fileformat=VCFv4.5\n##INFO=<Number=1,ID=X,Type=Float,Description="A number">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
NUMBER = Rule(
    "vcf-meta-number", V, "VCF 4.3, 1.4.2",
    "Number is a count, a dot, or a letter that the version knows (A, G; R from 4.2; P from 4.4; "
    "LA, LR, LG and M from 4.5).",
    "write a Number of the version, or a newer version",
    '##INFO=<ID=X,Number=N,Type=Float,Description="A number">')
TYPE = Rule(
    "vcf-meta-type", V, "VCF 4.3, 1.4.2",
    "Type is Integer, Float, Character or String, and in INFO also Flag.",
    "write one of these types", '##FORMAT=<ID=X,Number=0,Type=Flag,Description="A flag">')
FLAG_NUMBER = Rule(
    "vcf-flag-number", N, "VCF 4.3, 1.4.2", "The Number of a Flag is 0.",
    "write Number=0", '##INFO=<ID=X,Number=1,Type=Flag,Description="A flag">')
RESERVED_NUMBER = Rule(
    "vcf-reserved-number", V, "VCF 4.3, 1.6", "A reserved key has the Number that is reserved.",
    "write the reserved Number, or another key",
    '##INFO=<ID=DP,Number=2,Type=Integer,Description="Depth">')
RESERVED_TYPE = Rule(
    "vcf-reserved-type", V, "VCF 4.3, 1.6", "A reserved key has the Type that is reserved.",
    "write the reserved Type, or another key",
    '##INFO=<ID=DP,Number=1,Type=String,Description="Depth">')
KEY_NAME = Rule(
    "vcf-key-name", V, "VCF 4.3, 1.6.1",
    "A key of INFO or FORMAT is letters, digits, _ and dots, and begins with no digit.",
    "rename the key", '##INFO=<ID=1X,Number=1,Type=Float,Description="A number">')
ALT_TYPE = Rule(
    "vcf-alt-type", V, "VCF 4.3, 1.4.5",
    "The first level of a symbolic allele is DEL, INS, DUP, INV or CNV; from 4.3 on only where "
    "there are levels.",
    "use one of these types", '##ALT=<ID=THIS:THAT,Description="Something">')
FILTER_ZERO = Rule(
    "vcf-filter-zero-declared", V, "VCF 4.3, 1.6.1", "No filter is called 0.",
    "rename the filter", '##FILTER=<ID=0,Description="Reserved">')
CONTIG_LENGTH = Rule(
    "vcf-contig-length", V, "VCF 4.3, 1.4.7", "The length of a contig is a positive number.",
    "write the length in bases", "##contig=<ID=1,length=long>")
CONTIG_MD5 = Rule(
    "vcf-contig-md5", N, "VCF 4.3, 1.4.7", "The md5 of a contig has 32 hexadecimal digits.",
    "write the MD5 of the sequence as SAM defines it", "##contig=<ID=1,length=9,md5=abc>")
URL = Rule(
    "vcf-url", V, "VCF 4.3, 1.4.6", "assembly and pedigreeDB are URLs.",
    "write an URL with scheme, host and path", "##assembly=ftp://8080:8080/file.fa")
VALUES = Rule(
    "vcf-meta-values", V, "VCF 4.3, 1.4.8", "Values of a META line stand in square brackets.",
    "write them as [a, b]", "##META=<ID=Assay,Number=.,Type=String,Values=Exome>")
SAMPLE_QUOTES = Rule(
    "vcf-sample-quotes", V, "VCF 4.2, 1.2.8",
    "Up to 4.2 only the Description of a SAMPLE line is quoted.",
    "remove the quotes",
    '##fileformat=VCFv4.2\n##SAMPLE=<ID=S1,Genomes=G1,Mixture="1",Description="a">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
PEDIGREE_VALUE = Rule(
    "vcf-pedigree-value", V, "VCF 4.3, 1.4.9",
    "Values of a PEDIGREE line are names without white space, commas and colons.",
    "write names of samples", "##PEDIGREE=<ID=S1,Father=Some body>")
TEXT_IN_BRACKETS = Rule(
    "vcf-meta-text-in-brackets", N, "VCF 4.3, 1.4",
    "What stands between < and > has keys; readers take a bare text there for one value.",
    "remove < and >", '##Title=<"A study">')
# fmt: on

META_RULES: tuple[Rule, ...] = (
    MALFORMED, VALUE_EMPTY, UNCLOSED, PAIR, QUOTES, KEY_REPEATED, ID_MISSING, ID_REPEATED,
    CONTIG_REPEATED, ID_CHARACTERS, KEY_MISSING, DESCRIPTION_MISSING, DESCRIPTION_QUOTES,
    OPTIONAL_QUOTES, ORDER, ORDER_FREE, NUMBER, TYPE, FLAG_NUMBER, RESERVED_NUMBER, RESERVED_TYPE,
    KEY_NAME, ALT_TYPE, FILTER_ZERO, CONTIG_LENGTH, CONTIG_MD5, URL, VALUES, SAMPLE_QUOTES,
    PEDIGREE_VALUE, TEXT_IN_BRACKETS,
)  # fmt: skip

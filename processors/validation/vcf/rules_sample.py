"""Rules of VCF for FORMAT and samples, and for structural variants from 4.4 on."""

from __future__ import annotations

from genoflow.processors.validation.rules import Rule, Severity

V, N = Severity.VIOLATION, Severity.NOTE
_SITE = "1\t9\t.\tA\tC\t.\t.\t.\t"

# A rule is a row of a table: fields in the order of `Rule`, several on a line.
# fmt: off
FORMAT = Rule(
    "vcf-format", V, "VCF 4.3, 1.6.2",
    "FORMAT is keys between colons: letters, digits, _ and dots, no digit at the beginning; up to "
    "4.2 letters and digits, unless they are declared.",
    "rename the key", _SITE + "GT::DP\t0/1:.:9")
FORMAT_REPEATED = Rule(
    "vcf-format-repeated", V, "VCF 4.3, 1.6.2", "A key stands in FORMAT once.",
    "keep one of them", _SITE + "GT:DP:DP\t0/1:9:9")
GT_FIRST = Rule(
    "vcf-format-gt-first", V, "VCF 4.3, 1.6.2", "GT is the first key of FORMAT.",
    "write GT first", _SITE + "DP:GT\t9:0/1")
FORMAT_UNDECLARED = Rule(
    "vcf-format-undeclared", N, "VCF 4.3, 1.4.4", "A key of FORMAT is declared by ##FORMAT.",
    "declare it", _SITE + "GT:X\t0/1:9")
SAMPLE_FIELDS = Rule(
    "vcf-sample-fields", V, "VCF 4.3, 1.6.2", "A sample has at most as many fields as FORMAT.",
    "write one field for each key", _SITE + "GT\t0/1:9")
SAMPLE_EMPTY = Rule(
    "vcf-sample-empty", V, "VCF 4.3, 1.6.2", "A field that is missing is a dot.",
    "write a dot", _SITE + "GT:DP\t0/1:")
GENOTYPE = Rule(
    "vcf-genotype", V, "VCF 4.3, 1.6.2",
    "GT is numbers of alleles or dots, with / or | between them; from 4.4 on also before them.",
    "write the genotype again", _SITE + "GT\t0/A")
GENOTYPE_ALLELE = Rule(
    "vcf-genotype-allele", V, "VCF 4.3, 1.6.2",
    "A number in GT is that of an allele of the record.",
    "write the genotype again, or the missing allele", _SITE + "GT\t0/2")
SAMPLE_NUMBER = Rule(
    "vcf-sample-number", V, "VCF 4.3, 1.4.4",
    "A field has as many values as its Number says; G counts the genotypes of the sample's ploidy.",
    "write one value for each, or a dot for all", _SITE + "GT:PL\t0/1:1,2")
SAMPLE_TYPE = Rule(
    "vcf-sample-type", V, "VCF 4.3, 1.3", "Values are of the Type of their key.",
    "write the values anew, or declare another Type", _SITE + "GT:DP\t0/1:many")
FT_SPACE = Rule(
    "vcf-sample-filter", V, "VCF 4.3, 1.6.2", "FT is codes of filters without white space.",
    "write the codes between semicolons", _SITE + "GT:FT\t0/1:q 10")
PS_NEGATIVE = Rule(
    "vcf-phase-set-negative", V, "VCF 4.3, 1.6.2", "PS is not negative.",
    "write the position of the first variant of the set", _SITE + "GT:PS\t0|1:-9")
PHASE_LIST = Rule(
    "vcf-phase-set-list", V, "VCF 4.4, 1.6.2", "PSL has a dot for every allele that is not phased.",
    "write a dot for it", _SITE + "GT:PSL\t0/1:a,b")
PHASE_VALUE = Rule(
    "vcf-phase-set-value", V, "VCF 4.4, 1.6.2", "PSO and PSQ have a dot where PSL has one.",
    "write a dot for it", _SITE + "GT:PSL:PSO\t0/1:.,.:1,2")
PHASE_BOTH = Rule(
    "vcf-phase-set-both", V, "VCF 4.4, 1.6.2", "A sample has values for PS or for PSL, not both.",
    "keep one of them", _SITE + "GT:PS:PSL\t0|1:9:a,b")
LOCAL_ALLELES = Rule(
    "vcf-local-alleles", V, "VCF 4.5, 1.6.2",
    "LAA has different numbers of alleles of ALT, and stands before the fields that need it.",
    "write LAA behind GT, with the alleles of the sample", _SITE + "GT:LAA\t0/1:2")
MODIFICATION = Rule(
    "vcf-base-modification", V, "VCF 4.5, 1.4.4",
    "A base modification has a genotype, and its fraction lies between 0 and 1.",
    "write GT, and fractions of 1", _SITE + "GT:M5mC\t0/1:1.5")
SVLEN_MISSING = Rule(
    "vcf-svlen-missing", V, "VCF 4.4, 3", "A symbolic structural variant has SVLEN.",
    "write the length of each allele", "1\t9\t.\tA\t<INV>\t.\t.\tEND=20")
SVCLAIM_MISSING = Rule(
    "vcf-svclaim-missing", V, "VCF 4.4, 3", "DEL and DUP have SVCLAIM.",
    "write D, J or DJ for each allele", "1\t9\t.\tA\t<DEL>\t.\t.\tSVLEN=11")
SVCLAIM = Rule(
    "vcf-svclaim", V, "VCF 4.4, 3",
    "SVCLAIM is D, J or DJ for DEL and DUP, D for CNV, J or DJ for INS and INV, J for breakends.",
    "write what the call was made from", "1\t9\t.\tA\t<CNV>\t.\t.\tSVLEN=11;SVCLAIM=J")
PAIRS = Rule(
    "vcf-values-per-allele", V, "VCF 4.4, 3",
    "CIPOS, CIEND, CILEN and CICN have two values an allele, MEINFO and METRANS four.",
    "write the values of every allele, with dots for those that are missing",
    "1\t9\t.\tA\tC,G\t.\t.\tCIPOS=-1,1")
REPEAT_UNIT_MISSING = Rule(
    "vcf-repeat-unit-missing", V, "VCF 4.4, 3", "CNV:TR has RUS or RUL.",
    "write the repeat unit or its length", "1\t9\t.\tA\t<CNV:TR>\t.\t.\tSVLEN=9;RUC=3")
REPEAT_NUMBER = Rule(
    "vcf-repeat-number", V, "VCF 4.4, 3",
    "RUS, RUL, RUC and RB have as many values as RN says in all, CIRUC and CIRB twice as many.",
    "write a value for each repeat sequence",
    "1\t9\t.\tA\t<CNV:TR>\t.\t.\tSVLEN=9;RN=1;RUS=CAG,TG")
REPEAT_UNIT = Rule(
    "vcf-repeat-unit", V, "VCF 4.4, 3", "RUS is bases of IUPAC, as many as RUL says.",
    "write the repeat unit again", "1\t9\t.\tA\t<CNV:TR>\t.\t.\tSVLEN=9;RUS=CAG;RUL=2")
REPEAT_BASES = Rule(
    "vcf-repeat-unit-bases", V, "VCF 4.4, 3",
    "RUB comes with RUC in whole numbers, and has as many values as they add up to.",
    "write the length of each repeat unit",
    "1\t9\t.\tA\t<CNV:TR>\t.\t.\tSVLEN=9;RUS=CAG;RUC=2.5;RUB=3,3")
REPEAT_INTERVAL = Rule(
    "vcf-repeat-interval", V, "VCF 4.4, 3", "CIRUC and CIRB have values where RUC and RB have.",
    "write dots there", "1\t9\t.\tA\t<CNV:TR>\t.\t.\tSVLEN=9;RUS=CAG;RB=.;CIRB=-1,1")
REPEAT_SIZE = Rule(
    "vcf-repeat-size", N, "VCF 4.4, 3", "RB is about RUC times RUL.",
    "compare the three", "1\t9\t.\tA\t<CNV:TR>\t.\t.\tSVLEN=9;RUS=CAG;RUC=3;RB=20")
COPY_NUMBER_SVLEN = Rule(
    "vcf-copy-number-svlen", V, "VCF 4.4, 4",
    "Where samples have CN, all of CNV, DEL and DUP have the same SVLEN.",
    "split the record by length",
    "1\t9\t.\tA\t<CNV>,<DEL>\t.\t.\tSVLEN=9,5;SVCLAIM=D,D\tGT:CN\t0/1:2")
CICN_WITHOUT_CN = Rule(
    "vcf-copy-number-interval", V, "VCF 4.4, 4", "CICN in FORMAT comes with CN.",
    "write CN, too", "1\t9\t.\tA\t<CNV>\t.\t.\tSVLEN=9\tGT:CICN\t0/1:-1,1")
# fmt: on

SAMPLE_RULES: tuple[Rule, ...] = (
    FORMAT, FORMAT_REPEATED, GT_FIRST, FORMAT_UNDECLARED, SAMPLE_FIELDS, SAMPLE_EMPTY, GENOTYPE,
    GENOTYPE_ALLELE, SAMPLE_NUMBER, SAMPLE_TYPE, FT_SPACE, PS_NEGATIVE, PHASE_LIST, PHASE_VALUE,
    PHASE_BOTH, LOCAL_ALLELES, MODIFICATION, SVLEN_MISSING, SVCLAIM_MISSING, SVCLAIM, PAIRS,
    REPEAT_UNIT_MISSING, REPEAT_NUMBER, REPEAT_UNIT, REPEAT_BASES, REPEAT_INTERVAL, REPEAT_SIZE,
    COPY_NUMBER_SVLEN, CICN_WITHOUT_CN,
)  # fmt: skip

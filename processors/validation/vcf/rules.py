"""All rules of VCF and BCF."""

from __future__ import annotations

from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.vcf.rules_bcf import BCF_RULES
from genoflow.processors.validation.vcf.rules_file import FILE_RULES
from genoflow.processors.validation.vcf.rules_meta import META_RULES
from genoflow.processors.validation.vcf.rules_record import RECORD_RULES
from genoflow.processors.validation.vcf.rules_sample import SAMPLE_RULES

RULES: tuple[Rule, ...] = (*FILE_RULES, *META_RULES, *RECORD_RULES, *SAMPLE_RULES, *BCF_RULES)

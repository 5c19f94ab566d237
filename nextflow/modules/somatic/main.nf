process SOMATIC {
    input:
    path bams
    path bais
    path index
    path bed
    path roles

    output:
    path 'somatic.vcf.gz'

    script:
    """
    '${params.python}' '${moduleDir}/somatic.py' ${index} ${roles} somatic.vcf.gz '${bed}' ${bams}
    """

    stub:
    """
    touch somatic.vcf.gz
    """
}

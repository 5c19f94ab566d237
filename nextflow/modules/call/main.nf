process CALL {
    input:
    path bams
    path bais
    path index
    path bed

    output:
    path 'called.vcf.gz'

    script:
    """
    '${params.python}' '${moduleDir}/call.py' --caller '${params.variant_caller}' \
        --quality-threshold ${params.quality_threshold} \
        --base-quality-min ${params.base_quality_min} \
        --mapping-quality-min ${params.mapping_quality_min} \
        ${index} called.vcf.gz '${bed}' ${bams}
    """

    stub:
    """
    touch called.vcf.gz
    """
}

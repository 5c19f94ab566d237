process GATHER {
    input:
    val names
    path variants, stageAs: 'given/?.vcf'
    path bed

    output:
    path 'gathered.vcf.gz'

    script:
    """
    '${params.python}' '${moduleDir}/gather.py' '${names.join(',')}' \
        gathered.vcf.gz '${bed}' ${variants}
    """

    stub:
    """
    touch gathered.vcf.gz
    """
}

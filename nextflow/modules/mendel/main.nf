process MENDEL {
    input:
    path vcf
    path roles
    path coverages

    output:
    path 'trio.vcf.gz', emit: variants
    path 'mendel.json', emit: values

    script:
    """
    '${params.python}' '${moduleDir}/mendel.py' ${vcf} ${roles} trio.vcf.gz mendel.json ${coverages}
    """

    stub:
    """
    touch trio.vcf.gz
    echo '[]' > mendel.json
    """
}

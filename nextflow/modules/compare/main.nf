process COMPARE {
    input:
    path vcf
    val kind
    path roles

    output:
    path 'compared.json'

    script:
    """
    '${params.python}' '${moduleDir}/compare.py' ${vcf} '${kind}' ${roles} compared.json
    """

    stub:
    """
    echo '[]' > compared.json
    """
}

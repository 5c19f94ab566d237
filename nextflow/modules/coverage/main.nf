process COVERAGE {
    tag "${sample}"
    publishDir "${params.outdir}/coverage/${sample}", mode: 'copy'

    input:
    tuple val(sample), path(bam), path(bai)
    path bed

    output:
    path "${sample}.coverage.json"

    script:
    """
    '${params.python}' '${moduleDir}/coverage.py' '${sample}' '${bam}' \
        '${sample}.coverage.json' ${bed}
    """

    stub:
    """
    echo '[]' > '${sample}.coverage.json'
    """
}

process TARGETS {
    tag "${sample}"
    publishDir "${params.outdir}/targets/${sample}", mode: 'copy', pattern: '*.tsv'

    input:
    tuple val(sample), path(bam), path(bai)
    path bed

    output:
    path "${sample}.targets.tsv", emit: table
    path "${sample}.targets.json", emit: values

    script:
    """
    '${params.python}' '${moduleDir}/targets.py' '${sample}' '${bam}' ${bed} \
        '${sample}.targets.tsv' '${sample}.targets.json'
    """

    stub:
    """
    touch '${sample}.targets.tsv'
    echo '[]' > '${sample}.targets.json'
    """
}

process QC {
    tag "${sample}"
    publishDir "${params.outdir}/qc/${sample}", mode: 'copy', pattern: '*.txt'

    input:
    tuple val(sample), path(bam), path(bai)

    output:
    path "${sample}.stats.txt", emit: page
    path "${sample}.qc.json", emit: values

    script:
    """
    '${params.python}' '${moduleDir}/qc.py' '${sample}' '${bam}' \
        '${sample}.stats.txt' '${sample}.qc.json'
    """

    stub:
    """
    touch '${sample}.stats.txt'
    echo '[]' > '${sample}.qc.json'
    """
}

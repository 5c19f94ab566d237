// ext.hits: how many other places of a read are named beside the best one (XA)
process ALIGN {
    tag "${sample} ${read_set}"

    input:
    tuple val(sample), val(read_set), path(reads, stageAs: 'reads/?.fastq.gz')
    path index

    output:
    tuple val(sample), path("${read_set}.bam")

    script:
    """
    '${params.python}' '${moduleDir}/align.py' ${index} '${sample}' '${read_set}' \
        '${read_set}.bam' ${task.ext.hits ?: 5} ${reads}
    """

    stub:
    """
    touch '${read_set}.bam'
    """
}

process TAKE {
    tag "${sample} ${read_set}"

    input:
    tuple val(sample), val(read_set), path(alignment)
    path index

    output:
    tuple val(sample), path("${read_set}.bam")

    script:
    """
    '${params.python}' '${moduleDir}/take.py' ${index} '${sample}' '${read_set}' \
        taken.bam '${alignment}'
    mv taken.bam '${read_set}.bam'
    """

    stub:
    """
    touch '${read_set}.bam'
    """
}

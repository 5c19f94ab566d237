// Sorted, duplicates marked, indexed: in one task, so that what lies between is never packed.
process SORT {
    tag "${sample}"
    publishDir "${params.outdir}", mode: 'copy', saveAs: { name ->
        name.endsWith('.bai') ? "bai/${sample}/${name}" : "bam/${sample}/${name}" }

    input:
    tuple val(sample), path(aligned, stageAs: 'aligned/?.bam')

    output:
    tuple val(sample), path("${sample}.bam"), path("${sample}.bam.bai")

    script:
    """
    '${params.python}' '${moduleDir}/sort.py' '${sample}.bam' ${aligned}
    """

    stub:
    """
    touch '${sample}.bam' '${sample}.bam.bai'
    """
}

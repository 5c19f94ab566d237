process QUANTIFY {
    tag "${sample}"
    publishDir "${params.outdir}", mode: 'copy', saveAs: { name ->
        name.endsWith('.json') ? null : "${name.tokenize('.')[-2]}/${sample}/${name}" }

    input:
    tuple val(sample), path(aligned, stageAs: 'aligned/?.bam')
    path genes

    output:
    path "${sample}.genes.tsv", emit: genes
    path "${sample}.transcripts.tsv", emit: transcripts
    path "${sample}.counts.json", emit: values

    script:
    """
    '${params.python}' '${moduleDir}/quantify.py' '${sample}' ${genes} '${sample}.genes.tsv' \
        '${sample}.transcripts.tsv' '${sample}.counts.json' ${aligned}
    """

    stub:
    """
    touch '${sample}.genes.tsv' '${sample}.transcripts.tsv'
    echo '[]' > '${sample}.counts.json'
    """
}

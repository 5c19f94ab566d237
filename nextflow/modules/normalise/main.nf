process NORMALISE {
    publishDir "${params.outdir}", mode: 'copy', saveAs: { name ->
        name.endsWith('.json') ? null
            : "${[gz: 'vcf', tbi: 'tbi', txt: 'stats'][name.tokenize('.')[-1]]}/_case/${name}" }

    input:
    path variants
    path fasta

    output:
    path "${params.case_id}.vcf.gz", emit: variants
    path "${params.case_id}.vcf.gz.tbi", emit: index
    path "${params.case_id}.stats.txt", emit: page
    path 'variants.json', emit: values

    script:
    """
    '${params.python}' '${moduleDir}/normalise.py' ${variants} ${fasta} \
        '${params.case_id}.vcf.gz' '${params.case_id}.stats.txt' variants.json
    """

    stub:
    """
    touch '${params.case_id}.vcf.gz' '${params.case_id}.vcf.gz.tbi' '${params.case_id}.stats.txt'
    echo '[]' > variants.json
    """
}

process TRANSCRIPTS {
    input:
    path fasta
    path gtf

    output:
    path 'transcripts.fa', emit: sequences
    path 'transcripts.tsv', emit: genes

    script:
    """
    '${params.python}' '${moduleDir}/transcripts.py' ${fasta} ${gtf} transcripts.fa transcripts.tsv
    """

    stub:
    """
    touch transcripts.fa transcripts.tsv
    """
}

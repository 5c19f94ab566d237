process INDEX {
    input:
    path fasta

    output:
    path 'index'

    script:
    """
    '${params.python}' '${moduleDir}/index.py' '${fasta}' index
    """

    stub:
    """
    mkdir index && touch index/reference.fa
    """
}

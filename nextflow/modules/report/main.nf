process REPORT {
    publishDir "${params.outdir}", mode: 'copy', saveAs: { name ->
        name.endsWith('.html') ? "report/_case/${name}" : name }

    input:
    path values

    output:
    path "${params.case_id}.html", emit: page
    path 'measurements.json', emit: values

    script:
    """
    '${params.python}' '${moduleDir}/report.py' '${params.case_id}' \
        '${params.case_id}.html' measurements.json ${values}
    """

    stub:
    """
    touch '${params.case_id}.html'
    echo '[]' > measurements.json
    """
}

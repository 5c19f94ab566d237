// From reads or alignments to variants, for small genomes: one machine, pybwa and pysam, no system
// tools. What enters as variants is only gathered and measured.
//
// --samples   a table: sample, read_set, r1, r2, alignment, variants; one row a read set, and in it
//             reads (r2 empty for single ones), an alignment to this reference (BAM, CRAM), or VCF
// --fasta     the reference
// --bed       the regions; empty for all of it
// --case_id   what the case is called
// --kind      single, tumour-normal or trio
// --roles     a table: sample, role
// --python    the Python that has pybwa and pysam
// --outdir    results stand in <outdir>/<kind of output>/<sample, or _case>/
nextflow.enable.dsl = 2

process INDEX {
    input:
    path fasta

    output:
    path 'index'

    script:
    """
    '${params.python}' '${projectDir}/steps/index.py' '${fasta}' index
    """
}

process ALIGN {
    tag "${sample} ${read_set}"

    input:
    tuple val(sample), val(read_set), path(reads, stageAs: 'reads/?.fastq.gz')
    path index

    output:
    tuple val(sample), path("${read_set}.bam")

    script:
    """
    '${params.python}' '${projectDir}/steps/align.py' ${index} '${sample}' '${read_set}' \
        '${read_set}.bam' ${reads}
    """
}

process TAKE {
    tag "${sample} ${read_set}"

    input:
    tuple val(sample), val(read_set), path(alignment)
    path index

    output:
    tuple val(sample), path("${read_set}.bam")

    script:
    """
    '${params.python}' '${projectDir}/steps/take.py' ${index} '${sample}' '${read_set}' \
        taken.bam '${alignment}'
    mv taken.bam '${read_set}.bam'
    """
}

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
    '${params.python}' '${projectDir}/steps/sort.py' '${sample}.bam' ${aligned}
    """
}

process COVERAGE {
    tag "${sample}"
    publishDir "${params.outdir}/coverage/${sample}", mode: 'copy'

    input:
    tuple val(sample), path(bam), path(bai)
    path bed

    output:
    path "${sample}.coverage.json"

    script:
    """
    '${params.python}' '${projectDir}/steps/coverage.py' '${sample}' '${bam}' \
        '${sample}.coverage.json' ${bed}
    """
}

process CALL {
    publishDir "${params.outdir}", mode: 'copy', saveAs: { name ->
        name.endsWith('.tbi') ? "tbi/_case/${name}" : "vcf/_case/${name}" }

    input:
    path bams
    path bais
    path index
    path bed
    path roles

    output:
    tuple path("${params.case_id}.vcf.gz"), path("${params.case_id}.vcf.gz.tbi")

    script:
    """
    '${params.python}' '${projectDir}/steps/call.py' ${index} '${params.kind}' ${roles} \
        '${params.case_id}.vcf.gz' '${bed}' ${bams}
    """
}

process GATHER {
    publishDir "${params.outdir}", mode: 'copy', saveAs: { name ->
        name.endsWith('.tbi') ? "tbi/_case/${name}" : "vcf/_case/${name}" }

    input:
    val names
    path variants, stageAs: 'given/?.vcf'
    path bed

    output:
    tuple path("${params.case_id}.vcf.gz"), path("${params.case_id}.vcf.gz.tbi")

    script:
    """
    '${params.python}' '${projectDir}/steps/gather.py' '${names.join(',')}' \
        '${params.case_id}.vcf.gz' '${bed}' ${variants}
    """
}

process MEASURE {
    publishDir "${params.outdir}", mode: 'copy', saveAs: { name ->
        name.endsWith('.html') ? "report/_case/${name}" : name }

    input:
    tuple path(vcf), path(tbi)

    output:
    tuple path("${params.case_id}.html"), path('measurements.json')

    script:
    """
    echo '[]' > compared.json
    '${params.python}' '${projectDir}/steps/report.py' '${params.case_id}' \
        '${params.case_id}.html' measurements.json ${vcf} compared.json
    """
}

process REPORT {
    publishDir "${params.outdir}", mode: 'copy', saveAs: { name ->
        name.endsWith('.html') ? "report/_case/${name}" : name }

    input:
    path coverages
    tuple path(vcf), path(tbi)
    path roles

    output:
    tuple path("${params.case_id}.html"), path('measurements.json')

    script:
    """
    '${params.python}' '${projectDir}/steps/compare.py' ${vcf} '${params.kind}' ${roles} \
        compared.json
    '${params.python}' '${projectDir}/steps/report.py' '${params.case_id}' \
        '${params.case_id}.html' measurements.json ${vcf} compared.json ${coverages}
    """
}

workflow {
    rows = file(params.samples).splitCsv(sep: '\t', header: true)
    bed = params.bed ? Channel.value(file(params.bed)) : Channel.value([])
    given = rows.findAll { it.variants }
    if (given) {
        called = GATHER(
            Channel.value(given.collect { it.sample }),
            Channel.value(given.collect { file(it.variants) }),
            bed
        )
        MEASURE(called)
    } else {
        reads = Channel.fromList(rows.findAll { it.r1 }).map { row ->
            tuple(row.sample, row.read_set, [row.r1, row.r2].findAll().collect { file(it) }) }
        alignments = Channel.fromList(rows.findAll { it.alignment }).map { row ->
            tuple(row.sample, row.read_set, file(row.alignment)) }
        index = INDEX(Channel.value(file(params.fasta)))
        sorted = SORT(ALIGN(reads, index).mix(TAKE(alignments, index)).groupTuple())
        coverages = COVERAGE(sorted, bed)
        roles = Channel.value(file(params.roles))
        called = CALL(
            sorted.map { it[1] }.toSortedList { one, other -> one.name <=> other.name },
            sorted.map { it[2] }.toSortedList { one, other -> one.name <=> other.name },
            index, bed, roles
        )
        REPORT(coverages.collect(), called, roles)
    }
}

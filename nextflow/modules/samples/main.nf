// What enters: a row for each part of a read set. A table whose name ends with .csv has commas.

// The rows, each with a sample and a file in one of these columns.
def rowsOf(columns) {
    if (!params.samples) {
        error "samples: is not given, and says what enters; name a table with --samples FILE"
    }
    def table = file(params.samples, checkIfExists: true)
    def separator = table.name.endsWith('.csv') ? ',' : '\t'
    def rows = table.splitCsv(sep: separator, header: true)
    rows.eachWithIndex { row, number ->
        def place = "${table.name}, line ${number + 2}"
        if (!row.sample || !row.read_set) {
            error "${place}: names no ${row.sample ? 'read_set' : 'sample'}; fill that column"
        }
        if (!columns.any { row[it] }) {
            error "${place}: ${row.sample} has no file; name one in ${columns.join(' or ')}"
        }
    }
    if (!rows) {
        error "${table.name}: has no row; give each read set one"
    }
    return rows
}

// A file that the pipeline cannot do without.
def needed(name) {
    if (!params[name]) {
        error "${name}: is not given, and this pipeline needs it; name a file with --${name} FILE"
    }
    return Channel.value(file(params[name], checkIfExists: true))
}

// The regions; nothing for all of the reference.
def regionsOf() {
    return Channel.value(params.bed ? file(params.bed, checkIfExists: true) : [])
}

// Each part of a read set that is to be aligned.
def readsOf(rows) {
    return Channel.fromList(rows.findAll { it.r1 }).map { row ->
        tuple(row.sample, row.read_set, [row.r1, row.r2].findAll().collect { file(it) }) }
}

// Each that was aligned elsewhere.
def alignmentsOf(rows) {
    return Channel.fromList(rows.findAll { it.alignment }).map { row ->
        tuple(row.sample, row.read_set, file(row.alignment)) }
}

// Who is what in the case: of their table, or of the column role.
def rolesOf(rows) {
    if (params.roles) {
        return Channel.value(file(params.roles, checkIfExists: true))
    }
    def lines = rows.collect { "${it.sample}\t${it.role ?: 'single'}" }.unique()
    return Channel.of('sample\trole', *lines)
        .collectFile(name: 'roles.tsv', newLine: true, sort: false).first()
}

// One of the fields of all that comes, in the order of the files' names.
def inOrder(channel, field) {
    return channel.map { it[field] }.toSortedList { one, other -> one.name <=> other.name }
}

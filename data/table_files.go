package data

// tableFiles are the keys of sources that are tables in files, and what was found in them. Several files are one table, and series do
// not go on from one to the next. All of it is kept in memory, four bytes a value.
type tableFiles struct {
	File Paths `toml:"file" required:"true" doc:"table, or tables one after the other: a file, a glob or a list of them; CSV may be .gz" example:"\"payments.csv\""`
	tableKeys

	opened *tableFacts
}

func newTableFiles() tableFiles { return tableFiles{tableKeys: tableDefaultKeys()} }

func (o *tableFiles) labelColumn() {}

func (o *tableFiles) check(missing func(key, abs, what string)) {
	o.File.check(missing)
	o.tableKeys.check(missing)
}

func (o *tableFiles) facts() any {
	if o.opened == nil {
		return nil
	}
	return o.opened
}
func (o *tableFiles) recall() any       { return &tableFacts{} }
func (o *tableFiles) with(recalled any) { o.opened = recalled.(*tableFacts) }

// open makes a table of what read adds to the cells. label is the name of a column.
func (o *tableFiles) open(label string, read func(into *cells) error) (*Parts, error) {
	cells := newCells(&o.tableKeys, label, o.opened)
	if err := read(cells); err != nil {
		return nil, err
	}
	t, err := cells.table(&o.opened)
	if err != nil {
		return nil, err
	}
	return &Parts{Train: t}, nil
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"aetrain/tasks"
)

// Columns stand in their order with their types, one that stands twice is numbered, and what is not known is null.
func TestParquetOut(t *testing.T) {
	found := &tasks.Anomalies{Labelled: true, Rows: []tasks.AnomalyRow{{Name: "b", Score: 0.1, Label: 1, Anomaly: true}, {Name: "a", Score: 2, Label: -1}}}
	var b bytes.Buffer
	if err := anomalyParquet(&b, found); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	const schema = "message rows { required binary example (STRING); required double score; required int32 anomaly (INT(32,true)); optional int32 label (INT(32,true)); }"
	if got := strings.Join(strings.Fields(f.Schema().String()), " "); got != schema {
		t.Errorf("got  %s\nwant %s", got, schema)
	}
	rows, got := f.RowGroups()[0].Rows(), make([]parquet.Row, 3)
	defer rows.Close()
	if n, err := rows.ReadRows(got); n != 2 || err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("%d rows, %v", n, err)
	}
	if got, want := fmt.Sprint(got[:2]), "[[b 0.1 1 1] [a 2 0 <null>]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s := newParquetSchema([]parquetColumn{{"example", parquetText()}, {"b", parquetFloat()}, {"example", parquetFloat()}, {"a", parquetFloat()}})
	var names []string
	for _, f := range s.Fields() {
		names = append(names, f.Name())
	}
	if got := strings.Join(names, " "); got != "example b example_2 a" {
		t.Errorf("columns are %s", got)
	}
}

// A place that a user has no item for is null.
func TestParquetRecommendations(t *testing.T) {
	found := &tasks.Recommendations{Users: []tasks.UserItems{{User: "u", Items: []tasks.Item{{Name: "film", Score: 0.5}}}, {User: "v"}}}
	var b bytes.Buffer
	if err := recommendationParquet(&b, found); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	rows, got := f.RowGroups()[0].Rows(), make([]parquet.Row, 2)
	defer rows.Close()
	if _, err := rows.ReadRows(got); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(f.Schema().Columns(), got), "[[example] [item1] [score1]] [[u film 0.5] [v <null> <null>]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

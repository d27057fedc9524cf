package texttable

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	var table Table
	table.AlignRight(1)
	table.Row("name", "µs", "")
	table.Row("größe", "12.5", "x")
	table.Row("a")
	var got strings.Builder
	if err := table.Write(&got); err != nil {
		t.Fatal(err)
	}
	if want := "name     µs\ngröße  12.5  x\na\n"; got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
	reader, writer := io.Pipe()
	gone := errors.New("gone")
	reader.CloseWithError(gone)
	if err := table.Write(writer); !errors.Is(err, gone) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

package main

import (
	"os"
	"strings"
	"testing"
)

// The version that a benchmark shows is that of go.mod.
func TestVersion(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if v := version(); !strings.Contains(string(text), "gorgonia.org/gorgonia v"+v) {
		t.Errorf("version %s is not that of go.mod", v)
	}
}

// Package doctest reads the Markdown pages of the project, so that its test can hold them to the source: links lead somewhere,
// commands exist, and quoted code is what the tree holds.
package doctest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Page is a Markdown file.
type Page struct {
	Path   string // below the root, with slashes
	Text   string
	Blocks []Block
}

// Block is a fenced block of code.
type Block struct {
	Line int    // of the opening fence, from 1
	Lang string // "sh", "go"
	File string // of title="...": where the code stands; else empty
	Text string // without the fences
}

// skipped are folders that hold no pages of ours.
var skipped = []string{"runs", "testdata", "bin"}

// Pages reads every Markdown file below root, hidden folders excepted.
func Pages(root string) ([]Page, error) {
	var pages []Page
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || slices.Contains(skipped, name)) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		short, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		pages = append(pages, Parse(filepath.ToSlash(short), string(text)))
		return nil
	})
	return pages, err
}

var title = regexp.MustCompile(`title="([^"]*)"`)

// Parse finds the fenced blocks of a page.
func Parse(path, text string) Page {
	p := Page{Path: path, Text: text}
	var open *Block
	var body strings.Builder
	n := 0
	for line := range strings.Lines(text) {
		n++
		fence := strings.TrimSpace(line)
		switch {
		case open == nil && strings.HasPrefix(fence, "```"):
			info := strings.TrimPrefix(fence, "```")
			open = &Block{Line: n}
			open.Lang, _, _ = strings.Cut(info, " ")
			if m := title.FindStringSubmatch(info); m != nil {
				open.File = m[1]
			}
			body.Reset()
		case open != nil && fence == "```":
			open.Text = body.String()
			p.Blocks = append(p.Blocks, *open)
			open = nil
		case open != nil:
			body.WriteString(line)
		}
	}
	return p
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// Links are the targets of a page's relative links, anchors cut off.
func (p Page) Links() []string {
	var links []string
	for _, m := range link.FindAllStringSubmatch(p.prose(), -1) {
		target, _, _ := strings.Cut(m[1], "#")
		if target != "" && !strings.Contains(target, "://") && !strings.HasPrefix(target, "mailto:") {
			links = append(links, target)
		}
	}
	return links
}

// prose is the text without fenced blocks.
func (p Page) prose() string {
	text := p.Text
	for _, b := range p.Blocks {
		text = strings.Replace(text, b.Text, "", 1)
	}
	return text
}

// Commands are the command lines of a page's sh blocks: comments and continuation lines are taken care of.
func (p Page) Commands() []string {
	var list []string
	for _, b := range p.Blocks {
		if b.Lang != "sh" {
			continue
		}
		for line := range strings.Lines(strings.ReplaceAll(b.Text, "\\\n", " ")) {
			line, _, _ = strings.Cut(line, " #")
			line = strings.TrimSpace(line)
			if line != "" && !strings.HasPrefix(line, "#") {
				list = append(list, line)
			}
		}
	}
	return list
}

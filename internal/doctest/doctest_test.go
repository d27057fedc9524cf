package doctest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

func pages(t *testing.T) []Page {
	t.Helper()
	list, err := Pages(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 3 {
		t.Fatalf("found only %d pages", len(list))
	}
	return list
}

// TestLinks follows every relative link.
func TestLinks(t *testing.T) {
	for _, p := range pages(t) {
		for _, target := range p.Links() {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(p.Path), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", p.Path, target)
			}
		}
	}
}

// TestReadmeLinks: the README leads to every page for users.
func TestReadmeLinks(t *testing.T) {
	var readme Page
	for _, p := range pages(t) {
		if p.Path == "README.md" {
			readme = p
		}
	}
	for _, p := range pages(t) {
		if strings.HasPrefix(p.Path, "docs/") && !slices.Contains(readme.Links(), p.Path) {
			t.Errorf("README.md does not link to %s", p.Path)
		}
	}
}

// TestVariantsHavePictures: what docs/variants.md tells of is seen there too, in small files.
func TestVariantsHavePictures(t *testing.T) {
	const (
		mostBytes    = 40 << 10 // of a picture
		mostTogether = 3 << 19
	)
	shown, together := map[string]bool{}, int64(0)
	for _, p := range pages(t) {
		for _, target := range p.Links() {
			if dir, file := filepath.Split(filepath.Join(filepath.Dir(p.Path), target)); filepath.Clean(dir) == filepath.Join("docs", "pictures") {
				shown[file] = true
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "docs", "pictures", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if together += info.Size(); info.Size() > mostBytes {
			t.Errorf("%s has %d bytes; want %d at most", f, info.Size(), mostBytes)
		}
		if !shown[filepath.Base(f)] {
			t.Errorf("%s is on no page", f)
		}
	}
	if together > mostTogether {
		t.Errorf("the pictures have %d bytes together; want %d at most", together, mostTogether)
	}
	experiments, err := filepath.Glob(filepath.Join(root, "experiments", "*.toml"))
	if err != nil {
		t.Fatal(err)
	}
	unseen := []string{"text-vae", "cyclical", "features"} // sentences, and a network that others look through
	var lacking []string
	for _, e := range experiments {
		name := strings.TrimSuffix(filepath.Base(e), ".toml")
		if !shown[name+".png"] && !slices.Contains(unseen, name) {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) > 0 {
		t.Errorf("no page shows %q: run make pictures NAMES=%q and link docs/pictures/NAME.png below their paragraphs", lacking, strings.Join(lacking, " "))
	}
}

var ellipsis = regexp.MustCompile(`(?m)^\s*\.\.\.\n`)

// TestQuotes holds code under a title to the file of that name. An ellipsis line stands for anything.
func TestQuotes(t *testing.T) {
	for _, p := range pages(t) {
		for _, b := range p.Blocks {
			if b.File == "" {
				continue
			}
			text, err := os.ReadFile(filepath.Join(root, b.File))
			if err != nil {
				t.Errorf("%s:%d quotes %s: %v", p.Path, b.Line, b.File, err)
				continue
			}
			rest := flush(string(text))
			for _, part := range ellipsis.Split(b.Text, -1) {
				_, after, ok := strings.Cut(rest, strings.TrimSpace(flush(part)))
				if !ok {
					t.Errorf("%s:%d: this is not in %s any more:\n%s", p.Path, b.Line, b.File, part)
					break
				}
				rest = after
			}
		}
	}
}

// flush takes the indentation away, which is another one on a page.
func flush(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return strings.Join(lines, "\n")
}

// TestCommands checks the commands that pages tell people to type: make targets, subcommands of aetrain, configs, packages.
func TestCommands(t *testing.T) {
	targets := makeTargets(t)
	subcommands := help(t)
	for _, p := range pages(t) {
		for _, line := range p.Commands() {
			for _, mistake := range wrong(strings.Fields(line), targets, subcommands) {
				t.Errorf("%s: %q: %s", p.Path, line, mistake)
			}
		}
	}
}

// wrong tells what a command line names that is not there.
func wrong(words, targets, subcommands []string) (mistakes []string) {
	for len(words) > 0 && strings.Contains(words[0], "=") { // VAR=value make
		words = words[1:]
	}
	if len(words) == 0 {
		return nil
	}
	switch {
	case words[0] == "make":
		for _, w := range words[1:] {
			if !strings.Contains(w, "=") && !slices.Contains(targets, w) {
				mistakes = append(mistakes, "no target "+w)
			}
		}
	case words[0] == "go" && len(words) > 2 && words[1] == "run" && strings.HasPrefix(words[2], "./"):
		if _, err := os.Stat(filepath.Join(root, words[2])); err != nil {
			mistakes = append(mistakes, "no package "+words[2])
		}
		if words[2] == "./cmd/aetrain" {
			mistakes = append(mistakes, wrongArguments(words[3:], subcommands)...)
		}
	case words[0] == "aetrain":
		mistakes = wrongArguments(words[1:], subcommands)
	}
	return mistakes
}

func wrongArguments(args, subcommands []string) (mistakes []string) {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") && !slices.Contains(subcommands, args[0]) {
		mistakes = append(mistakes, "no command "+args[0])
	}
	for _, a := range args {
		if strings.HasPrefix(a, "experiments/") {
			if _, err := os.Stat(filepath.Join(root, a)); err != nil {
				mistakes = append(mistakes, "no file "+a)
			}
		}
	}
	return mistakes
}

// makeTargets are what make help lists.
func makeTargets(t *testing.T) []string {
	t.Helper()
	var targets []string
	for files := []string{"Makefile"}; len(files) > 0; files = files[1:] {
		text, err := os.ReadFile(filepath.Join(root, files[0]))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^include (\S+)`).FindAllStringSubmatch(string(text), -1) {
			files = append(files, m[1])
		}
		for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):.*## `).FindAllStringSubmatch(string(text), -1) {
			targets = append(targets, m[1])
		}
	}
	return targets
}

// help are the words that begin lines of aetrain help.
func help(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("go", "run", "./cmd/aetrain", "help")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("aetrain help: %v\n%s", err, out)
	}
	var words []string
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 0 && line[0] == ' ' {
			words = append(words, strings.Trim(f[0], ",:"))
		}
	}
	return words
}

// TestSource looks for what belongs to a machine or to a day of work, not into the project.
func TestSource(t *testing.T) {
	kinds := []string{".go", ".md", ".toml", ".py", ".txt", ".s", ".html", ".sh", ".mk", ".cu", ".cuh", ".cpp", ".c", ".h"}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		short, _ := filepath.Rel(root, path)
		if d.IsDir() && short != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"runs", "bin", "internal/doctest"}, filepath.ToSlash(short))) {
			return filepath.SkipDir
		}
		if d.IsDir() || !slices.Contains(kinds, filepath.Ext(path)) && d.Name() != "Makefile" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(text), "\n") {
			if what := foreign(line); what != "" {
				t.Errorf("%s:%d: %s", short, i+1, what)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

var (
	unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)
	machine    = regexp.MustCompile(`(^|[\s"'(=` + "`" + `])(/root|/Users)/|/tmp/[a-z]`)
)

func foreign(line string) string {
	if m := unfinished.FindString(line); m != "" {
		return m + " marks unfinished work"
	}
	if m := machine.FindString(line); m != "" {
		return "a path of one machine: " + strings.TrimSpace(line)
	}
	return ""
}

func TestForeign(t *testing.T) {
	for line, want := range map[string]bool{
		"// TODO later":               true,
		`open("/Users/x/y")`:          true,
		"cd /tmp/x":                   true,
		"a path like shared/Users/x":  false,
		"no such folder: /home/me/x":  false,
		"see https://x.org/work/page": false,
	} {
		if got := foreign(line) != ""; got != want {
			t.Errorf("%q: got %v, want %v", line, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	p := Parse("x.md", "# A\nsee [b](docs/b.md#c), [d](https://d.org) and [e](#e)\n\n```sh\nmake test # all\naetrain -config f \\\n  -v\n# nothing\n```\n```go title=\"a/b.go\"\nx := [1](y)\n```\n")
	if want := []string{"docs/b.md"}; !slices.Equal(p.Links(), want) {
		t.Errorf("links are %q, want %q", p.Links(), want)
	}
	if got, want := p.Commands(), []string{"make test", "aetrain -config f    -v"}; !slices.Equal(got, want) {
		t.Errorf("commands are %q, want %q", got, want)
	}
	if len(p.Blocks) != 2 || p.Blocks[1].File != "a/b.go" || p.Blocks[1].Text != "x := [1](y)\n" || p.Blocks[1].Line != 10 {
		t.Errorf("blocks are %+v", p.Blocks)
	}
}

func TestWrong(t *testing.T) {
	targets, commands := []string{"test"}, []string{"eval"}
	for line, want := range map[string]int{
		"make test":                                    0,
		"make tests":                                   1,
		"make test ROUNDS=3":                           0,
		"A=b make test":                                0,
		"aetrain eval":                                 0,
		"aetrain evil":                                 1,
		"aetrain my.toml":                              1,
		"aetrain -config experiments/no.toml":          1,
		"go run ./cmd/aetrain evil":                    1,
		"go run ./cmd/none":                            1,
		"git clone https://example.org/aetrain":        0,
		"go run ./cmd/aetrain eval experiments/x.toml": 1,
	} {
		if got := wrong(strings.Fields(line), targets, commands); len(got) != want {
			t.Errorf("%q: got %q, want %d mistakes", line, got, want)
		}
	}
}

package configs

import (
	"os"
	"path/filepath"
	"testing"
)

func TestResolvePath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", "/home/me")
	t.Setenv("PHOTOS", "/mnt/photos")
	cases := []struct{ raw, want string }{
		{"", ""}, {"a/b", filepath.Join(cwd, "a/b")}, {"./a/../b", filepath.Join(cwd, "b")}, {"/x//y", "/x/y"}, {"~", "/home/me"}, {"~/a", "/home/me/a"},
		{"~other/a", filepath.Join(cwd, "~other/a")}, {"$PHOTOS/a", "/mnt/photos/a"}, {"${PHOTOS}", "/mnt/photos"}, {"/a/$NO_SUCH_VARIABLE", "/a/${NO_SUCH_VARIABLE}"},
		{"a/*.npy", filepath.Join(cwd, "a/*.npy")},
	}
	for _, c := range cases {
		if got := ResolvePath(c.raw); got != c.want {
			t.Errorf("ResolvePath(%q) = %q; want %q", c.raw, got, c.want)
		}
	}
}

func TestMissingPath(t *testing.T) {
	t.Chdir(t.TempDir())
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"experiments/photos", "here"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("experiments/a.npy", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, raw, dir, what, want string }{
		{"beside the config", "photos", "experiments", "folder", "no such folder: " + cwd + "/photos (there is one beside the config: experiments/photos)"},
		{"nowhere", "pictures", "experiments", "folder", "no such folder: " + cwd + "/pictures"},
		{"absolute", "/no/such", "experiments", "file", "no such file: /no/such"},
		{"config in the working directory", "photos", ".", "folder", "no such folder: " + cwd + "/photos"},
		{"no config", "photos", "", "folder", "no such folder: " + cwd + "/photos"},
		{"a file is wanted", "here", "experiments", "file", "not a file: " + cwd + "/here"},
		{"glob", "*.npy", "experiments", "file", "no file matches: " + cwd + "/*.npy (there is one beside the config: experiments/*.npy)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := MissingPath(ResolvePath(c.raw), c.dir, c.what); got != c.want {
				t.Errorf("got:  %s\nwant: %s", got, c.want)
			}
		})
	}
	if err := os.WriteFile("experiments/e.toml", []byte("[data]\nsource = \"images\"\ndir = \"photos\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	h, err := read(LoadOptions{File: "experiments/e.toml"})
	if err != nil {
		t.Fatal(err)
	}
	h.cfg.Section("data").MissingPath("dir", h.data.Source.(*images).Dir, "folder")
	want := "experiments/e.toml:3: data.dir: no such folder: " + cwd + "/photos (there is one beside the config: experiments/photos)"
	if got := h.cfg.Err(); got == nil || got.Error() != want {
		t.Errorf("got:  %v\nwant: %s", got, want)
	}
}

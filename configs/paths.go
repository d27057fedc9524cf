package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ResolvePath returns a path of a config or a flag as an absolute one: ~ is the home folder, $VAR and ${VAR} are taken from the environment
// (left as they are where it lacks them), and a relative path starts at the working directory. "" stays "".
func ResolvePath(raw string) string {
	if raw == "" {
		return ""
	}
	path := os.Expand(raw, func(name string) string {
		if value, ok := os.LookupEnv(name); ok {
			return value
		}
		return "${" + name + "}"
	})
	if path == "~" || strings.HasPrefix(path, "~/") || strings.HasPrefix(path, `~\`) {
		if home, err := os.UserHomeDir(); err == nil {
			path = filepath.Join(home, path[1:])
		}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path // there is no working directory: the file system will say so
	}
	return abs
}

// MissingPath returns the sentence about a file or folder that is not there: its absolute path, and whether it lies beside the config instead,
// which shows that the path was thought to start there. what is "file" or "folder", configDir as in [Config.Dir].
func MissingPath(abs, configDir, what string) string {
	sentence := fmt.Sprintf("no such %s: %s", what, abs)
	if strings.ContainsAny(filepath.Base(abs), "*?[") {
		sentence = fmt.Sprintf("no %s matches: %s", what, abs)
	} else if info, err := os.Stat(abs); err == nil && info.IsDir() != (what == "folder") {
		return fmt.Sprintf("not a %s: %s", what, abs)
	}
	cwd, err := os.Getwd()
	if err != nil || configDir == "" {
		return sentence
	}
	relative, err := filepath.Rel(cwd, abs)
	if err != nil || !filepath.IsLocal(relative) {
		return sentence
	}
	beside := filepath.Join(configDir, relative)
	if ResolvePath(beside) == abs {
		return sentence
	}
	if found, _ := filepath.Glob(beside); len(found) == 0 { // a pattern that is not well-formed finds nothing
		return sentence
	}
	return fmt.Sprintf("%s (there is one beside the config: %s)", sentence, beside)
}

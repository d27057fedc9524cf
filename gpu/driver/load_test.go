//go:build gpu && cgo

package driver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Without the driver, Load and everything after it says why, and nothing ends the process.
func TestLoadWithoutDriver(t *testing.T) {
	if isChild() {
		fmt.Println("load:", Load())
		_, err := Open(0)
		fmt.Println("open:", err)
		_, err = OpenLt()
		fmt.Println("lt:", err)
		fmt.Println("driver:", Libraries()[0].Error)
		return
	}
	text := filepath.Join(t.TempDir(), "libcuda.so.1")
	ok(t, os.WriteFile(text, []byte("no library"), 0o644))
	for _, tt := range []struct{ name, file, want string }{
		{"missing", "/nonexistent/libcuda.so.1", "AE_LIBCUDA: /nonexistent/libcuda.so.1: cannot open shared object file"},
		{"no library", text, "file too short"},
		{"another library", "libc.so.6", "the library has no cuInit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := child(t, "AE_LIBCUDA="+tt.file)
			for _, call := range []string{"load: ", "open: ", "lt: ", "driver: "} {
				if line := lineOf(out, call); !strings.Contains(line, tt.want) {
					t.Errorf("%s%q, want %q; output:\n%s", call, line, tt.want, out)
				}
			}
		})
	}
}

// A library that is not there, or is not what it should be, is an error of its own Open alone.
func TestOpenWithoutLibrary(t *testing.T) {
	if isChild() {
		if err := Load(); err != nil {
			fmt.Println("skip:", err)
			return
		}
		_, lt := OpenLt()
		_, dnn := OpenDnn()
		_, nvrtc := OpenNVRTC()
		_, nvml := OpenNVML()
		fmt.Printf("lt: %v\ndnn: %v\nnvrtc: %v\nnvml: %v\n", lt, dnn, nvrtc, nvml)
		for _, l := range Libraries() {
			fmt.Printf("%s: %s|%s|%s\n", l.Name, l.Error, l.Install, strings.Join(l.Looked, ","))
		}
		return
	}
	out := child(t, "AE_LIBCUBLASLT=libc.so.6", "AE_LIBCUDNN=/nonexistent/dnn", "AE_LIBNVRTC=/nonexistent/rtc", "AE_LIBNVML=libc.so.6")
	if reason := lineOf(out, "skip: "); reason != "" {
		t.Skip("no GPU: ", reason)
	}
	for name, want := range map[string]string{
		"lt: ": "lacks cublasLt", "dnn: ": "/nonexistent/dnn", "nvrtc: ": "AE_LIBNVRTC: /nonexistent/rtc", "nvml: ": "lacks nvml",
		"cuBLASLt: ": "pip install nvidia-cublas", "cuDNN: ": "AE_LIBCUDNN=/nonexistent/dnn", "CUDA driver: ": "|NVIDIA's driver",
	} {
		if line := lineOf(out, name); !strings.Contains(line, want) {
			t.Errorf("%s%q, want %q; output:\n%s", name, line, want, out)
		}
	}
}

// Libraries are found in the folders of Python packages of the active environment.
func TestSearch(t *testing.T) {
	root := t.TempDir()
	venv, cuda := filepath.Join(root, "venv"), filepath.Join(root, "cuda")
	lib := filepath.Join(venv, "lib/python3.12/site-packages/nvidia/cudnn/lib")
	toolkit := filepath.Join(cuda, "lib64")
	for _, folder := range []string{lib, toolkit} {
		ok(t, os.MkdirAll(folder, 0o755))
	}
	t.Setenv("VIRTUAL_ENV", venv)
	t.Setenv("CUDA_HOME", cuda)
	has := func(folders []string, folder string) bool {
		for _, f := range folders {
			if f == folder {
				return true
			}
		}
		return false
	}
	if got := libcudnn.searched(); !has(got, lib) || !has(got, toolkit) {
		t.Errorf("cuDNN is looked for in %v, want also %s and %s", got, lib, toolkit)
	}
	if got := libcuda.searched(); has(got, toolkit) {
		t.Errorf("the driver is looked for in a toolkit, which has a stub of it: %v", got)
	}
	ok(t, os.WriteFile(filepath.Join(lib, "libae-test.so"), []byte("broken"), 0o644))
	l := &library{variable: "AE_NO_SUCH_VARIABLE", files: []string{"libae-test.so"}, folders: []string{"cudnn/lib"}}
	wantError(t, l.open(), filepath.Join(lib, "libae-test.so"), "file too short")
	l = &library{variable: "AE_NO_SUCH_VARIABLE", files: []string{"libae-test-other.so"}}
	wantError(t, l.open(), "have libae-test-other.so", "AE_NO_SUCH_VARIABLE=FILE")
}

func TestOfMajor(t *testing.T) {
	files := []string{"libcublasLt.so.13", "libcublasLt.so.12"}
	for _, tt := range []struct{ major, first int }{{12, 12}, {13, 13}, {14, 13}, {0, 13}} {
		if got, want := ofMajor(files, tt.major)[0], fmt.Sprintf("libcublasLt.so.%d", tt.first); got != want {
			t.Errorf("beside a cuDNN of CUDA %d: %s first, want %s", tt.major, got, want)
		}
	}
}

func TestLibraries(t *testing.T) {
	list := Libraries()
	if len(list) != 5 {
		t.Fatalf("%d libraries, want 5", len(list))
	}
	for _, l := range list {
		t.Logf("%-12s %-10s %s %s", l.Name, l.Version, l.Path, l.Error)
		if (l.Error == "") != (l.Path != "" && l.Version != "") || l.Install == "" {
			t.Errorf("%+v: either an error, or a path and a version", l)
		}
	}
}

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		bytes int64
		want  string
	}{{0, "0 B"}, {999, "999 B"}, {1000, "1.0 kB"}, {1_234_567_890, "1.2 GB"}, {1 << 50, "1125.9 TB"}} {
		if got := size(tt.bytes); got != tt.want {
			t.Errorf("size(%d) = %q, want %q", tt.bytes, got, tt.want)
		}
	}
}

// lineOf returns the rest of the first line that starts with prefix.
func lineOf(text, prefix string) string {
	for _, line := range strings.Split(text, "\n") {
		if rest, found := strings.CutPrefix(line, prefix); found {
			return rest
		}
	}
	return ""
}

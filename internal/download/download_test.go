package download

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	plain  = bytes.Repeat([]byte("some bytes that gzip can shrink, but not to nothing "), 5000)
	packed = func() []byte {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.NoCompression)
		z.Write(plain)
		z.Close()
		return b.Bytes()
	}()
)

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// mirror serves packed in the way that a test wants, and counts.
type mirror struct {
	*httptest.Server
	requests int
	ranges   []string
}

func serve(t *testing.T, handle func(m *mirror, w http.ResponseWriter, r *http.Request)) *mirror {
	t.Helper()
	m := &mirror{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.requests++
		m.ranges = append(m.ranges, r.Header.Get("Range"))
		handle(m, w, r)
	}))
	t.Cleanup(m.Close)
	return m
}

func whole(b []byte) func(*mirror, http.ResponseWriter, *http.Request) {
	return func(_ *mirror, w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "file.gz", time.Unix(1, 0), bytes.NewReader(b))
	}
}

func file(urls ...string) File {
	return File{Name: "file", URLs: urls, Gzip: true, SHA256: sum(plain)}
}

func TestFetch(t *testing.T) {
	m := serve(t, whole(packed))
	path := filepath.Join(t.TempDir(), "new", "file")
	var last, total int64
	if err := Fetch(context.Background(), file(m.URL), path, func(d, n int64) { last, total = d, n }); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path)
	if last != int64(len(packed)) || total != last {
		t.Errorf("progress ended at %d of %d, want %d", last, total, len(packed))
	}
}

// checkFile wants path to be there, whole, and alone in its folder.
func checkFile(t *testing.T, path string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("got %d bytes, %v, want %d", len(got), err, len(plain))
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("the folder holds %v, want one file", files)
	}
}

func TestFetchGzipDigest(t *testing.T) {
	m := serve(t, whole(packed))
	f := file(m.URL)
	f.SHA256, f.GzipSHA256 = "", sum(packed)
	path := filepath.Join(t.TempDir(), "file")
	if err := Fetch(context.Background(), f, path, nil); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path)
	f.GzipSHA256 = sum(plain)
	if err := Fetch(context.Background(), f, path, nil); !errors.Is(err, ErrDigest) {
		t.Errorf("got %v, want %v", err, ErrDigest)
	}
}

// TestResume breaks the connection in the middle; the second Fetch asks for the rest only.
func TestResume(t *testing.T) {
	half := len(packed) / 2
	m := serve(t, func(m *mirror, w http.ResponseWriter, r *http.Request) {
		if m.requests > 1 {
			whole(packed)(m, w, r)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(packed)))
		w.Write(packed[:half])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	path := filepath.Join(t.TempDir(), "file")
	if err := Fetch(context.Background(), file(m.URL), path, nil); err == nil || !strings.Contains(err.Error(), "the transfer broke after") {
		t.Fatalf("got %v, want a broken transfer", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("half a file is at its place")
	}
	if err := Fetch(context.Background(), file(m.URL), path, nil); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path)
	if want := fmt.Sprintf("bytes=%d-", half); m.ranges[1] != want {
		t.Errorf("the second request asks for %q, want %q", m.ranges[1], want)
	}
}

func TestFetchFrom(t *testing.T) {
	good := whole(packed)
	for _, c := range []struct {
		name    string
		part    []byte // what an earlier attempt has left
		handle  func(*mirror, http.ResponseWriter, *http.Request)
		want    string // part of the error; "" is none
		request int    // wanted number of requests
	}{
		{name: "a server that ignores Range", part: packed[:100], request: 1,
			handle: func(_ *mirror, w http.ResponseWriter, _ *http.Request) { w.Write(packed) }},
		{name: "a part that belongs to an older file", part: bytes.Repeat([]byte{7}, 100), handle: good, request: 2},
		{name: "a part that is longer than the file", part: make([]byte, len(packed)+1), handle: good, request: 2},
		{name: "a part that is complete", part: packed, handle: good, request: 1},
		{name: "another file", handle: whole([]byte("<html>not here</html>")), want: "wrong SHA-256: not a gzip file", request: 1},
		{name: "a file that is cut", handle: whole(packed[:len(packed)/2]), want: "wrong SHA-256: the file is damaged", request: 1},
		{name: "no such file", handle: func(_ *mirror, w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, want: "404 Not Found", request: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := serve(t, c.handle)
			path := filepath.Join(t.TempDir(), "file")
			if c.part != nil {
				if err := os.WriteFile(partName(path, m.URL), c.part, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			err := Fetch(context.Background(), file(m.URL), path, nil)
			if m.requests != c.request {
				t.Errorf("%d requests, want %d", m.requests, c.request)
			}
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				checkFile(t, path)
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), m.URL) {
				t.Errorf("got %v, want the URL and %q", err, c.want)
			}
			if _, err := os.Stat(path); err == nil {
				t.Error("the file is there")
			}
		})
	}
}

// TestMirrors goes on to the second where the first has another file.
func TestMirrors(t *testing.T) {
	bad, good := serve(t, whole([]byte("no"))), serve(t, whole(packed))
	path := filepath.Join(t.TempDir(), "file")
	if err := Fetch(context.Background(), file("http://127.0.0.1:1/x", bad.URL, good.URL), path, nil); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path)
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	m := serve(t, func(m *mirror, w http.ResponseWriter, r *http.Request) {
		w.Write(packed[:1000])
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	})
	err := Fetch(ctx, file(m.URL, m.URL), filepath.Join(t.TempDir(), "file"), nil)
	if !errors.Is(err, context.Canceled) || m.requests != 1 {
		t.Errorf("got %v after %d requests, want %v after 1", err, m.requests, context.Canceled)
	}
}

func TestStalled(t *testing.T) {
	defer func(d time.Duration) { stall = d }(stall)
	stall = 50 * time.Millisecond
	m := serve(t, func(m *mirror, w http.ResponseWriter, r *http.Request) {
		w.Write(packed[:1000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	err := Fetch(context.Background(), file(m.URL), filepath.Join(t.TempDir(), "file"), nil)
	if err == nil || !strings.Contains(err.Error(), "nothing came any more") {
		t.Errorf("got %v", err)
	}
}

func TestUnwritable(t *testing.T) {
	m := serve(t, whole(packed))
	notAFolder := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(notAFolder, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Fetch(context.Background(), file(m.URL), filepath.Join(notAFolder, "file"), nil); err == nil || m.requests > 0 {
		t.Errorf("got %v after %d requests", err, m.requests)
	}
}

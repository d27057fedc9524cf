package download

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Two trainings that begin at the same moment fetch the same file; one process cannot know of the other. The one that came later
// finds what the first has got so far, and goes on from there.
func TestFetchTogether(t *testing.T) {
	half, most := len(packed)/2, len(packed)*3/4
	for _, c := range []struct {
		name        string
		lateIsFirst bool // who came later has the whole file first
	}{{"who came later ends first", true}, {"who came later goes on while the first ends", false}} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			more, rest, late := make(chan bool), make(chan bool), make(chan bool)
			send := func(w http.ResponseWriter, b []byte) {
				w.Write(b)
				w.(http.Flusher).Flush()
			}
			var url string
			m := serve(t, func(_ *mirror, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", fmt.Sprint(len(packed)))
				if r.Header.Get("Range") == "" {
					send(w, packed[:half])
					<-more
					send(w, packed[half:most])
					<-rest
					send(w, packed[most:])
					return
				}
				close(more) // the first one has more by the time of the answer
				waitFor(t, partName(path, url), most)
				w.Header().Set("Content-Length", fmt.Sprint(len(packed)-half))
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", half, len(packed)-1, len(packed)))
				w.WriteHeader(http.StatusPartialContent)
				send(w, packed[half:half+1])
				<-late
				send(w, packed[half+1:])
			})
			url = m.URL
			var first, second error
			var one, two sync.WaitGroup
			one.Go(func() { first = Fetch(context.Background(), file(url), path, nil) })
			waitFor(t, partName(path, url), half)
			begun := make(chan bool, len(packed))
			two.Go(func() { second = Fetch(context.Background(), file(url), path, func(int64, int64) { begun <- true }) })
			<-begun
			if c.lateIsFirst {
				close(late)
				two.Wait()
				close(rest)
				one.Wait()
			} else {
				close(rest)
				one.Wait()
				close(late)
				two.Wait()
			}
			if first != nil || second != nil {
				t.Errorf("the first: %v; who came later: %v", first, second)
			}
			checkFile(t, path)
		})
	}
}

// waitFor waits until a file has so many bytes.
func waitFor(t *testing.T, name string, bytes int) {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if info, err := os.Stat(name); err == nil && info.Size() >= int64(bytes) {
			return
		}
		if time.Now().After(end) {
			t.Errorf("%s has never had %d bytes", name, bytes)
			return
		}
	}
}

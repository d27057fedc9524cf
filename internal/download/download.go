// Package download fetches one known file: from the first mirror that has it, going on where an earlier attempt stopped,
// and never leaving a file whose digest is wrong.
package download

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aetrain/internal/cachedir"
)

// File is what is wanted: the same bytes from any of the URLs.
type File struct {
	Name       string   // for sentences and progress
	URLs       []string // mirrors, tried in order
	Gzip       bool     // the URLs give the file gzipped
	SHA256     string   // of the uncompressed bytes, hexadecimal
	GzipSHA256 string   // of the gzipped bytes; used where SHA256 is empty
	Size       int64    // largest number of uncompressed bytes that is believed; 0 is 1 GB
}

// Progress is told how many bytes have come, of how many (0: unknown).
type Progress func(done, total int64)

// ErrDigest is that a mirror's file is not the one that is wanted.
var ErrDigest = errors.New("wrong SHA-256")

var errStalled = errors.New("nothing came any more")

// stall is how long a mirror may send nothing before the next one is tried. A variable for tests.
var stall = 30 * time.Second

var client = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	TLSHandshakeTimeout:   10 * time.Second,
	ResponseHeaderTimeout: 20 * time.Second,
	DisableCompression:    true, // the digest is that of the bytes as they are stored
}}

// Fetch puts the uncompressed file at path, checked, written beside and renamed. What has come when it fails
// stays in path.*.part, and the next Fetch goes on from there. The error lists every mirror with its reason.
func Fetch(ctx context.Context, f File, path string, progress Progress) error {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var tried []error
	for _, url := range f.URLs {
		err := fromMirror(ctx, f, url, path, progress)
		if err == nil {
			removeParts(f, path)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var local *os.PathError
		if errors.As(err, &local) { // a full disk: no mirror helps
			return err
		}
		tried = append(tried, fmt.Errorf("%s: %w", url, err))
	}
	return errors.Join(tried...)
}

// fromMirror fetches, checks and unpacks. A wrong digest after resuming may come from a file that changed in between: it starts afresh
// once. Other processes may fetch the same file: all write the same bytes to the same places, and each reads back what it has open,
// whatever has become of the name.
func fromMirror(ctx context.Context, f File, url, path string, progress Progress) error {
	name := partName(path, url)
	for {
		part, resumed, err := fetchPart(ctx, url, name, progress)
		if err != nil {
			return err
		}
		err = errors.Join(unpack(f, part, path), part.Close())
		if err == nil || errors.Is(err, ErrDigest) {
			os.Remove(name)
		}
		if !resumed || !errors.Is(err, ErrDigest) {
			return err
		}
	}
}

// removeParts removes what other mirrors have begun; what cannot be removed does no harm.
func removeParts(f File, path string) {
	for _, url := range f.URLs {
		os.Remove(partName(path, url))
	}
}

// partName is where the bytes of one mirror gather: two mirrors may pack the same file differently.
func partName(path, url string) string {
	h := fnv.New32a()
	h.Write([]byte(url))
	return fmt.Sprintf("%s.%08x.part", path, h.Sum32())
}

// fetchPart brings the file name to its full length, asking only for what is missing, and returns it open.
func fetchPart(ctx context.Context, url, name string, progress Progress) (part *os.File, resumed bool, err error) {
	have := int64(0)
	if info, err := os.Stat(name); err == nil {
		have = info.Size()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	resp, err := get(ctx, url, have)
	if err != nil {
		return nil, false, err
	}
	defer resp.Body.Close()

	complete := false
	switch {
	case resp.StatusCode == http.StatusPartialContent && strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", have)):
	case resp.StatusCode == http.StatusOK:
		have = 0
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0:
		complete = true // or the digest will tell
	default:
		return nil, false, fmt.Errorf("the server answers %s", resp.Status)
	}
	if part, err = os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644); err != nil {
		return nil, false, err
	}
	if !complete {
		err = receive(ctx, part, resp, have, func() { cancel(errStalled) }, progress)
	}
	if err != nil {
		return nil, false, errors.Join(err, part.Close())
	}
	return part, have > 0, nil
}

func get(ctx context.Context, url string, have int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, rootCause(err)
	}
	return resp, nil
}

// rootCause drops the URL that http.Client puts in front: the caller names it already.
func rootCause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// receive copies the body to out, from the byte have on, and ends the file there; cancel is called when nothing comes any more. What
// another process has written behind have stays until then.
func receive(ctx context.Context, out *os.File, resp *http.Response, have int64, cancel func(), progress Progress) error {
	total := int64(0)
	if resp.ContentLength >= 0 {
		total = have + resp.ContentLength
	}
	watchdog := time.AfterFunc(stall, cancel)
	defer watchdog.Stop()
	buf := make([]byte, 64<<10)
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			watchdog.Reset(stall)
			if _, err := out.WriteAt(buf[:n], have); err != nil {
				return err
			}
			have += int64(n)
			progress(have, total)
		}
		if errors.Is(err, io.EOF) && (total == 0 || have >= total) {
			return out.Truncate(have)
		}
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		if err != nil {
			return fmt.Errorf("the transfer broke after %d bytes: %w", have, err)
		}
	}
}

// unpack checks part against f's digest and writes it, uncompressed, to path.
func unpack(f File, part *os.File, path string) error {
	if _, err := part.Seek(0, io.SeekStart); err != nil {
		return err
	}
	packed, plain := sha256.New(), sha256.New()
	return cachedir.WriteFile(path, func(w io.Writer) (err error) {
		wire := io.TeeReader(part, packed)
		from := wire
		if f.Gzip {
			if from, err = gzip.NewReader(wire); err != nil {
				return fmt.Errorf("%w: not a gzip file (%v)", ErrDigest, err)
			}
		}
		largest := f.Size
		if largest == 0 {
			largest = 1 << 30
		}
		n, err := io.Copy(io.MultiWriter(w, plain), io.LimitReader(from, largest+1))
		var local *os.PathError
		if errors.As(err, &local) {
			return err
		}
		if err != nil {
			return fmt.Errorf("%w: the file is damaged (%v)", ErrDigest, err)
		}
		if n > largest {
			return fmt.Errorf("%w: more than %d bytes", ErrDigest, largest)
		}
		if _, err := io.Copy(io.Discard, wire); err != nil {
			return err
		}
		if f.SHA256 != "" {
			return compare(plain.Sum(nil), f.SHA256)
		}
		return compare(packed.Sum(nil), f.GzipSHA256)
	})
}

func compare(got []byte, want string) error {
	if hex.EncodeToString(got) != want {
		return fmt.Errorf("%w: %x, want %s", ErrDigest, got, want)
	}
	return nil
}

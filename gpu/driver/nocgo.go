//go:build gpu && !cgo

package driver

// The compiler stops here when the tag gpu is set and cgo is off: use "make gpu".
const _ = the_tag_gpu_needs_CGO_ENABLED_1

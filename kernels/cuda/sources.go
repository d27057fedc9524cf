//go:build gpu

package cuda

import "embed"

// Headers are the files that kernels generated at run time include, by their names.
//
//go:embed prelude.h point.cuh chain.cuh
var Headers embed.FS

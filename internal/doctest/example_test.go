package doctest_test

import (
	"context"
	"fmt"
	"log"

	"aetrain/cpu"
	"aetrain/infer"
)

// The README's Go code. It is compiled and not run: it wants a run.
func Example() {
	ctx := context.Background()
	b, err := cpu.Open()
	if err != nil {
		log.Fatal(err)
	}
	m, err := infer.Open("runs/vae", b, infer.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	images, err := m.Sample(ctx, 64, 1) // 64×1×28×28, in [0,1]
	if err != nil {
		log.Fatal(err)
	}
	z, err := m.Encode(ctx, images) // 64×20: the posterior's mean
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(images.Shape(), z.Shape())
}

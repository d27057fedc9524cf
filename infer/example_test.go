package infer_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"aetrain/cpu"
	"aetrain/infer"
	"aetrain/internal/grid"
)

// A trained model is opened from its run's folder, shows what it has learned and scores the test split.
func Example() {
	b, err := cpu.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	m, err := infer.Open("runs/vae", b, infer.OpenOptions{Checkpoint: "best"})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()

	ctx := context.Background()
	images, err := m.Sample(ctx, 64, 1)
	if err != nil {
		log.Fatal(err)
	}
	if err := grid.Write(os.Stdout, images, grid.Options{}); err != nil {
		log.Fatal(err)
	}

	splits, err := m.OpenData(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer splits.Close()
	figures, err := m.Evaluate(ctx, splits.Test, infer.EvaluateOptions{Metrics: []string{"psnr", "nll"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintln(os.Stderr, figures["loss"], figures["nll"])
}

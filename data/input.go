package data

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// OpenInput opens raw data, as the config's source reads it (NPY files always work), behind the config's transforms as they were fitted
// before (OpenOptions.Fitted). It needs none of the data that was trained on. The Pipeline brings outputs back to data units.
func OpenInput(ctx context.Context, c *Config, path string, o OpenOptions) (Source, *Pipeline, error) {
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	var kind SourceOptions = &NPY{File: Paths{path}}
	if k, ok := c.Source.(pathed); ok && !strings.HasSuffix(path, ".npy") {
		kind = k.at(path)
	}
	parts, err := kind.Open(ctx, Env{Progress: o.Progress})
	if err != nil {
		return nil, nil, err
	}
	src, err := join(parts.all()...)
	var p *Pipeline
	if err == nil {
		p, err = newPipeline(c.Transforms, src.Fields(), o.Seed)
	}
	if err == nil {
		err = p.restore(o.Fitted)
	}
	if err != nil {
		for _, s := range parts.all() {
			err = errors.Join(err, s.Close())
		}
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return p.transform(src), p, nil
}

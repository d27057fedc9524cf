package data

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"aetrain/graph"
)

// OpenInput opens raw data, as the config's source reads it (NPY files always work), behind the config's transforms as they were fitted
// before (OpenOptions.Fitted), for a model that is fed examples of fed. It needs none of the data that was trained on. The Pipeline
// brings outputs back to data units. Examples of another shape are a *Mistake whose key is the path.
func OpenInput(ctx context.Context, c *Config, path string, fed graph.Spec, o OpenOptions) (Source, *Pipeline, error) {
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	var kind SourceOptions = &NPY{File: Paths{path}}
	if k, ok := c.Source.(pathed); ok && !strings.HasSuffix(path, ".npy") {
		if err := recallFacts(c.Source, o.Fitted); err != nil {
			return nil, nil, err
		}
		kind = k.at(path)
	}
	parts, err := kind.Open(ctx, inputEnv(c, kind, o))
	if err != nil {
		return nil, nil, err
	}
	src, err := join(parts.all()...)
	if err == nil {
		var p *Pipeline
		src = shaped(src, fed)
		if p, err = restoredPipeline(c, path, src, fed, o); err == nil {
			return p.transform(src), p, nil
		}
	}
	for _, s := range parts.all() {
		err = errors.Join(err, s.Close())
	}
	return nil, nil, err
}

// restoredPipeline binds the transforms to the fields of raw data, and gives them back what they had learnt.
func restoredPipeline(c *Config, path string, src Source, fed graph.Spec, o OpenOptions) (*Pipeline, error) {
	p, err := newPipeline(c.Transforms, src, o.Seed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if got := p.fields[0].Spec; !got.Equal(fed) && p.Columns() == nil && p.rows == nil { // a table's width is known when it is restored
		return nil, mistake(path, "its examples are %v, the model was trained on %v", got, fed)
	}
	if err := p.restore(o.Fitted); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if got := p.fields[0].Spec; !got.Equal(fed) {
		return nil, mistake(path, "its examples are %v, the model was trained on %v", got, fed)
	}
	return p, nil
}

// inputEnv is the Env of raw data: a table's label is one of its columns, if it has it; a file of labels belongs to other examples.
func inputEnv(c *Config, kind SourceOptions, o OpenOptions) Env {
	env := Env{Progress: o.Progress}
	if _, ok := kind.(labelColumner); ok {
		env.Label = c.Label
	}
	return env
}

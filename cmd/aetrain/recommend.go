package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"aetrain/configs"
	"aetrain/internal/cachedir"
	"aetrain/internal/texttable"
	"aetrain/tasks"
	"aetrain/trainer"
)

var recommendCommand = command{
	name: "recommend", args: "[RUN]", summary: "rank what users do not have yet, by a run on ratings",
	help: `
For each user of the test split (or of -in: ratings in the source's form) the -n items with the best scores, of those that the user
does not have. Where items were hidden of users, as of those of test and validation, metrics tell how well they are found, and baselines
the same of methods without a network: popularity, and ease, the linear model of Steck 2019.`,
	flags: func(f *flags) func(context.Context, []string, io.Writer, io.Writer) error {
		o := recommendOptions{N: 10}
		o.runOptions.add(f)
		o.addInput(f)
		f.StringVar(&o.Out, "out", "", "`PATH` to write: .csv, .jsonl or .parquet, a row a user")
		f.IntVar(&o.N, "n", o.N, "`items` for each user")
		return withArguments(&o, o.take, runRecommend)
	},
}

// recommendOptions are the flags of "aetrain recommend".
type recommendOptions struct {
	runOptions
	N int
}

// recommendResult is what the command prints.
type recommendResult struct {
	runResult
	Baselines map[string]map[string]trainer.Number `json:"baselines,omitempty"`
}

// runRecommend ranks, writes and prints.
func runRecommend(ctx context.Context, o recommendOptions, stdout, stderr io.Writer) error {
	forms := []string{".csv", ".jsonl", ".parquet"}
	switch {
	case o.N < 1:
		return usagef("-n %d: it is 1 or more", o.N)
	case o.Out != "" && !slices.Contains(forms, strings.ToLower(filepath.Ext(o.Out))):
		return usagef("-out %s: recommendations are written as %s", o.Out, strings.Join(forms, ", "))
	}
	t := newTalk(stderr, o.talkOptions)
	defer t.done()
	r, err := openRunOn(ctx, o.runOptions, t)
	if err != nil {
		return err
	}
	defer r.Close()
	if strings.EqualFold(filepath.Ext(o.In), ".npy") { // its items have no names
		if err := r.openSplits(ctx); err != nil {
			return err
		}
	}
	found, err := tasks.Recommend(ctx, r.Model, r.splits, r.source, tasks.RecommendOptions{Items: o.N,
		Progress: func(what string, done, users int) { t.show(what, int64(done), int64(users), "users") }})
	t.done()
	if err != nil {
		return err
	}
	res := recommendResult{runResult: r.result(o.runOptions, len(found.Users)), Baselines: map[string]map[string]trainer.Number{}}
	if found.Metrics != nil {
		res.Metrics = numbers(found.Metrics)
	}
	for name, figures := range found.Baselines {
		res.Baselines[name] = numbers(figures)
	}
	if o.Out != "" {
		if err := writeRecommendations(found, o.Out); err != nil {
			return err
		}
	}
	return res.print(r, found, o.Format, stdout)
}

// print writes the result; where nothing is written to a file, the recommendations too.
func (res recommendResult) print(r *openedRun, found *tasks.Recommendations, format string, stdout io.Writer) error {
	if format == formatJSON {
		if res.Out == "" {
			for _, u := range found.Users {
				res.Rows = append(res.Rows, recommendationObject(u))
			}
		}
		return writeJSON(stdout, res)
	}
	var t texttable.Table
	res.describe(&t, r)
	for _, name := range slices.Sorted(maps.Keys(found.Metrics)) {
		line := number(found.Metrics[name])
		for _, method := range slices.Sorted(maps.Keys(found.Baselines)) {
			line += " (" + method + " " + number(found.Baselines[method][name]) + ")"
		}
		t.Row(name, line)
	}
	if res.Out != "" {
		t.Row("out", res.Out)
	}
	if err := t.Write(stdout); err != nil || res.Out != "" {
		return err
	}
	fmt.Fprintln(stdout)
	return recommendationTable(stdout, found)
}

// writeRecommendations writes a row a user, in the form that the extension names.
func writeRecommendations(found *tasks.Recommendations, out string) error {
	path := configs.ResolvePath(out)
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		return cachedir.WriteFile(path, func(w io.Writer) error { return recommendationTable(w, found) })
	case ".parquet":
		return cachedir.WriteFile(path, func(w io.Writer) error { return recommendationParquet(w, found) })
	}
	return cachedir.WriteFile(path, func(w io.Writer) error {
		lines := json.NewEncoder(w)
		for _, u := range found.Users {
			if err := lines.Encode(recommendationObject(u)); err != nil {
				return err
			}
		}
		return nil
	})
}

// recommendationTable writes CSV: example, then item and score of each place; empty where a user has all items.
func recommendationTable(w io.Writer, found *tasks.Recommendations) error {
	record := []string{"example"}
	for i := range recommendationPlaces(found) {
		record = append(record, "item"+strconv.Itoa(i+1), "score"+strconv.Itoa(i+1))
	}
	c := csv.NewWriter(w)
	if err := c.Write(record); err != nil {
		return err
	}
	for _, u := range found.Users {
		clear(record)
		record[0] = u.User
		for i, item := range u.Items {
			record[1+2*i], record[2+2*i] = item.Name, strconv.FormatFloat(item.Score, 'g', 6, 64)
		}
		if err := c.Write(record); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// recommendationPlaces is how many items a user has at most.
func recommendationPlaces(found *tasks.Recommendations) (places int) {
	for _, u := range found.Users {
		places = max(places, len(u.Items))
	}
	return places
}

// recommendationObject is a user as JSON.
func recommendationObject(u tasks.UserItems) map[string]any {
	items := make([]map[string]any, len(u.Items))
	for i, item := range u.Items {
		items[i] = map[string]any{"item": item.Name, "score": trainer.Number(item.Score)}
	}
	return map[string]any{"example": u.User, "items": items}
}

package configs

import (
	"fmt"
	"strings"
	"testing"
)

// TestSentences holds every sentence about a mistake to testdata/sentences.golden.
func TestSentences(t *testing.T) {
	cases := []struct {
		name, text string
		sets       []string
	}{
		{"unknown key", "[model]\nlaten_dim = 3\n", nil},
		{"unknown key, nothing near", "[model]\nxyzzy = 3\n[optimizer]\nzzz = 1\n", nil},
		{"unknown section", "[modle]\nlatent_dim = 3\n", nil},
		{"unknown root key", "nmae = \"x\"\n", nil},
		{"several, sorted", "sed = 1\n[train]\nepochs = \"ten\"\nprecison = \"bf16\"\n[data]\nbatch = 0\n", []string{"train.epoch=3", "data.batch=-5"}},
		{"not a number", "[optimizer]\nlearning_rate = \"x\"\n", nil},
		{"not a whole number", "[data]\nbatch = 1.5\n", nil},
		{"text for a whole number", "[data]\nbatch = \"many\"\n", nil},
		{"not text", "name = 5\n", nil},
		{"list for text", "name = [\"a\"]\n", nil},
		{"not a bool", "[model]\ntied = 1\n", nil},
		{"word for a bool", "[model]\ntied = \"yes\"\n", nil},
		{"unquoted text", "[data]\nsource = digits\nbatch = 0\n", nil},
		{"unquoted bool", "[model]\ntied = yes\nlatent_dim = True\n", nil},
		{"two syntax errors and another", "[data]\nsource = images\nbatch = \n[train]\nepochs = -1\n", nil},
		{"header not closed", "[data\nbatch = 1\n", nil},
		{"key twice", "[data]\nbatch = 1\nbatch = 2\n", nil},
		{"table twice", "[data]\nbatch = 1\n[data]\n", nil},
		{"list not closed", "[data]\nnormal = [1,\n2\n[train]\nepochs = 1\n", nil},
		{"number too long", "seed = 1000000000000000000000000000000\n[data]\nbatch = 1000000000000000000000000000000\n", nil},
		{"number too large", "[data]\nbatch = 9223372036854775807\n", nil},
		{"seed negative", "seed = -1\n", nil},
		{"not finite", "[optimizer]\nlearning_rate = nan\n[train]\nepochs = inf\n", nil},
		{"float too large", "[optimizer]\nlearning_rate = 1e300\n", nil},
		{"float out of range", "[optimizer]\nlearning_rate = 1e999\n", nil},
		{"over", "[optimizer]\nlearning_rate = 0\n", nil},
		{"below", "[[model.encoder]]\nlayer = \"dense\"\ndropout = 1.0\n", nil},
		{"choice", "[train]\nprecision = \"fp32\"\n", nil},
		{"choice, near", "[train]\nprecision = \"flaot32\"\n", nil},
		{"fraction", "[data]\nvalidation = 1.5\ntest = -1\n", nil},
		{"toggle", "[data]\nresident = \"yes\"\n", nil},
		{"unknown layer", "[[model.encoder]]\nlayer = \"dence\"\nunits = 3\n[[model.encoder]]\nunits = 3\n", nil},
		{"unknown key of a layer", "model.encoder = [\n  { layer = \"dense\", units = 3 },\n  { layer = \"dense\",\n    unit = 3 },\n]\n", nil},
		{"layer is no table", "[model]\nencoder = [3]\n", nil},
		{"table for a list", "[model.encoder]\nlayer = \"dense\"\n", nil},
		{"number for a list", "[data]\nnormal = 0\n", nil},
		{"list for a table", "[[model.bottleneck]]\nkind = \"gaussian\"\n", nil},
		{"text for a table", "[model]\nbottleneck = \"gaussian\"\ndata = 3\n", nil},
		{"section is no table", "data = 3\n", nil},
		{"union of words", "[[model.encoder]]\nlayer = \"conv2d\"\npadding = \"sam\"\n[[model.encoder]]\nlayer = \"conv2d\"\npadding = -1\nkernel = \"x\"\nfilters = []\n", nil},
		{"inner list", "[[model.encoder]]\nlayer = \"residual\"\n[[model.encoder.layers]]\nlayer = \"dense\"\nunits = 0\n", nil},
		{"validate", "[[model.encoder]]\nlayer = \"conv2d\"\nname = \"bad\"\nkernel = [1, 2, 3]\n", nil},
		{"missing", "[data]\nsource = \"csv\"\n", nil},
		{"missing in a list", "[data]\ntransforms = [\n  { kind = \"resize\" },\n  {},\n]\n", nil},
		{"column", "[data]\nsource = \"csv\"\nfile = \"x.csv\"\n[data.columns]\n\"postal code\" = \"category\"\n", nil},
		{"key of another source", "[data]\nsource = \"digits\"\nchannels = 1\n", nil},
		{"key of another layer", "[[model.encoder]]\nlayer = \"conv2d\"\nunits = 3\nkernel = 1\nfilters = 2\n", nil},
		{"unknown source", "[data]\nsource = \"digit\"\nchannels = 1\n", nil},
		{"unknown penalty", "[model.penalties.lk]\nbeta = 1\n", nil},
		{"penalty's kind", "[model.penalties.sparse]\nkind = \"l2\"\nenabled = \"no\"\n", nil},
		{"schedule", "[model.penalties.kl]\nbeta = { form = 0.0, to = 1.0, epochs = 0, kind = \"linaer\" }\n", nil},
		{"schedule between signs", "[model.penalties.kl]\nbeta = { from = 0.0, to = 1.0, epochs = 5, kind = \"exponential\" }\n", nil},
		{"schedule's limit", "[model.penalties.kl]\nbeta = { from = -1.0, to = 1.0, epochs = 5 }\n", nil},
		{"scalar", "[model.penalties.kl]\nbeta = \"much\"\n", nil},
		{"name of a folder", "name = \"a/b\"\n", nil},
		{"unknown preset", "[model]\npreset = \"veg\"\n", nil},
		{"preset on itself", "[model]\npreset = \"loop\"\n", nil},
		{"mistake in a preset", "[model]\npreset = \"wrong\"\n", nil},
		{"broken preset", "[model]\npreset = \"broken\"\n", nil},
		{"preset is no text", "[model]\npreset = 3\n", nil},
		{"files", "[data]\nsource = \"csv\"\nfile = [1]\n", nil},
		{"dates", "name = 2020-01-01\n", nil},
		{"nested too deep", "a = " + strings.Repeat("[", 1000) + "\n", nil},
		{"not UTF-8", "name = \"\xff\"\n", nil},
		{"set without value", "", []string{"data.batch"}},
		{"set without key", "", []string{"=3"}},
		{"set of a wrong type", "", []string{"data.batch=x", "train.epochs=[1]", "model.tied=2", "optimizer.learning_rate=x"}},
		{"set of an unknown key", "", []string{"model.laten_dim=3"}},
		{"set too large", "", []string{"data.batch=1000000000000000000000000000000"}},
		{"set of an item that is not there", "[[model.encoder]]\nlayer = \"dense\"\n", []string{"model.encoder.1.units=3", "data.normal.0=1"}},
		{"set of a key in a table", "", []string{`model.bottleneck={ kind = "gaussian", sample = 2 }`}},
		{"set of an unknown kind", "", []string{"model.bottleneck.kind=gausian"}},
		{"set of a table in a value", "", []string{"data.batch.x=1"}},
	}
	var all strings.Builder
	for _, c := range cases {
		h, err := parseText(c.text, c.sets...)
		if err == nil {
			t.Errorf("%s: no mistake was found; the model is %+v", c.name, h.model)
			continue
		}
		if !IsMistake(err) {
			t.Errorf("%s: %T is no list of mistakes", c.name, err)
		}
		fmt.Fprintf(&all, "# %s\n%v\n\n", c.name, err)
	}
	golden(t, "sentences.golden", all.String())
}

package configs_test

import (
	"fmt"
	"os"

	"aetrain/configs"
	"aetrain/internal/registry"
)

// part is what a room lets a configuration choose.
type part interface{ Describe() string }

// blur is one choice; its file registers it.
type blur struct {
	Sigma  configs.Scalar `toml:"sigma" min:"0" doc:"width in pixels"`
	Border string         `toml:"border" choices:"mirror|zero" doc:"what lies outside of the image"`
}

func (b *blur) Describe() string {
	return fmt.Sprintf("blur of %g pixels, %s", b.Sigma.Final(), b.Border)
}

var parts = registry.New[part]("part")

// room is the section.
type room struct {
	Part  part `toml:"part" kind:"blur" doc:"what is done"`
	Times int  `toml:"times" min:"1" doc:"how often"`
}

func init() {
	configs.Family("kind", parts)
	parts.Add("blur", func() part { return &blur{Sigma: configs.Number(1), Border: "mirror"} })
}

// A room declares its section as a struct with defaults, and decodes it; every mistake is reported with its place.
func Example() {
	for _, text := range []string{"[room]\n[room.part]\nsigma = 2\n", "[room]\ntimes = 0\npart = { kind = \"blurr\" }\n"} {
		var root struct {
			Room *configs.Section `toml:"room" doc:"an example"`
		}
		cfg, err := configs.Load(configs.LoadOptions{File: "example.toml", Bytes: []byte(text), Root: &root})
		if err != nil {
			fmt.Println(err)
			return
		}
		r := room{Times: 1}
		if err := root.Room.Decode(&r); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(r.Part.Describe())
		if err := cfg.Render(os.Stdout, configs.RenderOptions{}); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// blur of 2 pixels, mirror
	// [room]
	// times = 1
	//
	// [room.part]
	// kind = "blur"
	// sigma = 2.0
	// border = "mirror"
	// example.toml:2: room.times: must be at least 1, not 0
	// example.toml:3: room.part.kind: unknown part "blurr"; did you mean blur?
}

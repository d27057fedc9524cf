package throughput

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"

	"golang.org/x/image/font"

	"aetrain/internal/grid"
)

// Sizes of the chart in pixels.
const (
	chartWidth = 1100
	margin     = 20
	labels     = 290 // of the column with sides
	figures    = 260 // of the column behind the longest bar
	barHeight  = 22
	barGap     = 4
	headHeight = 34
	textSize   = 15
)

// Colours: ours by device, peers by their place.
var (
	oursTints = []color.RGBA{{0x1b, 0x6e, 0xa8, 0xff}, {0x2a, 0x9d, 0x4a, 0xff}, {0x7b, 0x4b, 0xa8, 0xff}}
	peerTints = []color.RGBA{{0xc9, 0xa2, 0x6b, 0xff}, {0xd9, 0xb9, 0x8a, 0xff}, {0xe6, 0xcf, 0xad, 0xff}}
)

// chart is a picture under way.
type chart struct {
	img  *image.RGBA
	face font.Face
	y    int
}

// WriteChart draws the results as PNG: a group of bars for each row, as long as their share of the row's fastest side.
func (r *Report) WriteChart(w io.Writer) error {
	face, err := grid.Face(textSize)
	if err != nil {
		return err
	}
	defer face.Close()
	groups := r.groups()
	height := 2*margin + headHeight + len(r.Devices)*barHeight
	for _, g := range groups {
		height += headHeight + len(g)*(barHeight+barGap)
	}
	c := &chart{img: image.NewRGBA(image.Rect(0, 0, chartWidth, height)), face: face, y: margin}
	draw.Draw(c.img, c.img.Bounds(), image.White, image.Point{}, draw.Src)
	c.text(margin, "examples a second; longer is faster, each row has a scale of its own")
	c.y += barHeight + barGap
	for _, d := range r.Devices {
		c.text(margin, d.Name+": "+d.Device)
		c.y += barHeight
	}
	for _, g := range groups {
		c.group(g, r.Devices)
	}
	return png.Encode(w, c.img)
}

// groups are the results of each row, in their order.
func (r *Report) groups() [][]*Result {
	var groups [][]*Result
	place := map[string]int{}
	for _, res := range r.Results {
		if len(res.Rounds) == 0 {
			continue
		}
		i, ok := place[res.Row]
		if !ok {
			i = len(groups)
			place[res.Row], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], res)
	}
	return groups
}

// group draws the bars of one row.
func (c *chart) group(g []*Result, devices []DeviceFacts) {
	c.y += headHeight - barHeight
	c.text(margin, g[0].Row)
	c.y += barHeight
	fastest := 0.0
	for _, res := range g {
		fastest = max(fastest, res.ExamplesPerSecond)
	}
	peers := map[string]int{} // of each device so far
	for _, res := range g {
		c.text(2*margin, res.Side+" "+res.Device)
		tint := peerTints[peers[res.Device]%len(peerTints)]
		if res.Side == Ours {
			tint = oursTints[deviceIndex(devices, res.Device)%len(oursTints)]
		} else {
			peers[res.Device]++
		}
		long := int(float64(chartWidth-labels-figures-2*margin) * res.ExamplesPerSecond / fastest)
		left := margin + labels
		draw.Draw(c.img, image.Rect(left, c.y, left+max(long, 1), c.y+barHeight), image.NewUniform(tint), image.Point{}, draw.Src)
		c.text(left+long+8, c.note(res))
		c.y += barHeight + barGap
	}
}

// note is what stands behind a bar.
func (c *chart) note(res *Result) string {
	text := digits(res.ExamplesPerSecond) + " (" + digits(res.StepMS) + " ms)"
	if res.Ratio > 0 {
		text += ", ratio " + digits(res.Ratio)
	}
	return text
}

func deviceIndex(devices []DeviceFacts, name string) int {
	for i, d := range devices {
		if d.Name == name {
			return i
		}
	}
	return 0
}

// text writes a line at x, on the line that has begun.
func (c *chart) text(x int, s string) { grid.Text(c.img, c.face, x, c.y+barHeight-6, s) }

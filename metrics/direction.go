package metrics

// Direction is the way in which a figure gets better.
type Direction int

// Directions. A figure that gets better neither way by itself has none: a term that another one holds in check, a learning rate,
// how many units are active.
const (
	None Direction = iota
	Falling
	Rising
)

// figures are those that models and their evaluation give beside the metrics of this package.
var figures = map[string]Direction{"loss": Falling, "reconstruction": Falling, "nll": Falling, "fid": Falling, "accuracy": Rising}

// DirectionOf returns the direction of a figure by its name: one that [Make] takes, or one of a row of figures.
func DirectionOf(name string) Direction {
	if m, err := Make(name); err == nil {
		if m.LargerIsBetter() {
			return Rising
		}
		return Falling
	}
	return figures[name]
}

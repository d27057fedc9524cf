package model

// Corrupts reports whether the encoder sees something else than the data in training.
func (c *Config) Corrupts() bool {
	kind := nameIn(Corruptions, c.Corruption)
	return kind != "" && kind != "none"
}

package optim

func init() { Schedules.Add("constant", func() Schedule { return &ConstantRate{} }) }

// ConstantRate leaves the learning rate as it is.
type ConstantRate struct{ Warming }

// Factor is 1.
func (*ConstantRate) Factor(Progress) float64 { return 1 }

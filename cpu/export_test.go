package cpu

// BF16 computes products in bfloat16 by plain Go where the processor cannot.
func BF16() Option { return func(o *options) { o.bf16 = true } }

// AMX does so in the order in which tiles sum.
func AMX() Option { return func(o *options) { o.bf16, o.tiled = true, true } }

package cpu

// BF16 computes products in bfloat16 by plain Go where the processor cannot.
func BF16() Option { return func(o *options) { o.bf16 = true } }

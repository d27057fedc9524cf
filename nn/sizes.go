package nn

import "aetrain/configs"

// oneSize is a list of n alone; 0 leaves it out.
func oneSize(n int) configs.Ints {
	if n > 0 {
		return configs.Ints{n}
	}
	return nil
}

// sizeOf is the first of a list, 0 where it was left out.
func sizeOf(list configs.Ints) int {
	if len(list) == 0 {
		return 0
	}
	return list[0]
}

// spread copies l once for each size of a list; the last one keeps the name.
func spread[L interface {
	Layer
	rename(string)
}](l L, sizes configs.Ints, set func(L, int)) []Layer {
	if len(sizes) < 2 {
		return []Layer{l}
	}
	var ls []Layer
	for i, n := range sizes {
		c := duplicate(l)
		set(c, n)
		if i < len(sizes)-1 {
			c.rename("")
		}
		ls = append(ls, c)
	}
	return ls
}

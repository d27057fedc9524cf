package cpu

// patchMove copies 8 floats: from a distance, in bytes, from where a row of patches begins in the window, to a place in the panel.
// What it writes too much, later moves write again.
type patchMove struct{ from, to uintptr }

// movePatchesGo copies runs, and nothing more, for each of offs, to rows of panel floats.
func movePatchesGo(dst, src []float32, offs []int, runs []patchRun, panel int) {
	for i, off := range offs {
		row := dst[i*panel : (i+1)*panel]
		for _, r := range runs {
			copy(row[r.to:r.to+r.n], src[off+int(r.from):])
		}
	}
}

// deal2Go writes the even and the odd elements of src, as many as even has.
func deal2Go(even, odd, src []float32) {
	odd, src = odd[:len(even)], src[:2*len(even)]
	for i := range even {
		even[i], odd[i] = src[2*i], src[2*i+1]
	}
}

// interleave2Go writes elements of even and odd in turn, as many as even has of each.
func interleave2Go(dst, even, odd []float32) {
	odd, dst = odd[:len(even)], dst[:2*len(even)]
	for i, v := range even {
		dst[2*i], dst[2*i+1] = v, odd[i]
	}
}

package data

import (
	"github.com/go-fonts/dejavu/dejavusansextralight"
	"github.com/go-fonts/dejavu/dejavusansmono"
	"github.com/go-fonts/dejavu/dejavuserif"
	"github.com/go-fonts/latin-modern/lmmono10regular"
	"github.com/go-fonts/latin-modern/lmmonolt10oblique"
	"github.com/go-fonts/latin-modern/lmroman10italic"
	"github.com/go-fonts/latin-modern/lmroman10regular"
	"github.com/go-fonts/latin-modern/lmromandunh10regular"
	"github.com/go-fonts/latin-modern/lmsans10regular"
	"github.com/go-fonts/liberation/liberationmonoregular"
	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/go-fonts/liberation/liberationserifitalic"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonoitalic"
	"golang.org/x/image/font/gofont/goregular"
)

// digitFonts are the fonts whose digits are drawn, chosen for different shapes of the same digit: open and closed 4,
// 1 with and without a foot, 7 straight and bent. The order and the versions in go.mod are part of what [Digits] yields.
// Licences: Go fonts BSD-3-Clause, Latin Modern GUST (LPPL), Liberation SIL OFL 1.1, DejaVu Bitstream Vera.
var digitFonts = [][]byte{
	goregular.TTF,
	goitalic.TTF,
	gomedium.TTF,
	gomono.TTF,
	gomonoitalic.TTF,
	lmroman10regular.TTF,
	lmroman10italic.TTF,
	lmromandunh10regular.TTF,
	lmsans10regular.TTF,
	lmmono10regular.TTF,
	lmmonolt10oblique.TTF,
	liberationsansregular.TTF,
	liberationserifitalic.TTF,
	liberationmonoregular.TTF,
	dejavusansextralight.TTF,
	dejavusansmono.TTF,
	dejavuserif.TTF,
}

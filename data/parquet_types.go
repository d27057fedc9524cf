package data

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	whole "math/big"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// parquetForm is how values of a type are read: as numbers (nil where they are none), and as text.
// Source: Apache Parquet, "Parquet Logical Type Definitions".
func parquetForm(t parquet.Type) (number func(parquet.Value) float64, text func(parquet.Value) string) {
	if l := t.LogicalType(); l != nil {
		if number, text := parquetLogical(t.Kind(), l); text != nil {
			return number, text
		}
	}
	switch t.Kind() {
	case parquet.Boolean:
		number = func(v parquet.Value) float64 {
			if v.Boolean() {
				return 1
			}
			return 0
		}
	case parquet.Int32:
		number = func(v parquet.Value) float64 { return float64(v.Int32()) }
	case parquet.Int64:
		number = func(v parquet.Value) float64 { return float64(v.Int64()) }
		return number, func(v parquet.Value) string { return strconv.FormatInt(v.Int64(), 10) } // identifiers keep all digits
	case parquet.Int96: // nanoseconds of the day, then the Julian day: how Spark and Impala wrote times
		return nil, func(v parquet.Value) string {
			x := v.Int96()
			const epoch, day = 2440588, 86400
			return timeText(time.Unix((int64(x[2])-epoch)*day, int64(x[0])|int64(x[1])<<32))
		}
	case parquet.Float:
		number = func(v parquet.Value) float64 { return float64(v.Float()) }
		return number, func(v parquet.Value) string { return strconv.FormatFloat(float64(v.Float()), 'f', -1, 32) }
	case parquet.Double:
		number = func(v parquet.Value) float64 { return v.Double() }
	default:
		return nil, func(v parquet.Value) string { return string(v.ByteArray()) }
	}
	return number, numberText(number)
}

// numberText writes numbers as a table of text would have them.
func numberText(number func(parquet.Value) float64) func(parquet.Value) string {
	return func(v parquet.Value) string { return strconv.FormatFloat(number(v), 'f', -1, 64) }
}

// parquetLogical is parquetForm for what a logical type changes; no text: nothing.
func parquetLogical(kind parquet.Kind, l *format.LogicalType) (number func(parquet.Value) float64, text func(parquet.Value) string) {
	switch l := l.Value.(type) {
	case *format.DateType:
		if kind == parquet.Int32 {
			return nil, func(v parquet.Value) string { return time.Unix(int64(v.Int32())*86400, 0).UTC().Format(time.DateOnly) }
		}
	case *format.TimestampType:
		if kind == parquet.Int64 && l.Unit.Value != nil {
			unit := l.Unit.Value.Duration()
			return nil, func(v parquet.Value) string {
				second := int64(time.Second / unit)
				return timeText(time.Unix(v.Int64()/second, v.Int64()%second*int64(unit)))
			}
		}
	case *format.DecimalType:
		return parquetDecimal(kind, int(l.Scale))
	case *format.IntType:
		switch {
		case l.IsSigned:
		case kind == parquet.Int32:
			number = func(v parquet.Value) float64 { return float64(v.Uint32()) }
			return number, numberText(number)
		case kind == parquet.Int64:
			return func(v parquet.Value) float64 { return float64(v.Uint64()) }, func(v parquet.Value) string { return strconv.FormatUint(v.Uint64(), 10) }
		}
	case *format.Float16Type:
		if kind == parquet.FixedLenByteArray {
			number = func(v parquet.Value) float64 {
				if b := v.ByteArray(); len(b) == 2 {
					return halfFloat(binary.LittleEndian.Uint16(b))
				}
				return math.NaN()
			}
			return number, numberText(number)
		}
	case *format.UUIDType:
		return nil, func(v parquet.Value) string { return hex.EncodeToString(v.ByteArray()) }
	}
	return nil, nil
}

// parquetDecimal are whole numbers of 10^-scale.
func parquetDecimal(kind parquet.Kind, scale int) (number func(parquet.Value) float64, text func(parquet.Value) string) {
	unit := math.Pow(10, float64(-scale))
	switch kind {
	case parquet.Int32:
		number = func(v parquet.Value) float64 { return float64(v.Int32()) * unit }
	case parquet.Int64:
		number = func(v parquet.Value) float64 { return float64(v.Int64()) * unit }
	case parquet.ByteArray, parquet.FixedLenByteArray: // two's complement, the highest byte first
		number = func(v parquet.Value) float64 {
			b := v.ByteArray()
			n := new(whole.Int).SetBytes(b)
			if len(b) > 0 && b[0] >= 0x80 {
				n.Sub(n, new(whole.Int).Lsh(whole.NewInt(1), uint(8*len(b))))
			}
			f, _ := new(whole.Float).SetInt(n).Float64() // rounded to the nearest
			return f * unit
		}
	default:
		return nil, nil
	}
	return number, func(v parquet.Value) string { return strconv.FormatFloat(number(v), 'f', max(0, scale), 64) }
}

// timeText is a moment as a table of text would have it, in UTC.
func timeText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999999999") }

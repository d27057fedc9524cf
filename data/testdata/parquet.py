"""Writes typed.parquet, a row group of 3 rows and one of 2, of every type that a table has, as pyarrow writes it. Needs pyarrow."""

import datetime
import decimal
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

D, T = datetime.date, datetime.datetime
utc = datetime.timezone.utc
columns = {
    "amount": pa.array([10.5, None, 30.25, float("nan"), -1e3], pa.float64()),
    "small": pa.array([0.5, 1.5, None, 2.5, 65504], pa.float16()),
    "count": pa.array([1, 2, 3, 4, 5], pa.int8()),
    "big": pa.array([2**40, None, 3, 4, 5], pa.uint64()),
    "ok": pa.array([True, False, None, True, True]),
    "price": pa.array([decimal.Decimal(x) for x in ("1.25", "-2.50", "0.00", "99.99", "3.00")], pa.decimal128(7, 2)),
    "country": pa.array(["DE", "FR", None, "DE", "NA"]).dictionary_encode(),
    "remark": pa.array(["a", "b", "c", "d", "e"]),
    "day": pa.array([D(2020, 1, 1 + i) for i in range(5)]),
    "when": pa.array([T(2020, 1, 1, 12, 0, i, 500000) for i in range(5)], pa.timestamp("us")),
    "tags": pa.array([["a"], [], None, ["b", "c"], []]),
    "place": pa.array([{"x": 1.0, "y": 2.0}, None, {"x": 3.0, "y": None}, {"x": 4.0, "y": 5.0}, {"x": 6.0, "y": 7.0}]),
    "user": pa.array([10**12 + i % 2 for i in range(5)], pa.int64()),
    "nothing": pa.nulls(5),
    "label": pa.array(["no", "yes", "no", "no", "yes"]),
}
pq.write_table(pa.table(columns), pathlib.Path(__file__).parent / "typed.parquet", row_group_size=3, compression="zstd")

"""The floor: parse the columns that the analysis reads, keep them, and end.

Run as ``python -m benchmarks.floor FILE COLUMN…``. It imports nothing but polars, so that what is
measured is polars starting up and reading the file.
"""

import sys

import polars as pl

if __name__ == "__main__":
    path, *columns = sys.argv[1:]
    kept = pl.scan_csv(path, infer_schema=False).select(columns).collect(engine="streaming")
    print(kept.height)

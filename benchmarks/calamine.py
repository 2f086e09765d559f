"""The floor of a workbook: parse the columns that the analysis reads, keep them, and end.

Run as ``python -m benchmarks.calamine FILE COLUMN…``; the header is the second row.
"""

import sys

import fastexcel

if __name__ == "__main__":
    path, *columns = sys.argv[1:]
    sheet = fastexcel.read_excel(path).load_sheet(
        0, header_row=1, use_columns=columns, dtypes="string"
    )
    print(sheet.to_polars().height)

"""Write the example shops' files anew: ``python examples/make_examples.py [--into DIR]``.

Needs openpyxl and msoffcrypto-tool. Equal content each time, on any day and machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.generator import shopify, smartstore

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).resolve().parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Write every generated file below a folder, and say where."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--into", type=Path, default=HERE, help="folder to write to (default: this one)"
    )
    into: Path = parser.parse_args(arguments).into

    truth = {
        "smartstore": smartstore.write(into / "smartstore"),
        "shopify": shopify.write(into / "shopify"),
    }
    (into / "truth.json").write_text(
        json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
    )
    print(f"wrote the example shops below {into}")


if __name__ == "__main__":
    main()

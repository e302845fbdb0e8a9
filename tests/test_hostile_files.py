"""No file whatever ends a training but with a model or one line.

`HOSTILE_FILES=10000 pytest tests/test_hostile_files.py` tries so many.
"""

from __future__ import annotations

import gzip
import os
import random
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data import FILES, read_rows
from training.dialect import Options
from training.errors import DataError

CASES = int(os.environ.get("HOSTILE_FILES", 300))
PIECES = [
    *(b'"', b'""', b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"-", b"nan", b"1e999", b"1,204"),
    *(b"\0", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"PAR1", b"PK\3\4", b"\x1f\x8b"),
    *(b"hours", b"score"),
]


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """A table of each kind."""
    path = tmp_path_factory.mktemp("seeds") / "rows.parquet"
    pq.write_table(pa.table({"hours": range(300), "score": [k / 7 for k in range(300)]}), path)
    files = [path.read_bytes(), *(file.read_bytes() for file in sorted(FILES.glob("*.*")))]
    text = (FILES / "r-csv.csv").read_bytes()
    pile = text.replace(b"\n", b"\r\n") * 30
    return [*files, gzip.compress(text), b"x\n1\n", pile]


def mutated(content: bytes, draw: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(draw.choice([0, 1, 1, 2, 5, 30])):
        place, length = draw.randrange(len(data) + 1), draw.choice([1, 1, 4, 50])
        match draw.randrange(5):
            case 0:
                data[place : place + length] = draw.randbytes(length)
            case 1:
                data[place:place] = draw.choice(PIECES) * draw.choice([1, 1, 2, 300])
            case 2:
                del data[place : place + length]
            case 3:
                data[place:place] = data[place : place + 20 * length]
            case 4:
                del data[place + draw.randrange(3000) :]
    return bytes(data)


def test_a_mutated_file_of_any_kind_gives_rows_or_one_line(
    seeds: list[bytes], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ends: Counter[str] = Counter()
    for case in range(CASES):
        draw = random.Random(case)  # noqa: S311
        path = tmp_path / draw.choice(["rows.csv", "rows.parquet", "rows.xlsx"])
        path.write_bytes(mutated(draw.choice(seeds), draw))
        encodings = "utf-8", "utf-16", "cp949", "utf-32", "cp037"
        options = Options(*(draw.choice([None] * 3 + [*s]) for s in (";,", ",.", encodings)))
        try:
            read_rows([str(path)], skip_bad_rows=draw.random() < 0.5, file_options=options)
            ends["read"] += 1
        except DataError as error:
            message = str(error)
            assert message.startswith(str(path)) or "more than half" in message, case
            assert message.isprintable(), case
            ends["a bad row" if ", row " in message else "refused"] += 1
        except BaseException as error:
            raise AssertionError(f"case {case} ended with {error!r}") from error
    assert capfd.readouterr().err == ""
    for end in ("read", "a bad row", "refused"):
        assert ends[end] > CASES / 20, ends

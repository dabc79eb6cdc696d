"""A Parquet file whose description is damaged is read or refused, and does not end the process."""

import subprocess
import sys

CODE = """
import struct, sys
from pathlib import Path
import pyarrow as pa
import pyarrow.parquet as pq
from dupdetect.errors import InputError
from dupdetect.io.documents import collect

path = Path(sys.argv[1])
pq.write_table(pa.table({"id": ["a", "b", "c"] * 20, "text": ["x y", "z", "w"] * 20, "score": [0.1] * 60}), path)
whole = path.read_bytes()
[length] = struct.unpack("<I", whole[-8:-4])
for place in range(len(whole) - 8 - length, len(whole) - 8, 5):
    for bit in (0, 3):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            collect(path)
        except InputError:
            pass
"""


def test_a_damaged_description_is_an_error_and_not_the_end(tmp_path):
    command = [sys.executable, "-c", CODE, str(tmp_path / "a.parquet")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-1000:]

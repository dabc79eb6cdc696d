import numpy as np
import pyarrow as pa
import pytest

from dupdetect.io.rows import Rows
from dupdetect.io.schema import conform

PARTS = [
    pa.table({"id": [1, 2], "text": ["一つ", "สอง"]}),
    pa.table({"id": pa.array([], pa.int64()), "text": pa.array([], pa.string())}),
    pa.table({"text": ["ثلاثة", "четыре", "🙂"], "id": [3, 4, 5], "more": [None, "x", None]}),
]
SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string()), ("more", pa.string())])
WHOLE = pa.concat_tables([conform(part, SCHEMA) for part in PARTS])


@pytest.mark.parametrize("places", [[], [0], [4], [1, 3], [0, 1, 2, 3, 4], [2, 3, 4]])
def test_rows_are_those_at_their_places(places):
    rows = Rows(PARTS, SCHEMA, np.array(places, np.int64))
    expected = WHOLE.take(pa.array(places, pa.int64()))
    assert rows.num_rows == len(places)
    assert rows.table().equals(expected)
    assert pa.concat_tables([SCHEMA.empty_table(), *rows]).equals(expected)
    assert rows.column("more").equals(expected["more"])
    assert rows.column_names == ["id", "text", "more"]
    odd = np.arange(len(places)) % 2 == 1
    assert rows.take(odd).table().equals(expected.filter(pa.array(odd)))

"""What a word was made of makes that word, and no other."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from dupdetect.matching.spans import find_spans
from dupdetect.text.clean import clean
from dupdetect.text.main_content import main_content
from dupdetect.text.words import words

# Characters that are changed, joined, reordered, multiplied or taken away, beside some that are left alone.
KNOTS = (
    "aeZ \n\r-¬\u00ad\u200b\u200dßİŉͅ½…ﬁ㍿ﷺ\u0301\u0323\u0338<ΣςǰᾳÅÅ가각\u1100\u1161\u11a8"
    "น้ำक\u094d\u093cक़مَّﻻ\u0640שׁיִ東ｶﾞか\u3099😀\ufe0f"
)
text = st.text(st.sampled_from(KNOTS) | st.characters(exclude_categories=["Cs"]), max_size=40)


@given(text, st.sampled_from(["word", "character"]), st.data())
@example("<\u0338=\u0338\u0301 abc", "word", None)
@example("e\u200d\u0301", "word", None)
@example("x-\r\n\u00ady", "word", None)
def test_a_slice_has_the_words_that_it_was_cut_for(text: str, unit: str, data: st.DataObject | None) -> None:
    spans, whole = find_spans(text, unit), words(clean(text), unit)
    assert len(spans.starts) == len(whole)
    assert all(0 <= a <= b for a, b in pairwise([*spans.starts, len(text)]))
    assert all(a <= b for a, b in pairwise([*spans.ends, len(text)]))
    assert (spans.starts < spans.ends).all()
    # Between words that were made of the same character there is no place to cut.
    cuts = [n for n in range(len(whole) + 1) if n in (0, len(whole)) or spans.ends[n - 1] <= spans.starts[n]]
    first, last = (0, len(whole)) if data is None else sorted(data.draw(st.sampled_from(cuts)) for _ in range(2))
    if first < last:
        assert words(clean(text[spans.starts[first] : spans.ends[last - 1]]), unit) == whole[first:last]


@given(text, text)
def test_hashes_and_main_content_are_those_of_the_words(a: str, b: str) -> None:
    joined = f"{a} \n {b}"
    spans, cut = find_spans(joined), words(clean(joined))
    assert len(set(spans.hashes.tolist())) == len(set(cut))
    assert len(set(zip(cut, spans.hashes.tolist(), strict=True))) == len(set(cut))
    assert spans.main_content.tolist() == main_content(clean(joined)).tolist()

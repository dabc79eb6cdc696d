"""Arrow texts to the same texts, cleaned: by the reference where they are few, compiled where they are many.

Input    texts (Arrow large_string), or documents
Output   the same, cleaned as `dupdetect.text.clean` does; cut by a tokenizer of one's own, if one is given
Cost     O(length of the texts); texts with nothing to clean are not copied
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from dupdetect._compiled.dispatch import on_threads
from dupdetect.errors import InputError, SettingsError
from dupdetect.sketches.sketches import buffers, reference_is_faster
from dupdetect.text.clean import clean
from dupdetect.text.given_words import cut

if TYPE_CHECKING:
    import pyarrow as pa

    from dupdetect.io.documents import Documents
    from dupdetect.settings import Settings, Words

    Texts: TypeAlias = pa.Array | pa.ChunkedArray

#: Bytes of text that are cleaned at once, in each thread. If there is anything to clean, all of them are copied.
BLOCK_BYTES = 8 << 20


def cleaned(documents: Documents, words: Words | None = None, *, workers: int = 1) -> Documents:
    """Return the same documents with cleaned texts; their table is left as it was read."""
    return replace(documents, texts=clean_texts(documents.texts, words, workers=workers))


def clean_texts(texts: Texts, words: Words | None = None, *, workers: int = 1) -> Texts:
    """Clean texts.

    Parameters
    ----------
    texts : pyarrow large_string array, chunked or not
        Valid UTF-8, no nulls.
    words : callable, optional
        As `Settings.words`: the texts returned are then such as are cut into the words that it makes. The name of one
        changes nothing.
    workers : int
        Threads; the result does not depend on it.

    Returns
    -------
    pyarrow large_string array, chunked or not
        The texts given, if there is nothing to clean; else perhaps in other chunks, of which those without anything to
        clean are not copied.

    Raises
    ------
    InputError
        The callable fails, or makes something else than words.
    """
    import pyarrow as pa

    chunked = isinstance(texts, pa.ChunkedArray)
    given = texts.chunks if chunked else [texts]
    if reference_is_faster(texts):
        made = [_clean_by_reference(chunk) for chunk in given]
    else:
        given = [block for chunk in given for block in _blocks(chunk)]
        made = on_threads(clean_compiled, given, workers)
    if callable(words):
        made = [cut_texts(chunk, words) for chunk in made]
    elif all(new is old for new, old in zip(made, given, strict=True)):
        return texts
    return pa.chunked_array(made, texts.type) if chunked else pa.concat_arrays(made)


def cut_texts(texts: Texts, words: Words | None) -> Texts:
    """Return texts that are cut into the words that a callable makes of these; without one the same."""
    if not callable(words):
        return texts
    import pyarrow as pa

    text = ""
    try:
        return pa.array([cut(text := each, words) for each in texts.to_pylist()], pa.large_string())
    except Exception as error:
        raise InputError(
            f"words={getattr(words, '__qualname__', type(words).__qualname__)} fails on the text that begins "
            f"{text[:40]!r} ({type(error).__name__}: {error}); expected an iterable of str for each line"
        ) from error


def refuse_words(settings: Settings, what: str) -> None:
    """Raise a `SettingsError` if words are given, for what cuts texts itself."""
    if settings.words is not None:
        raise SettingsError(
            f"words is {settings.as_dict()['words']!r}, but {what} cuts texts into words itself; leave words out, or "
            "use dupdetect.dedup"
        )


def clean_compiled(texts: pa.Array) -> pa.Array:
    """Clean some texts by compiled code; the same array if there is nothing to clean."""
    import pyarrow as pa

    from dupdetect._compiled.clean import clean_bytes

    made = clean_bytes(*buffers(texts))
    if made is None:
        return texts
    data, offsets = made
    return pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(data))


def _clean_by_reference(texts: pa.Array) -> pa.Array:
    import pyarrow as pa

    given = texts.to_pylist()
    made = [clean(text) for text in given]
    return texts if made == given else pa.array(made, texts.type)


def _blocks(texts: pa.Array) -> list[pa.Array]:
    """Cut texts into blocks of `BLOCK_BYTES` or, in the last place, more."""
    _, offsets = buffers(texts)
    if offsets[-1] - offsets[0] <= BLOCK_BYTES:
        return [texts]
    starts = np.arange(offsets[0], offsets[-1] - BLOCK_BYTES, BLOCK_BYTES)[1:]
    bounds = pairwise([0, *np.unique(np.searchsorted(offsets, starts)), len(texts)])
    return [texts.slice(first, last - first) for first, last in bounds]

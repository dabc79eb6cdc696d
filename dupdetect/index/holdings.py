"""What an index knows beside its rows: settings, the type of ids, keys, boilerplate; kept in memory while it is open.

Input    the table `settings`, and what a caller wants
Output   `Holdings`, which every part of an index works with
Cost     one look at the database; what is boilerplate is read when it is first needed, and when it changes
"""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dupdetect._storage.arrays import Storage
from dupdetect._storage.context import Context
from dupdetect.errors import InputError, MismatchError, SettingsError
from dupdetect.index.bodies import TextVerifier
from dupdetect.index.estimates import SignatureVerifier
from dupdetect.index.identifiers import Identifiers
from dupdetect.index.keys import KeyTable
from dupdetect.index.schema import VERSION, migration
from dupdetect.index.stores import RESTORE
from dupdetect.matching.boilerplate import Boilerplate
from dupdetect.matching.grouping import check_grouped
from dupdetect.settings import Settings
from dupdetect.sketches.cleaning import clean_texts
from dupdetect.sketches.sketches import identities, sketch_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from dupdetect.index.evidence import Texts
    from dupdetect.index.stores import Session, Store
    from dupdetect.matching.overlaps import Matcher
    from dupdetect.sketches.sketches import Sketches


#: Bytes of the largest arrays of a stage: beside them stand the filters of an index and its cache. A quarter of that is
#: no less at the peak, but the texts of a batch were then compared in parts for which it hardly paid to start threads.
ARRAY_BYTES = 64 << 20

#: What an index says of its texts.
KEPT, LEFT_OUT = "kept", "left out"


class Holdings:
    """What an index knows.

    Parameters
    ----------
    store : Store
        Its tables are there.
    settings : Settings, optional
        What the caller wants; those of the index, or the defaults for a new one, if left out.
    workers : int
    keeps_texts : bool, optional
        Whether texts are kept; as the index has it, if left out.

    Raises
    ------
    MismatchError
        The index was made with other settings.
    InputError
        It is of a later version, or what it says of itself is damaged.
    """

    def __init__(self, store: Store, settings: Settings | None, workers: int, keeps_texts: bool | None) -> None:
        self.store = store
        stored = self._stored()
        check_grouped(settings or Settings(), None)
        if not stored:
            stored = self._founded(settings or Settings(), keeps_texts is not False)
        _check_whole(store.name, stored)
        self._check_version(stored)
        self.settings = _same(store.name, stored, settings)
        check_grouped(self.settings, None)
        self.keeps_texts = stored["texts"] == KEPT
        if keeps_texts is not None and keeps_texts != self.keeps_texts:
            has, asked = ("keeps", "leaves out") if self.keeps_texts else ("leaves out", "keeps")
            raise MismatchError(f"{store.name}: the index {has} texts, and one that {asked} them was asked for")
        self._stored_type = stored.get("ids")
        self.identifiers = Identifiers(self._stored_type)
        self.bands = self.settings.banding[0]
        self.context = Context(self.settings, workers, Storage(ARRAY_BYTES))
        self.keys = KeyTable(self.bands, self.settings.hot_key_documents)
        self._boilerplate: tuple[int, Boilerplate] = (0, Boilerplate.settled(*_nothing()))
        self._lock = threading.Lock()

    def after_fork(self) -> None:
        """Forget in a child what is kept in memory: another thread of its parent may have been changing it."""
        self._boilerplate, self._lock = (0, Boilerplate.settled(*_nothing())), threading.Lock()
        self.keys.after_fork()

    @property
    def weighs(self) -> bool:
        """Whether boilerplate is weighed: that needs texts."""
        return self.settings.weighs and self.keeps_texts

    def _stored(self) -> dict[str, str]:
        with self.store.read() as session:
            return {str(name): str(value) for name, value in session.rows("SELECT name, value FROM settings")}

    def _founded(self, settings: Settings, keeps_texts: bool) -> dict[str, str]:
        """Write what a new index is made with, unless another process has just done so."""
        values = {
            "version": str(VERSION),
            "settings": json.dumps(settings.as_dict()),
            "fingerprint": settings.fingerprint,
            "texts": KEPT if keeps_texts else LEFT_OUT,
        }
        with self.store.write() as session:
            if not session.rows("SELECT value FROM settings WHERE name = 'fingerprint'"):
                session.insert("settings", ("name", "value"), list(values.items()))
        return self._stored()

    def _check_version(self, stored: dict[str, str]) -> None:
        version = int(stored["version"])
        if version > VERSION:
            raise InputError(
                f"{self.store.name}: the index is of version {version}, and this dupdetect reads versions up to "
                f"{VERSION}; update dupdetect"
            )
        if version < VERSION and self.store.read_only:
            raise InputError(
                f"{self.store.name}: the index is of version {version}, and this dupdetect reads version {VERSION}; "
                "open it once for writing, which brings it up to date"
            )
        if version < VERSION:
            with self.store.write() as session:
                rows = session.rows("SELECT value FROM settings WHERE name = 'version'")
                for step in range(int(rows[0][0]), VERSION):  # another process may have done it
                    for statement in migration(step, self.store.engine):
                        session.run(statement)
                session.run("UPDATE settings SET value = ? WHERE name = 'version'", (str(VERSION),))

    def boilerplate(self, session: Session) -> Boilerplate:
        """Return what is boilerplate, as a transaction sees it."""
        version = session.state.boilerplate
        with self._lock:
            if self._boilerplate[0] != version:
                rows = session.rows("SELECT shingle, margin FROM boilerplate")
                shingles = np.array([shingle for shingle, _ in rows], np.int64).view(np.uint64)
                margin = np.array([margin for _, margin in rows], np.int32)
                order = np.argsort(shingles)
                self._boilerplate = version, Boilerplate.settled(shingles[order], margin[order])
            return self._boilerplate[1]

    def verifier(self, session: Session, texts: Texts, new: Mapping[int, Any]) -> Matcher:
        """Return what verifies pairs of texts: on the texts themselves, or on signatures where texts are left out."""
        if self.keeps_texts:
            return TextVerifier(session, texts, new, self.context, self.boilerplate(session), self.identifiers)
        return SignatureVerifier(session, texts, self.settings)

    def sketched(self, texts: pa.Array, workers: int | None = None) -> Sketches:
        """Clean texts and sketch them, by so many threads; what has no words is told by its bytes."""
        workers = workers or self.context.workers
        cleaned = clean_texts(texts, workers=workers)
        found = sketch_texts(cleaned, self.settings, workers=workers, signatures=not self.keeps_texts)
        digests = identities(cleaned, found)
        return found if digests is found.digests else replace(found, digests=digests)

    def identified(self, texts: pa.Array, sketches: Sketches) -> Sketches:
        """Return sketches that were made of texts before, what has no words told by its bytes."""
        if (sketches.words > 0).all():
            return sketches
        return replace(sketches, digests=identities(clean_texts(texts), sketches))

    def look_again(self, session: Session) -> None:
        """Read the type of ids, which another process may have settled."""
        for (value,) in session.rows("SELECT value FROM settings WHERE name = 'ids'"):
            self.identifiers = Identifiers(value)

    def keep_id_type(self, session: Session) -> None:
        """Store the type of ids, once it is known; refuse one that another process has settled otherwise."""
        mine = self.identifiers.stored
        if self._stored_type is not None or mine is None:
            return
        rows = session.rows("SELECT value FROM settings WHERE name = 'ids'")
        if not rows:
            session.insert("settings", ("name", "value"), [("ids", mine)])
            return
        self._stored_type = str(rows[0][0])
        if self._stored_type != mine:
            own, self.identifiers = self.identifiers, Identifiers(self._stored_type)
            if own.type != self.identifiers.type:
                raise InputError(
                    f"these ids are {own.given}, and the index has ids that are {self.identifiers.given}; give all "
                    "ids one type"
                )


def _nothing() -> tuple[Any, Any]:
    return np.empty(0, np.uint64), np.empty(0, np.int32)


def _check_whole(name: str, stored: dict[str, str]) -> None:
    """Refuse what an index says of itself if that cannot be: neither store has a checksum of a single value."""
    try:
        whole = int(stored["version"]) > 0 and json.loads(stored["settings"]).keys() >= {"canonical", "bands"}
        whole = whole and stored["texts"] in (KEPT, LEFT_OUT) and "fingerprint" in stored
    except (AttributeError, KeyError, ValueError, RecursionError):
        whole = False
    if not whole:
        raise InputError(f"{name}: what the index says of itself is damaged; {RESTORE}")


def _same(name: str, stored: dict[str, str], wanted: Settings | None) -> Settings:
    """Return the settings of an index, which must be those that are wanted."""
    values = json.loads(stored["settings"])
    if wanted is None:
        if ":" in str(values["canonical"]):
            raise SettingsError(
                f"{name}: canonical is the callable {values['canonical']}, which no file can hold; give the settings "
                "with it"
            )
        values["bands"] = None if values["bands"] is None else tuple(values["bands"])
        return Settings().replace(**values)
    if wanted.fingerprint != stored["fingerprint"]:
        mine = json.loads(json.dumps(wanted.as_dict()))
        other = [
            f"{key} {values.get(key)!r}, where {mine[key]!r} is wanted" for key in mine if mine[key] != values.get(key)
        ]
        raise MismatchError(
            f"{name}: the index was made with {' and '.join(other)}; open it without settings, or build another"
        )
    return wanted

"""Which of several files about a distribution holds for the version that a project has.

A pure choice among files that were read; where the versions come from is the caller's business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from loopsafe.catalog.loader import CatalogText
from loopsafe.config.toml import Problem, complaint, line_of

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version


class _Ranged(NamedTuple):
    place: int
    versions: SpecifierSet
    oldest: Version


def select(texts: Sequence[CatalogText], versions: Mapping[str, str]) -> list[CatalogText]:
    """The files that hold, in their order.

    `versions` has the version of each distribution, by its normalised name, where it is known. Of the files in one
    folder that give ranges for one distribution, those hold whose range has the version; if it is unknown, or in no
    range, those with the newest range. A file without a range always holds.
    """
    groups: dict[tuple[str, PurePath], list[int]] = {}
    for index, text in enumerate(texts):
        if text.versions is not None:
            groups.setdefault((normalise(text.subject), PurePath(text.path).parent), []).append(index)
    dropped: set[int] = set()
    for (subject, _), group in groups.items():
        if len(group) == 1 and texts[group[0]].is_packed:
            continue  # holds in any case, and its range was read when it was packed
        ranged = [_parse(texts[index], index) for index in group]
        dropped.update(group)
        dropped.difference_update(_holding(ranged, versions.get(subject)))
    return [text for index, text in enumerate(texts) if index not in dropped]


def normalise(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _holding(ranged: Sequence[_Ranged], version: str | None) -> list[int]:
    from packaging.version import InvalidVersion, Version

    try:
        known = None if version is None else Version(version)
    except InvalidVersion:
        known = None
    if known is not None:
        found = [one.place for one in ranged if one.versions.contains(known, prereleases=True)]
        if found:
            return found
    newest = max(one.oldest for one in ranged)
    return [one.place for one in ranged if one.oldest == newest]


def _parse(text: CatalogText, index: int) -> _Ranged:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import Version

    assert text.versions is not None
    try:
        versions = SpecifierSet(text.versions)
    except InvalidSpecifier:
        line = line_of(text.data.decode("utf-8", "replace"), "versions")
        message = f"`{text.versions}` is no range of versions; write it as pip does, `>=2,<3`"
        raise complaint(text.path, Problem(line, "versions", message)) from None
    lower = [Version(one.version.removesuffix(".*")) for one in versions if one.operator in (">=", ">", "==", "~=")]
    return _Ranged(index, versions, max(lower, default=Version("0")))

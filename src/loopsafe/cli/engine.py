"""What the command line needs of the engine, so that tests can put something small in its place.

Nothing here runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from loopsafe.config.settings import Settings
    from loopsafe.model import Diagnostic
    from loopsafe.source.text import Source

    Sources = Mapping[str, Source] | Callable[[str], Source | None]
    """Path as shown to users → its text; reads late where it can."""


class Outcome(Protocol):
    """What a run found."""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Sorted, suppression applied."""

    @property
    def sources(self) -> Sources:
        """The texts that the diagnostics speak about."""

    @property
    def files(self) -> Sequence[str]:
        """All files that were checked, or could not be."""

    @property
    def warnings(self) -> Sequence[str]:
        """What is odd but no finding, for standard error."""


class Fixed(Protocol):
    """What fixing gives; nothing is written yet."""

    @property
    def files(self) -> Mapping[str, bytes]:
        """The new contents of each file that changes."""

    @property
    def fixed(self) -> int:
        """How many findings are gone."""

    @property
    def applied(self) -> Sequence[Diagnostic]:
        """These findings."""

    @property
    def remaining(self) -> Outcome:
        """What a run over the new texts finds."""


class Engine(Protocol):
    """`loopsafe.engine`, the module, fits."""

    def check(
        self,
        paths: Sequence[str],
        settings: Settings,
        *,
        overlays: Mapping[str, bytes] = ...,
        progress: Callable[[str, int, int | None], None] = ...,
    ) -> Outcome:
        """Check `paths`; a path in `overlays` is checked with those contents, whether it exists or not.

        `progress` is told what is being done, how many steps of it are done, and how many there are.
        """

    def fix(self, outcome: Outcome, settings: Settings) -> Fixed:
        """Fix what can be fixed with `settings.unsafe_fixes`, until nothing more can."""


def load() -> Engine:
    """Return the real engine; the import costs what the whole analysis costs to import."""
    import loopsafe.engine

    # its `fix` takes its own `Outcome`, and never gets another
    return cast("Engine", loopsafe.engine)


def find_source(sources: Sources, path: str) -> Source | None:
    """Look `path` up, whichever form `sources` has."""
    return sources.get(path) if isinstance(sources, Mapping) else sources(path)

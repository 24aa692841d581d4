"""The shipped data against the real thing: every name that a file mentions must exist where it says.

Standard library files are checked on the running Python, the others where their package is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loopsafe.catalog.loader import CatalogText, decode, read_shipped
from loopsafe.catalog.schema import CatalogFile

TEXTS = [text for text in read_shipped() if "generated" not in Path(text.path).parts]
"""Generated ones are read from the source, where attributes of instances have names as well."""

NOT_EVERYWHERE = {
    # newer than what the oldest Python supported can install
    "postgrest.BaseSelectRequestBuilder.strip_nulls",
    # newer than the oldest Python supported, or gone from the newest
    "asyncio.AbstractEventLoop.sock_recvfrom",
    "asyncio.AbstractEventLoop.sock_recvfrom_into",
    "asyncio.AbstractEventLoop.sock_sendto",
    "asyncio.AbstractEventLoopPolicy",
    "asyncio.Barrier",
    "asyncio.DefaultEventLoopPolicy",
    "asyncio.EventLoop",
    "asyncio.Queue.shutdown",
    "asyncio.Runner",
    "asyncio.StreamWriter.start_tls",
    "asyncio.TaskGroup",
    "asyncio.Task.cancelling",
    "asyncio.Task.uncancel",
    "asyncio.Timeout",
    "asyncio.get_event_loop_policy",
    "asyncio.iscoroutinefunction",
    "asyncio.taskgroups",
    "asyncio.timeout",
    "asyncio.timeout_at",
    "asyncio.timeouts",
    "asyncio.runners.Runner",
    "concurrent.futures.InterpreterPoolExecutor",
    "concurrent.futures.interpreter",
    "dbm.gnu",
    "dbm.ndbm",
    "dbm.sqlite3",
    "enum.global_enum",
    "enum.property",
    "enum.verify",
    "imaplib.IMAP4.idle",
    "inspect.markcoroutinefunction",
    "itertools.batched",
    "os.path.isjunction",
    "os.lchmod",
    "pathlib.Path.copy",
    "pathlib.Path.copy_into",
    "pathlib.Path.from_uri",
    "pathlib.Path.is_junction",
    "pathlib.Path.link_to",
    "pathlib.Path.move",
    "pathlib.Path.move_into",
    "pathlib.Path.walk",
    "pathlib.PurePath.full_match",
    "pathlib.PurePath.is_reserved",
    "pathlib.PurePath.with_segments",
    "pathlib._abc",
    "pathlib._local",
    "queue.Queue.shutdown",
    "sqlite3.Blob",
    "sqlite3.Connection.blobopen",
    "telnetlib",
    "typing.dataclass_transform",
    "typing.deprecated",
    "typing.override",
    "typing.type_check_only",
    "typing_extensions",
    # other platforms
    "asyncio.ProactorEventLoop",
    "asyncio.windows_events",
    "msvcrt",
    "nt",
    "pathlib.WindowsPath",
    "selectors.DevpollSelector",
    "selectors.KqueueSelector",
    # not part of the standard library
    "uvloop",
    "winloop",
}
"""Names (or their prefixes) of the standard library files that a Python may lack."""

INDIRECT = {
    "boto3.resources.base.ServiceResource",
    "botocore.client.GetObjectOutput",
    "botocore.client.InvocationResponse",
    "botocore.client.InvokeModelResponse",
    "botocore.client.SynthesizeSpeechOutput",
    "botocore.client.BaseClient",
    "asyncio.run_coroutine_threadsafe.Future",
    "asyncio.Condition.acquire",
    "asyncio.Condition.locked",
    "asyncio.Condition.release",
    "multiprocessing.synchronize",
    "os._ScandirIterator",
    "psycopg2.pool.AbstractConnectionPool",
    "os._wrap_close.read",
    "os._wrap_close.readline",
    "os._wrap_close.readlines",
    "select.poll.poll",
    "threading.Condition",
    "threading.Lock",
    "threading.RLock",
}
"""Names that exist only on instances, or whose class is nowhere exported."""


def _files(folder: str) -> list[Any]:
    return [pytest.param(text, id=Path(text.path).stem) for text in TEXTS if Path(text.path).parent.name == folder]


def _resolve(name: str) -> Any:
    """The object of a dotted name; raises LookupError."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        try:
            for part in parts[count:]:
                found = getattr(found, part)
        except AttributeError:
            continue
        return found
    raise LookupError(name)


def _resolve_any(name: str, aliases: dict[str, str]) -> Any:
    """The object of a canonical name, which may exist under one of its aliases only."""
    try:
        return _resolve(name)
    except LookupError:
        for alias, target in aliases.items():
            if name == target or name.startswith(f"{target}."):
                try:
                    return _resolve(alias + name[len(target) :])
                except LookupError:
                    continue
        raise


def _all_aliases(file: CatalogFile) -> dict[str, str]:
    return {**file.aliases, **{alias: record.name for record in file.classes for alias in record.aliases}}


def _names(file: CatalogFile) -> Iterator[str]:
    for call in file.call:
        yield from (f"{call.owner}.{name}" if call.owner else name for name in call.name)
        for guard in call.unless:
            if guard.refers:
                yield guard.refers
        if call.replacement:
            yield call.replacement
    yield from file.returns
    yield from file.asynchronous
    yield from file.roles
    for record in file.classes:
        yield record.name
        for members in (record.returns, record.fluent, record.asynchronous, record.quiet):
            yield from (f"{record.name}.{member}" for member in members)


def _is_excused(name: str) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:count]) in NOT_EVERYWHERE | INDIRECT for count in range(1, len(parts) + 1))


def _is_installed(name: str) -> bool:
    package = name.partition(".")[0]  # what has put another object in its place has no spec any more
    return package in sys.modules or importlib.util.find_spec(package) is not None


def _missing(file: CatalogFile) -> list[str]:
    aliases = _all_aliases(file)
    missing = []
    for name in dict.fromkeys(_names(file)):
        if not _is_excused(name) and _is_installed(name):
            try:
                _resolve_any(name, aliases)
            except LookupError:
                missing.append(name)
    return missing


def _blocking_coroutines(file: CatalogFile) -> list[str]:
    aliases = _all_aliases(file)
    wrong = []
    for call in file.call:
        for name in call.name:
            full = f"{call.owner}.{name}" if call.owner else name
            is_there = not _is_excused(full) and _is_installed(full)
            if is_there and inspect.iscoroutinefunction(_resolve_any(full, aliases)):
                wrong.append(full)
    return wrong


def _awaitable_functions(file: CatalogFile) -> Iterator[tuple[str, bool]]:
    aliases = _all_aliases(file)
    names = [*file.asynchronous, *(f"{r.name}.{member}" for r in file.classes for member in r.asynchronous)]
    for name in names:
        if not _is_excused(name):
            function = _resolve_any(name, aliases)
            yield name, inspect.iscoroutinefunction(inspect.unwrap(function))


@pytest.mark.skipif(sys.platform == "win32", reason="names of POSIX systems")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("text", _files("stdlib"))
def test_standard_library_names_exist(text: CatalogText) -> None:
    file = decode(text)
    assert _missing(file) == []
    assert _blocking_coroutines(file) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("text", _files("stdlib"))
def test_standard_library_aliases_name_the_same_object(text: CatalogText) -> None:
    for alias, name in _all_aliases(decode(text)).items():
        if not (_is_excused(alias) or _is_excused(name)):
            _assert_same(alias, name)


def _assert_same(alias: str, name: str) -> None:
    try:
        found = _resolve(alias)
    except LookupError:
        return
    if inspect.isclass(found) and not inspect.isclass(_resolve(name)):
        return  # the public name is a factory, e.g. multiprocessing.Queue
    if inspect.isclass(found) or inspect.isroutine(found):
        assert found is _resolve(name) or alias in SIMILAR or alias.startswith("_pyio."), alias


SIMILAR = {
    "_io._BufferedIOBase",
    "_io._IOBase",
    "_io._RawIOBase",
    "_io._TextIOBase",
    "_socket.socket",
    "asyncio.AbstractServer",
    "asyncio.proactor_events.BaseProactorEventLoop",
    "asyncio.selector_events.BaseSelectorEventLoop",
    "multiprocessing.process.BaseProcess",
    "multiprocessing.context.ForkProcess",
    "multiprocessing.context.ForkServerProcess",
    "multiprocessing.context.SpawnProcess",
    "multiprocessing.context.DefaultContext",
    "multiprocessing.context.ForkContext",
    "multiprocessing.context.ForkServerContext",
    "multiprocessing.context.SpawnContext",
    "multiprocessing.pool.MapResult",
    "socket.SocketType",
}
"""Aliases of objects that differ from the public one in nothing that matters here."""


@pytest.mark.parametrize("text", _files("stdlib"))
def test_standard_library_coroutine_functions_are_some(text: CatalogText) -> None:
    wrong = [name for name, is_coroutine in _awaitable_functions(decode(text)) if not is_coroutine]
    assert wrong == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", [*_files("sdk"), *_files("frameworks")])
def test_installed_package_has_the_names(text: CatalogText) -> None:
    file = decode(text)
    pytest.importorskip(file.packages[0])
    assert _missing(file) == []
    assert _blocking_coroutines(file) == []

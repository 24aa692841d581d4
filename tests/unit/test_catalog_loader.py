"""Catalogue files: every shipped one loads, and a wrong one is named with its file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopsafe.catalog import When, load
from loopsafe.catalog.loader import CatalogText, check_types, decode, read_folder, read_shipped
from loopsafe.model import LoopsafeError

HEAD = 'distribution = "acme"\nsource = "https://acme.example/docs"\n'


def write(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "acme.toml"
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", read_shipped(), ids=lambda text: "/".join(Path(text.path).with_suffix("").parts[-2:]))
def test_shipped_file_loads(text: CatalogText) -> None:
    check_types(text)
    file = decode(text)
    folder = Path(text.path).parent.name
    kinds = {"stdlib": file.module, "sdk": file.distribution, "generated": file.distribution}
    assert kinds.get(folder, file.framework) == Path(text.path).stem
    assert file.packages == text.packages


def test_files_that_people_wrote_say_each_thing_once() -> None:
    written = [text for text in read_shipped() if Path(text.path).parent.name != "generated"]
    names = [record.name for text in written for record in decode(text).classes]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    ("content", "line", "key", "part"),
    [
        ("x = \n", 1, "", "Invalid value"),
        ('distribution = "acme"\n', 1, "", "missing required field `source`"),
        ('source = "s"\n', 1, "distribution", "exactly one of"),
        (HEAD + 'module = "acme"\n', 3, "module", "exactly one of"),
        ('distribution = "acme"\nsource = ""\n', 2, "source", "where the facts come from"),
        (HEAD + "colour = 1\n", 3, "colour", "unknown field"),
        (
            HEAD + '[[call]]\nname = ["acme.f"]\neffect = "nettwork"\n',
            5,
            "effect",
            "'nettwork'; allowed are network, database,",
        ),
        (HEAD + '[[call]]\nname = ["acme.f"]\neffect = "file"\nwhne = "call"\n', 6, "whne", "unknown field"),
        (HEAD + '[[call]]\nname = "acme.f"\neffect = "file"\n', 4, "name", "Expected `array`"),
        (
            HEAD + '[[call]]\nname = ["acme.f"]\neffect = "file"\nunless = [{ equals = 0 }]\n',
            4,
            "unless",
            "position",
        ),
        (
            HEAD + '[[call]]\nname = ["other.f"]\neffect = "file"\n',
            4,
            "other.f",
            "outside the file's `import`",
        ),
        (
            HEAD + '[[class]]\nname = "acme.A"\n[[class]]\nname = "acme.B"\nbase = []\n',
            7,
            "base",
            "unknown field",
        ),
        (
            HEAD + '[[class]]\nname = "acme.A"\nreturns = { get = "Strin" }\n',
            5,
            "get",
            "neither a builtin class",
        ),
        (HEAD + '[returns]\n"acme.f" = "list["\n', 4, "acme.f", "not a type expression"),
        (HEAD + '[roles]\n"acme.f" = { role = "offload" }\n', 4, "role", "'offload'; allowed are offloader,"),
        (HEAD + '[[call]]\nname = ["acme.f"]\neffect = "file"\nwhen = "read"\n', 6, "when", "exit, property"),
        (HEAD + '[[class]]\nname = "acme.A"\nevery = "wire"\n', 5, "every", "allowed are network"),
        (HEAD + '[aliases]\n"beta.f" = "acme.f"\n', 4, "beta.f", "outside the file's `import`"),
    ],
)
def test_error_names_file_line_and_key(tmp_path: Path, content: str, line: int, key: str, part: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(LoopsafeError) as error:
        load(extra=[tmp_path])
    assert str(error.value).startswith(f"{path}:{line}: {key}")
    assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").mkdir()
    with pytest.raises(LoopsafeError, match=r"acme\.toml: cannot be read"):
        load(extra=[tmp_path])


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_bytes(b'source = "\xff"\n')
    with pytest.raises(LoopsafeError, match=r"acme\.toml:1: distribution"):
        load(extra=[tmp_path])


def test_folder_is_read_in_order_of_names(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.toml").write_text(HEAD, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no catalogue", encoding="utf-8")
    assert [Path(text.path).name for text in read_folder(tmp_path)] == ["a.toml", "b.toml"]


def test_packages_are_found_without_decoding(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + "import = [\n  'acme',\n  \"acme_core\",\n]\n")
    (text,) = read_folder(path)
    assert text.packages == ("acme", "acme_core")
    assert decode(text).packages == text.packages


def test_extra_entries_win(tmp_path: Path) -> None:
    content = 'distribution = "requests"\nsource = "ours"\n[[call]]\nname = ["requests.get"]\neffect = "wait"\n'
    (fact,) = load(extra=[write(tmp_path, content)]).facts("requests.get", When.CALL)
    assert (fact.effect.value, fact.source) == ("wait", "ours")

"""Configuration files: which one counts, what each key does, and what is said of mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from loopsafe.config import Selection, Settings, read_settings
from loopsafe.config.files import _EXAMPLES, _File, anchor
from loopsafe.model import Confidence, LoopsafeError

Write = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "project/pkg").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "project"


@pytest.fixture
def write(folder: Path) -> Write:
    def write(name: str, text: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def read(path: str = "project/pkg") -> Settings:
    return read_settings([path])


def test_no_file_means_the_defaults(folder: Path) -> None:
    assert read() == Settings(root=str(folder / "pkg"))


def test_all_keys(write: Write, folder: Path) -> None:
    (folder / "tools").mkdir()
    write(
        "pyproject.toml",
        """\
[project]
name = "x"

[tool.loopsafe]
exclude = ["a", "b/c"]
extend-exclude = ["d/*"]
respect-gitignore = false
force-exclude = true
fix = true
unsafe-fixes = true
min-confidence = "certain"
target-version = "py312"
src = [".", "lib"]
cache-dir = ".cache/ls"
python = ".venv"
catalogs = ["tools"]
extend-select = ["LSA100"]

[tool.loopsafe.lint]
select = ["LSA1"]
ignore = ["LSA103"]
""",
    )
    base = str(folder)
    assert read() == Settings(
        configured=Selection(("LSA1",), ("LSA103",), ("LSA100",), str(folder / "pyproject.toml")),
        exclude=("a", f"{base}/b/c"),
        extend_exclude=(f"{base}/d/*",),
        respect_gitignore=False,
        force_exclude=True,
        fix=True,
        unsafe_fixes=True,
        min_confidence=Confidence.CERTAIN,
        target_version=(3, 12),
        src=(base, f"{base}/lib"),
        cache_dir=f"{base}/.cache/ls",
        python=f"{base}/.venv",
        catalogs=(f"{base}/tools",),
        root=base,
    )


def test_every_key_has_an_example_that_is_right(write: Write, folder: Path) -> None:
    (folder / "tools").mkdir()
    write("tools/blocking.toml", "")
    write("loopsafe.toml", "".join(f"{key} = {value}\n" for key, value in _EXAMPLES.items()))
    assert set(_EXAMPLES) == {name.replace("_", "-") for name in _File.__struct_fields__} - {"lint"}
    assert read().target_version == (3, 10)


def test_the_nearest_file_counts_alone(write: Write, folder: Path) -> None:
    write("pyproject.toml", "[tool.loopsafe]\nfix = true\n")
    write("pkg/loopsafe.toml", "min-confidence = 'certain'\n")
    found = read()
    assert (found.fix, found.min_confidence, found.root) == (False, Confidence.CERTAIN, str(folder / "pkg"))
    assert read("project").fix


def test_order_within_a_folder(write: Write) -> None:
    write("pyproject.toml", "[tool.loopsafe]\ntarget-version = 'py310'\n")
    assert read().target_version == (3, 10)
    write("loopsafe.toml", "target-version = 'py311'\n")
    assert read().target_version == (3, 11)
    write(".loopsafe.toml", "target-version = 'py312'\n")
    assert read().target_version == (3, 12)


def test_pyproject_without_our_table_is_passed_over(write: Write, folder: Path) -> None:
    write("loopsafe.toml", "fix = true\n")
    write("pkg/pyproject.toml", "[project]\nname = 'loopsafe-user'\n")
    found = read()
    assert found.fix
    assert found.root == str(folder / "pkg")


def test_an_empty_table_counts(write: Write) -> None:
    write("loopsafe.toml", "fix = true\n")
    write("pkg/pyproject.toml", "[tool.loopsafe]\n")
    assert not read().fix


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        (">=3.9", (3, 9)),
        (">= 3.11, <4", (3, 11)),
        ("~=3.12", (3, 12)),
        ("==3.10.*", (3, 10)),
        (">=3.6", (3, 7)),
        ("<3.13", None),
        (">=3", None),
    ],
)
def test_requires_python_stands_in_for_the_target_version(
    write: Write, requires: str, expected: tuple[int, int] | None
) -> None:
    write("pyproject.toml", f"[project]\nrequires-python = '{requires}'\n")
    assert read().target_version == expected
    write("loopsafe.toml", "fix = true\n")
    assert read().target_version == expected
    write("loopsafe.toml", "target-version = 'py313'\n")
    assert read().target_version == (3, 13)


def test_a_file_that_is_named(write: Write, folder: Path, tmp_path: Path) -> None:
    write("pyproject.toml", "[tool.loopsafe]\nfix = true\n")
    path = write("other/strict.toml", "extend-exclude = ['x/y']\nlint.select = ['LSA1']\n")
    found = read_settings(["project/pkg"], config=str(path))
    assert (found.fix, found.root) == (False, str(folder))
    assert found.extend_exclude == (f"{tmp_path}/x/y",)
    assert found.configured.select == ("LSA1",)


def test_isolated(write: Write, folder: Path) -> None:
    write("pyproject.toml", "[project]\nrequires-python = '>=3.12'\n[tool.loopsafe]\nfix = 3\n")
    assert read_settings(["project"], isolated=True) == Settings(root=str(folder))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = \n", "1: Invalid value"),
        ("selct = ['LSA1']\n", "1: selct: unknown key; did you mean `select`?"),
        ("fix = true\nnonsense = 1\n", "2: nonsense: unknown key; those known are select, ignore, "),
        ("\nselect = 'LSA1'\n", '2: select: Expected `array`, got `str`; write it like `select = ["LSA1"]`'),
        ("fix = 'yes'\n", "1: fix: Expected `bool`, got `str`; write it like `fix = true`"),
        ("ignore = [1]\n", '1: ignore: Expected `str`, got `int`; write it like `ignore = ["LSA103"]`'),
        ("min-confidence = 'sure'\n", "1: min-confidence: Invalid enum value 'sure'; write it like"),
        ("target-version = 'py2'\n", "1: target-version: `py2` is no Python version that we know; write"),
        ("catalogs = ['none.toml']\n", "1: catalogs: there is no file or folder `{folder}/none.toml`; write"),
        ("fix = true\n[lint]\nselecct = []\n", "3: selecct: unknown key; did you mean `select`?"),
        ("select = ['LSA1']\n[lint]\nselect = 1\n", "3: select: Expected `array`, got `int`; write"),
        ("select = ['LSA1']\n[lint]\nselect = []\n", "1: select: stands in the table `lint` as well; keep one"),
    ],
)
@pytest.mark.parametrize("name", ["loopsafe.toml", "pyproject.toml"])
def test_mistakes_name_file_line_key_and_remedy(write: Write, folder: Path, name: str, text: str, problem: str) -> None:
    shift = 0
    if name == "pyproject.toml":
        head = "[tool.ruff]\nfix = true\nselect = []\n[tool.loopsafe]\n"
        shift = head.count("\n")
        text = head + text.replace("[lint]", "[tool.loopsafe.lint]")
    path = write(name, text)
    line, _, words = problem.partition(":")
    with pytest.raises(LoopsafeError) as error:
        read()
    expected = f"{path}:{int(line) + shift}:{words}"
    assert str(error.value).startswith(expected.replace("{folder}", str(folder)))


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(LoopsafeError, match=r"^there is no configuration file `none\.toml`$"):
        read_settings(["project"], config="none.toml")


def test_a_file_that_is_no_text(folder: Path) -> None:
    (folder / "loopsafe.toml").write_bytes(b"select = ['\xff']\n")
    with pytest.raises(LoopsafeError, match=r"loopsafe\.toml: is not UTF-8"):
        read()


def test_a_table_that_is_none(write: Write) -> None:
    write("pyproject.toml", "[tool]\nloopsafe = 1\n")
    with pytest.raises(LoopsafeError, match="Expected `object`, got `int`"):
        read()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a", "a"),
        ("a/", "a/"),
        ("a/b", "/x/a/b"),
        ("./a/b", "/x/a/b"),
        ("/a/b", "/a/b"),
    ],
)
def test_patterns_with_a_slash_belong_to_a_folder(pattern: str, expected: str) -> None:
    assert anchor(pattern, "/x") == expected


def test_a_folder_is_no_pattern() -> None:
    assert anchor("a/*", "/x [1]") == "/x \\[1]/a/*"


class TestPage:
    PAGE = (Path(__file__).resolve().parents[2] / "docs/configuration.md").read_text(encoding="utf-8")

    def test_it_has_every_key(self) -> None:
        named = {word for row in re.findall(r"^\| (`.*?) \|", self.PAGE, re.MULTILINE) for word in row.split("`")[1::2]}
        assert named == set(_EXAMPLES)

    def test_its_example_is_right(self, write: Write) -> None:
        write("tools/blocking.toml", "")
        write("pyproject.toml", re.findall(r"```toml\n(.*?)```", self.PAGE, re.DOTALL)[0])
        assert read("project").configured.extend_select == ("LSA100",)

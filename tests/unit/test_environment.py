"""Installed packages that no catalogue describes are looked into: found, read when needed, never imported."""

from __future__ import annotations

import os
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from loopsafe import engine
from loopsafe.config import Settings
from loopsafe.model import Diagnostic, LoopsafeError
from loopsafe.project import libraries
from loopsafe.source.environment import NO_ENVIRONMENT, find_environment

PARCELPOST: Final = {
    "parcelpost/__init__.py": "from .client import Client\nfrom .forms import *\nopen('imported', 'w')\n",
    "parcelpost/client.py": """
        from urllib.request import urlopen
        from ._base import Base
        class Client(Base):
            def __init__(self, url):
                self.url = url
            def send(self):
                return self.fetch(self.url)
            def fetch(self, url):
                return urlopen(url).read()
            def settings(self):
                with open("parcelpost.cfg") as file:
                    return file.read()
        """,
    "parcelpost/_base.py": """
        class Base:
            def send_twice(self):
                self.send()
                self.send()
            def send(self): ...
        """,
    "parcelpost/forms.py": "def render(form):\n    return str(form)\n",
    "parcelpost-1.2.dist-info/METADATA": "",
}
MAIN: Final = "from parcelpost import Client, render\n\n\nasync def main():\n    client = Client('http://x')\n    {}\n"
LONG_AGO: Final = (1_000_000_000, 1_000_000_000)

Check = Callable[..., tuple[Diagnostic, ...]]


def write(folder: Path, files: dict[str, str]) -> None:
    import textwrap

    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        os.utime(path, LONG_AGO)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    write(folder, {"pyproject.toml": ""})
    return folder


@pytest.fixture
def packages(project: Path) -> Path:
    """The folder for installed packages of a real virtual environment beside the project."""
    venv.create(project / ".venv", with_pip=False, symlinks=os.name != "nt")
    (site,) = [folder for folder in (project / ".venv").rglob("site-packages") if "lib64" not in folder.parts]
    write(site, PARCELPOST)
    return site


@pytest.fixture
def check(project: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    monkeypatch.chdir(project)

    def check(text: str, **settings: object) -> tuple[Diagnostic, ...]:
        write(project, {"main.py": text})
        wanted = Settings(root=str(project), **{"use_cache": False, **settings})  # type: ignore[arg-type]
        return engine.check(["."], wanted).diagnostics

    return check


def codes(found: tuple[Diagnostic, ...]) -> list[str]:
    return [one.code for one in found]


@pytest.mark.usefixtures("packages")
class TestLooksInside:
    @pytest.mark.parametrize("call", ["client.send()", "client.fetch('u')", "client.send_twice()"])
    def test_network_is_found_through_the_package(self, check: Check, call: str) -> None:
        (found,) = check(MAIN.format(call))
        assert found.code == "LSA111"
        assert found.chain[-1].path.endswith(os.path.join("parcelpost", "client.py"))
        assert found.chain[-1].call.startswith("urllib.request")

    @pytest.mark.parametrize("call", ["render(client)", "client.settings()", "client.unknown()", "await client.send"])
    def test_its_own_files_are_its_own_affair(self, check: Check, call: str) -> None:
        assert check(MAIN.format(call)) == ()

    def test_type_goes_through_the_project(self, check: Check) -> None:
        (found,) = check(
            """
            import parcelpost
            class Office:
                def __init__(self, client: parcelpost.Client) -> None:
                    self.client = client
                def post(self):
                    self.client.send()
            async def main(office: Office):
                office.post()
            """
        )
        assert (found.code, len(found.chain)) == ("LSA111", 4)

    def test_project_s_override_is_reached(self, check: Check) -> None:
        text = """
            import time
            from parcelpost._base import Base
            class Slow(Base):
                def send(self):
                    {}
            async def main():
                Slow().send_twice()
            """
        assert codes(check(text.format("time.sleep(1)"))) == ["LSA115"]
        assert check(text.format("return 1")) == ()

    def test_nothing_is_reported_in_it_or_imported(self, check: Check, project: Path, packages: Path) -> None:
        write(packages, {"parcelpost/aio.py": "import time\nasync def send():\n    time.sleep(1)\n"})
        assert check("from parcelpost.aio import send\nasync def main():\n    await send()\n") == ()
        assert not (project / "imported").exists()
        assert "parcelpost" not in sys.modules

    def test_catalogue_has_the_word_where_it_speaks(self, check: Check, packages: Path) -> None:
        write(packages, {"requests/__init__.py": "def get(url): return url\ndef other(): import time; time.sleep(1)\n"})
        assert codes(check("import requests\nasync def main():\n    requests.get('u')\n    requests.other()\n")) == [
            "LSA101"
        ]

    def test_project_s_own_module_comes_first(self, check: Check, project: Path) -> None:
        write(project, {"parcelpost.py": "class Client:\n    def __init__(self, url): ...\n    def send(self): ...\n"})
        assert check(MAIN.format("client.send()")) == ()

    def test_part_of_a_namespace_package(self, check: Check, packages: Path) -> None:
        write(packages, {"nation/post/__init__.py": "from ._mail import mail\n"})
        write(packages, {"nation/post/_mail.py": "import time\ndef mail(): time.sleep(1)\n"})
        assert codes(check("from nation import post\nasync def main():\n    post.mail()\n")) == ["LSA115"]
        assert codes(check("from nation.post import mail\nasync def main():\n    mail()\n")) == ["LSA115"]

    @pytest.mark.parametrize("text", ["def broken(:\n", "\0", "from . import *\nfrom .twin import *\n"])
    def test_odd_modules_are_unknown(self, check: Check, packages: Path, text: str) -> None:
        write(packages, {"odd/__init__.py": text, "odd/twin.py": "from . import *\n"})
        assert check("import odd\nasync def main():\n    odd.anything()\n") == ()


class TestIsFound:
    def test_named_environment(self, packages: Path, check: Check, project: Path, tmp_path: Path) -> None:
        (project / ".venv").rename(tmp_path / "elsewhere")
        text = MAIN.format("client.send()")
        assert check(text) == ()
        assert codes(check(text, python=str(tmp_path / "elsewhere"))) == ["LSA111"]
        (interpreter,) = {*tmp_path.glob("elsewhere/bin/python"), *tmp_path.glob("elsewhere/Scripts/python.exe")}
        assert codes(check(text, python=str(interpreter))) == ["LSA111"]

    def test_activated_environment_comes_before_the_one_beside(self, packages: Path, project: Path) -> None:
        assert find_environment(None, str(project), {}).folders == (os.path.realpath(packages),)
        assert find_environment(None, str(project), {"VIRTUAL_ENV": "/nowhere"}).folders != ()
        venv.create(project / "other", with_pip=False)
        chosen = find_environment(None, str(project), {"VIRTUAL_ENV": str(project / "other")})
        assert [os.path.relpath(folder, project).split(os.sep)[0] for folder in chosen.folders] == ["other"]

    def test_none_is_no_error(self, project: Path) -> None:
        assert find_environment(None, str(project), {}) is NO_ENVIRONMENT

    @pytest.mark.parametrize("python", ["nowhere", "pyproject.toml", ""])
    def test_named_in_vain(self, project: Path, monkeypatch: pytest.MonkeyPatch, python: str) -> None:
        monkeypatch.chdir(project)
        with pytest.raises(LoopsafeError, match=f"no installed packages found for `{python}`; name a Python"):
            find_environment(python, str(project), {})

    def test_versions(self, packages: Path, project: Path) -> None:
        (packages / "Other_Thing-2.0.1.dist-info").mkdir()
        versions = find_environment(None, str(project), {}).versions
        assert (versions["parcelpost"], versions["other-thing"]) == ("1.2", "2.0.1")


class TestIsKept:
    def test_second_run_reads_nothing(
        self, check: Check, packages: Path, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = MAIN.format("client.send()")
        cold = check(text, use_cache=True)
        done: list[str] = []
        make = engine.summarise
        monkeypatch.setattr(engine, "summarise", lambda text: (done.append(text), make(text))[1])
        assert check(text, use_cache=True) == cold
        write(project, {"new.py": "x = 1\n"})
        assert check(text, use_cache=True) == cold
        assert done == ["x = 1\n"], "the package's modules come from the cache"

    def test_other_version_is_looked_at_anew(self, check: Check, packages: Path) -> None:
        text = MAIN.format("client.send()")
        assert codes(check(text, use_cache=True)) == ["LSA111"]
        write(
            packages,
            {"parcelpost/client.py": "class Client:\n    def __init__(self, url): ...\n    def send(self): ...\n"},
        )
        (packages / "parcelpost-1.2.dist-info").rename(packages / "parcelpost-1.3.dist-info")
        assert check(text, use_cache=True) == ()

    def test_no_more_modules_than_the_limit(
        self, check: Check, packages: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(libraries, "_MOST_MODULES", 1)
        assert check(MAIN.format("client.send()")) == ()

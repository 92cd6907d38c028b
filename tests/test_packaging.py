"""The wheel and the source distribution: what is in them, and that what is installed from them works elsewhere."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINKED = ("grammar", "rules", "sinks", "sources")
"""Folders of the top that are links inside of ruleng/."""


def built(what: str, source: Path, folder: Path) -> Path:
    """`wheel` or `sdist` of a source tree."""
    script = f"import sys; from hatchling.build import build_{what}; print(build_{what}(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", script, folder], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


def files_of(wheel: Path) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(wheel) as archive:
        return {info.filename: info for info in archive.infolist() if not info.is_dir()}


def of_tree(*patterns: str) -> set[str]:
    """Files of the linked folders, named as they are below ruleng/."""
    found = (path for folder in LINKED for pattern in patterns for path in (ROOT / folder).rglob(pattern))
    return {f"ruleng/{path.relative_to(ROOT)}" for path in found if "__pycache__" not in path.parts}


@pytest.mark.packaging
def test_the_wheel_has_one_name_at_its_top(wheel: Path) -> None:
    assert {name.partition("/")[0] for name in files_of(wheel) if ".dist-info/" not in name} == {"ruleng"}


@pytest.mark.packaging
def test_what_is_linked_is_in_the_wheel_as_real_files(wheel: Path) -> None:
    files = files_of(wheel)
    wanted = of_tree("*.py", "*.rules", "*.test.yaml", "*.lark", "*.log.gz") | {"ruleng/py.typed"}
    assert wanted - set(files) == set()
    assert {suffix for name in wanted for suffix in Path(name).suffixes} >= {".py", ".rules", ".yaml", ".lark", ".gz"}
    assert [name for name, info in files.items() if info.external_attr >> 28 == 0o12] == []  # S_IFLNK, stat.h
    assert not [name for name in files if "__pycache__" in name]


@pytest.mark.packaging
def test_the_source_distribution_makes_the_same_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xf", sdist, "-C", tmp_path], check=True)
    (tree,) = tmp_path.iterdir()
    assert {path.name for path in tree.iterdir()} >= {*LINKED, "ruleng", "tests", "docs", "README.md", "pyproject.toml"}
    again = built("wheel", tree, tmp_path)
    assert set(files_of(again)) == set(files_of(wheel))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh environment with the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", "--quiet", "--no-deps", "--no-index", wheel]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def run(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """In another folder, with what ruleng depends on taken from here."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.packaging
def test_what_is_installed_runs_from_another_folder(installed: Path, tmp_path: Path) -> None:
    where = run([installed / "python", "-c", "import ruleng.sources.replay as module; print(module.__file__)"], tmp_path)
    assert where.stdout.startswith(str(installed.parent)), where.stderr
    tested = run([installed / "ruleng", "test", "--strict"], tmp_path)
    assert (tested.returncode, tested.stderr) == (0, "")
    assert tested.stdout.endswith(" passed, 0 failed\n")
    checked = run([installed / "ruleng", "check"], tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")
    demo = installed.parent / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages/ruleng/rules/demo/intrusion.log.gz"
    replayed = run([installed / "ruleng", "replay", demo], tmp_path)
    assert replayed.returncode == 0
    assert '"rule":' in replayed.stdout


@pytest.mark.packaging
@pytest.mark.parametrize("name", LINKED)
def test_what_is_linked_has_no_second_name(installed: Path, tmp_path: Path, name: str) -> None:
    done = run([installed / "python", "-c", f"import {name}"], tmp_path)
    assert "ModuleNotFoundError" in done.stderr


def test_nothing_imports_what_is_linked_by_its_folder() -> None:
    def imports(path: Path) -> set[str]:
        nodes = list(ast.walk(ast.parse(path.read_bytes())))
        names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        return names | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}

    modules = [path for folder in ("ruleng", "sinks", "sources", "tests", "docs") for path in (ROOT / folder).rglob("*.py")]
    assert len(modules) > 200
    assert [path for path in modules if {name.partition(".")[0] for name in imports(path)} & set(LINKED)] == []

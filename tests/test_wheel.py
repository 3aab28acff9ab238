"""An installed wheel works outside the checkout: `init` finds the reference project inside the package."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import zhiji_etl

ROOT = Path(zhiji_etl.__file__).parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="a wheel is built from a checkout")


def called(*command: object, cwd: Path, code: int = 0) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    called(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of a fresh environment that has the wheel, and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / Path(sys.executable).name
    site = Path(called(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    # An installed checkout in these packages would hide the wheel, so the wheel's own folder comes first.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    target = ["--target", site, "--no-deps", "--no-index", "--quiet", "--no-warn-script-location"]
    called(sys.executable, "-m", "pip", "install", *target, wheel, cwd=folder)
    return scripts


def test_what_the_wheel_holds(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    for part in ("raw/saic_motor_2019.csv", "raw/saic_motor_2019.toml", "schemas/company_year.py", "zhiji.toml"):
        assert f"zhiji_etl/_project/{part}" in names
    assert {"zhiji_etl/py.typed", "zhiji_etl/_project/codes.md"} <= set(names)
    assert any(name.startswith("zhiji_etl/reading/lexicon/") and name.endswith(".toml") for name in names)
    assert {"zhiji_etl/wording.toml", "zhiji_etl/html/templates/report.js"} <= set(names)
    assert not [name for name in names if name.startswith("tests/") or "__pycache__" in name or "/build/" in name]


def test_init_and_run_outside_the_checkout(installed: Path, tmp_path: Path):
    python = installed / Path(sys.executable).name
    where = called(python, "-c", "import zhiji_etl; print(zhiji_etl.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
    command = [python, "-m", "zhiji_etl"]
    called(*command, "init", "demo", cwd=tmp_path)
    assert "What helps: Swap the dates." in called(*command, "explain", "period_reversed", cwd=tmp_path)
    out = called(*command, "run", "demo", cwd=tmp_path)
    assert "share_vs_sales  SAIC Motor 2019  inconsistent (warning)" in out
    assert (tmp_path / "demo" / "build" / "latest").exists()
    called(*command, "run", "demo", "--fail-on", "warning", cwd=tmp_path, code=1)


def test_the_command_is_a_script_of_the_wheel(wheel: Path):
    archive = zipfile.ZipFile(wheel)
    entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "zhiji-etl = zhiji_etl.cli:main" in archive.read(entry).decode()

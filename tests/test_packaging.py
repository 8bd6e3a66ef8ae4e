"""The wheel holds every module and every yaml, and works outside the repository."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILT_FROM = ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE", "mips_jax", "conf")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built without network from a copy of the sources."""
    source = tmp_path_factory.mktemp("source")
    for name in BUILT_FROM:
        origin, copy = ROOT / name, source / name
        if origin.is_dir():
            shutil.copytree(origin, copy, ignore=shutil.ignore_patterns("__pycache__"))
        elif origin.exists():
            shutil.copy(origin, copy)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "--wheel-dir",
    ]
    subprocess.run([*command, source / "dist", source], check=True, capture_output=True, text=True)
    return next((source / "dist").glob("mips_jax-*.whl"))


def test_the_wheel_holds_every_module_and_every_yaml_of_conf(wheel):
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("mips_jax/")}
    modules = {
        f"mips_jax/{path.relative_to(ROOT / 'mips_jax').as_posix()}"
        for path in (ROOT / "mips_jax").rglob("*.py")
    }
    yaml = {
        f"mips_jax/conf/{path.relative_to(ROOT / 'conf').as_posix()}"
        for path in (ROOT / "conf").rglob("*.yaml")
    }
    others = {"mips_jax/py.typed", "mips_jax/reporting/report.html.jinja"}
    assert yaml and modules | yaml | others == packed - {"mips_jax/conf/__init__.py"}


def test_the_wheel_s_yaml_is_that_of_conf(wheel):
    packed = zipfile.ZipFile(wheel)
    for path in (ROOT / "conf").rglob("*.yaml"):
        assert (
            packed.read(f"mips_jax/conf/{path.relative_to(ROOT / 'conf').as_posix()}")
            == path.read_bytes()
        )


def test_links_of_the_description_need_no_file_beside_it(wheel):
    """As on PyPI; the sources of the wheel have no repository whose host could be linked."""
    packed = zipfile.ZipFile(wheel)
    name = next(name for name in packed.namelist() if name.endswith("METADATA"))
    description = packed.read(name).decode().partition("\n\n")[2]
    assert description.count("```") == (ROOT / "README.md").read_text().count("```") > 4
    links = re.findall(r"\]\(([^)\s]+)\)", description)
    assert links and all(link.startswith("https://") for link in links), links


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("https://example.org/a/mips_jax", "https://example.org/a/mips_jax/blob/HEAD/"),
        ("git@example.org:a/mips_jax.git", "https://example.org/a/mips_jax/blob/HEAD/"),
        ("/somewhere/on/disk", None),
    ],
)
def test_links_of_the_description_lead_to_the_repository_s_host(address, base):
    code = (
        "import runpy, setuptools, sys; setuptools.setup = lambda **_: None; "
        "print(runpy.run_path(sys.argv[1])['description']())"
    )
    # in a process of its own: setuptools must come before anything loads Python's own distutils
    made = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "setup.py")],
        env={**os.environ, "MIPS_JAX_REPOSITORY": address, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    if base is None:
        assert "docs/data.md" in made and "](docs/" not in made
    else:
        assert f"[docs/data.md]({base}docs/data.md)" in made
        paths = [link.removeprefix(base) for link in re.findall(r"\]\(([^)\s]+)\)", made)]
        assert all(path.startswith("https://") or (ROOT / path).exists() for path in paths)


def installed(
    wheel: Path, folder: Path, *arguments: str, seconds: int
) -> subprocess.CompletedProcess:
    """Runs `python -m mips_jax` from the unpacked wheel, outside the repository."""
    site = folder / "site"
    zipfile.ZipFile(wheel).extractall(site)
    (folder / "work").mkdir()
    check = (
        "import mips_jax, mips_jax.conf, sys; files = (mips_jax.__file__, mips_jax.conf.__file__); "
        "assert all(path.startswith(sys.argv[1]) for path in files)"
    )
    environment = os.environ | {"PYTHONPATH": str(site)}
    subprocess.run(
        [sys.executable, "-c", check, str(site)], env=environment, cwd=folder / "work", check=True
    )
    command = [sys.executable, "-m", "mips_jax", *arguments]
    return subprocess.run(
        command,
        env=environment,
        cwd=folder / "work",
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def test_the_wheel_composes_its_own_configs(wheel, tmp_path):
    done = installed(
        wheel, tmp_path, "experiment=binary_addition", "debug=tiny", "--cfg", "job", seconds=120
    )
    assert done.returncode == 0, done.stderr
    assert "name: Binary_Addition" in done.stdout


@pytest.mark.slow
def test_the_wheel_distils_a_task(wheel, tmp_path):
    done = installed(wheel, tmp_path, "task=Bitwise_Xor", seconds=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "work" / done.stdout.splitlines()[-1] / "program.py").is_file()


def test_the_console_script_is_the_module():
    scripts = {
        entry.name: entry.value
        for entry in importlib.metadata.entry_points(group="console_scripts")
    }
    assert scripts["mips-jax"] == "mips_jax.command_line.main:main"
    text = (ROOT / "mips_jax" / "__main__.py").read_text()
    assert "from mips_jax.command_line.main import main" in text and "sys.exit(main())" in text


def test_dependencies_are_declared_and_plug_ins_are_extras():
    requirements = importlib.metadata.requires("mips_jax")
    needed = [requirement for requirement in requirements if "extra ==" not in requirement]
    assert any(requirement.startswith("jax") for requirement in needed)
    assert not any("launcher" in requirement or "pytest" in requirement for requirement in needed)

"""The public names: completed by editors, imported on first use, the same in all three lists."""

import ast
import importlib
import pathlib
import subprocess
import sys

import pytest

import mips_jax


def imports_for_editors() -> dict[str, str]:
    """Name -> module in the block under `if TYPE_CHECKING`."""
    tree = ast.parse(pathlib.Path(mips_jax.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_editors_see_what_programs_get():
    assert sorted(imports_for_editors()) == sorted(mips_jax.__all__)
    assert set(mips_jax.__all__) <= set(dir(mips_jax))


@pytest.mark.parametrize("name", mips_jax.__all__)
def test_every_public_name_is_what_its_room_calls_so(name):
    room = importlib.import_module(imports_for_editors()[name])
    assert getattr(mips_jax, name) is getattr(room, name)


def test_what_is_not_there_is_named():
    with pytest.raises(AttributeError, match="'mips_jax' has no attribute 'distill'"):
        mips_jax.distill  # noqa: B018


def test_importing_the_package_loads_next_to_nothing():
    code = "import sys, mips_jax; print(*[m for m in sys.modules if 'mips_jax' in m or m == 'jax'])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in run.stdout.split() if not name.startswith("__editable__")}
    assert loaded == {"mips_jax"}

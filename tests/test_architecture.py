"""The house: sizes of modules and functions, who imports whom, how many floors there are.

Imports are read from the sources, so that nothing need be imported. Every import counts, at the
head of a module, inside a function, or under `if TYPE_CHECKING`: a type that a module names is a
module that it knows. A name that a package's `__init__` only passes on belongs to the module that
defines it; so `from mips_jax.networks import Network` is an edge to `mips_jax.networks.network`.

What does not keep to the rules yet stands in the lists here. They only shrink: an entry that is not
needed any more fails too, and has to go.
"""

from __future__ import annotations

import ast
import functools
import pathlib

import networkx
import pytest

PACKAGE = pathlib.Path(__file__).parents[1] / "mips_jax"
MAX_LINES_OF_A_MODULE = 400
MAX_LINES_OF_A_FUNCTION = 60  # from `def` to the last line, docstring included
MAX_FLOORS = 8  # longest chain of rooms, each of which imports the next

# Rooms (what lies directly in mips_jax/) from the ground up: a room may import the rooms of its own
# line (as long as no circle arises) and of the lines before it.
FLOORS = (
    {
        "errors",
        "check",
        "validation",
        "archives",
        "figures",
        "version",
        "budget",
        "registry",
        "interrupts",
        "progress",
        "sequences",
        "symbols",
        "inputs",
        "programs",
        "models",
    },
    {"machines", "networks", "tasks", "doors"},
    {"extraction", "training", "verification"},
    {"pipeline", "reporting", "tracking"},
    {"command_line"},
    {"__main__", "__init__"},
)
STRANGERS = (  # room, what it must not reach by any chain of imports
    ("extraction", ("verification", "training", "tasks", "models", "pipeline", "command_line")),
    ("verification", ("extraction", "training", "models", "pipeline", "command_line")),
    ("training", ("extraction", "verification", "pipeline", "command_line")),
    ("tasks", ("extraction", "training", "verification", "networks")),
    ("networks", ("extraction", "training", "verification", "tasks")),
)
NOT_FOR_EXTRACTION = {"jax", "jaxlib", "flax", "optax", "orbax", "hydra", "omegaconf"}

TOO_LONG_MODULES: set[str] = set()
TOO_LONG_FUNCTIONS: set[str] = set()
CIRCLES: set[frozenset[str]] = set()
UPWARD: set[tuple[str, str]] = set()
ACQUAINTED: set[tuple[str, str]] = set()


@functools.cache
def sources() -> dict[str, ast.Module]:
    """Module's dotted name (of a package, without `.__init__`) -> its syntax tree."""
    return {name(path): ast.parse(path.read_text(encoding="utf-8")) for path in paths()}


def paths() -> list[pathlib.Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name(path: pathlib.Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(
        ".__init__"
    )


def imports(tree: ast.AST) -> list[tuple[str, str | None]]:
    """Every import in a module: (module, None), or (module, name) for `from module import name`."""
    found: list[tuple[str, str | None]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative imports hide where they lead: {ast.unparse(node)}"
            found += [(node.module or "", alias.name) for alias in node.names]
    return found


def defining_module(module: str, imported: str | None) -> str:
    """The module of this package that an import leads to, re-exports followed."""
    if imported is None:
        return module
    if f"{module}.{imported}" in sources():
        return f"{module}.{imported}"
    if (PACKAGE.parent / module.replace(".", "/") / "__init__.py").exists():
        for further, passed_on in imports(sources()[module]):
            if passed_on == imported and further.startswith("mips_jax"):
                return defining_module(further, passed_on)
    return module


@functools.cache
def modules() -> networkx.DiGraph:
    """An edge from each module to each that it imports; a package's `__init__` only passes on."""
    graph = networkx.DiGraph()
    for module, tree in sources().items():
        graph.add_node(module)
        for target, imported in imports(tree):
            if target.split(".")[0] == "mips_jax":
                found = defining_module(target, imported)
                assert found in sources(), f"{module} imports {found}, which is not there"
                graph.add_edge(module, found)
    return graph


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


@functools.cache
def rooms() -> networkx.DiGraph:
    """An edge from each room to each other that it imports."""
    graph = networkx.DiGraph((room(a), room(b)) for a, b in modules().edges if room(a) != room(b))
    graph.add_nodes_from(map(room, modules()))
    return graph


def floor(of: str) -> int:
    return next(number for number, line in enumerate(FLOORS) if of in line)


def assert_only_listed(found: set, listed: set, rule: str) -> None:
    assert not found - listed, f"{rule}: {sorted(map(str, found - listed))}"
    assert not listed - found, f"keeps to the rule now, take it off: {listed - found}"


def test_no_module_is_too_long():
    long = {
        name(path)
        for path in paths()
        if len(path.read_text(encoding="utf-8").splitlines()) > MAX_LINES_OF_A_MODULE
    }
    assert_only_listed(long, TOO_LONG_MODULES, f"more than {MAX_LINES_OF_A_MODULE} lines")


def test_no_function_is_too_long():
    functions = [
        (f"{module}.{node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for module, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = {function for function, lines in functions if lines > MAX_LINES_OF_A_FUNCTION}
    assert_only_listed(long, TOO_LONG_FUNCTIONS, f"more than {MAX_LINES_OF_A_FUNCTION} lines")


def test_no_modules_import_each_other_in_a_circle():
    circles = {
        frozenset(part)
        for part in networkx.strongly_connected_components(modules())
        if len(part) > 1
    }
    assert_only_listed(circles, CIRCLES, "modules that import each other")


def test_rooms_import_downwards_only():
    for of in rooms():
        assert any(of in line for line in FLOORS), f"{of} is a new room: give it a floor in FLOORS"
    upward = {(a, b) for a, b in rooms().edges if floor(a) < floor(b)}
    assert_only_listed(upward, UPWARD, "rooms that import one above them")


def test_there_are_few_floors():
    assert networkx.is_directed_acyclic_graph(rooms()), list(networkx.simple_cycles(rooms()))
    longest = networkx.dag_longest_path(rooms())
    assert len(longest) <= MAX_FLOORS, " -> ".join(longest)


def test_strangers_stay_strangers():
    reached = {
        (of, other)
        for of, others in STRANGERS
        for other in others
        if other in networkx.descendants(rooms(), of)
    }
    assert_only_listed(reached, ACQUAINTED, "rooms that must not know each other")


@pytest.mark.parametrize("module", sorted(m for m in sources() if room(m) == "extraction"))
def test_extraction_imports_no_training_framework(module):
    outside = {target.split(".")[0] for target, _ in imports(sources()[module])}
    assert not outside & NOT_FOR_EXTRACTION

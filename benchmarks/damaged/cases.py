"""The forty networks: which language, which damage; made once, then read from a folder."""

from __future__ import annotations

import dataclasses
import json
import zlib
from pathlib import Path

import numpy as np

from benchmarks.damaged import damages
from benchmarks.damaged.damages import GREATEST, LEAST, Damage, outputs, wrong_words
from benchmarks.damaged.languages import LANGUAGES, Language
from benchmarks.damaged.wrappers import Wrapper
from mips_jax.machines import Mealy
from mips_jax.networks import Network, load_network, save_network

SEED = 5
DRAWS = 20  # after which it is given up
CHECKED = 60_000  # words on which a damage is judged
FARTHEST = 0.09  # mean distance of a network's raw outputs from integers
MOST_WRONG, MOST_RIGHT = 1_000, 4_000  # of these, how many a machine one edit away is run on

DAMAGES: dict[str, tuple[Damage, tuple[str, ...]]] = {
    "noise 0.1%": (damages.noised(0.001), ("latch", "tickets", "two ago", "lift")),
    "noise 1%": (damages.noised(0.01), ("sum mod 5", "session", "two parities", "ends in 1011")),
    "noise 5%": (damages.noised(0.05), ("shuffled", "panel", "sum mod 5", "no three alike")),
    "bad transition": (damages.astray, ("tickets", "two ago", "panel")),
    "redirected": (damages.redirected, ("sum mod 5", "session", "tickets")),
    "wrong labels": (
        damages.mislabelled,
        ("sum mod 5", "tickets", "shuffled", "session", "panel", "no three alike"),
    ),
    "stopped early": (
        damages.stopped_early,
        ("latch", "sum mod 5", "two ago", "shuffled", "tickets", "session"),
    ),
    "wrong positions": (damages.wrong_at_steps, ("ends in 1011", "adder", "two parities")),
    "wrong beyond": (damages.wrong_beyond, ("tickets", "no three alike")),
    "wrong after letters": (damages.wrong_after_letters, ("lift", "sum mod 5")),
    "position wave": (damages.swaying(0.01, False), ("two ago", "shuffled")),
    "growing wave": (damages.swaying(0.02, True), ("panel",)),
}
UNSEEN = ("wrong beyond",)  # damages that no word of the training length shows


@dataclasses.dataclass(frozen=True)
class Case:
    """One of the networks.

    Attributes:
        number: 1 to 40.
        damage: key of DAMAGES.
        language: which machine is the true one.
    """

    number: int
    damage: str
    language: Language

    @property
    def name(self) -> str:
        return f"{self.language.name}, {self.damage}"

    @property
    def file(self) -> str:
        return self.name.replace(", ", "-").replace(" ", "_").replace("%", "")

    def rng(self, draw: int) -> np.random.Generator:
        return np.random.default_rng([SEED, zlib.crc32(self.name.encode()), draw])


CASES = tuple(
    Case(number, damage, LANGUAGES[name])
    for number, (damage, name) in enumerate(
        ((damage, name) for damage, (_, names) in DAMAGES.items() for name in names), 1
    )
)


def undamaged(language: Language, cache: Path) -> Network:
    """The network that was taught well, from the folder where it lies there."""
    path = cache / f"{language.name.replace(' ', '_')}.npz"
    if not path.exists():
        save_network(path, damages.taught(language, SEED))
    return load_network(path)


def made(case: Case, cache: Path) -> Network:
    """The damaged network: the first draw that is admissible.

    Raises:
        RuntimeError: none of the draws is.
    """
    core = undamaged(case.language, cache)
    damage, (record, path) = DAMAGES[case.damage][0], paths(case, cache)
    if path.exists():
        return load_network(path)
    if record.exists():
        draw = json.loads(record.read_text())["draw"]
        return damage(case.language, core, case.rng(draw))
    for draw in range(DRAWS):
        network = damage(case.language, core, case.rng(draw))
        if network is not None and admissible(case, network, np.random.default_rng(draw)):
            if not isinstance(network, Wrapper):
                save_network(path, network)
            record.write_text(json.dumps({"draw": draw}))
            return network
    raise RuntimeError(f"{case.name}: none of {DRAWS} draws can be used")


def paths(case: Case, cache: Path) -> tuple[Path, Path]:
    """Which draw it was; the network itself where a file can hold it."""
    return cache / f"{case.file}.json", cache / f"{case.file}.npz"


def admissible(case: Case, network: Network, rng: np.random.Generator) -> bool:
    """Whether it is wrong, but not often, and the true machine explains it better than any that is
    one edit away; and whether numbers that it writes are near integers.
    """
    words = case.language.drawn(rng, CHECKED, case.language.length)
    share = wrong_words(network, case.language, words).mean()
    raw = network.run_raw(case.language.machine.letters[words[:1_000]])[1]
    if network.distance(raw.reshape(-1, raw.shape[2])).mean() > FARTHEST:
        return False
    if case.damage in UNSEEN:
        longer = case.language.drawn(rng, 1_000, 5 * case.language.length)
        return share <= LEAST and wrong_words(network, case.language, longer).mean() > 0.1
    return LEAST <= share <= GREATEST and not better_edit(case.language, network, words)


def better_edit(language: Language, network: Network, words: np.ndarray) -> bool:
    """Whether a machine with one other transition, or one other output, agrees with the network on
    as many words [N, T].
    """
    machine = language.machine
    wrote, wrong = outputs(network, language, words), wrong_words(network, language, words)
    bad, good = np.flatnonzero(wrong), np.flatnonzero(~wrong)
    kept_bad, kept_good = bad[:MOST_WRONG], good[:MOST_RIGHT]
    agree = lambda other, rows: (other.run(words[rows]) == wrote[rows]).all(axis=(1, 2)).mean()
    for other in one_edit_away(machine, language.values):
        won = agree(other, kept_bad) * len(bad)
        if won and won >= (1.0 - agree(other, kept_good)) * len(good):
            return True
    return False


def one_edit_away(machine: Mealy, values: np.ndarray):
    """All machines with one other transition or one other output."""
    for state, letter in np.ndindex(machine.transition.shape):
        for target in range(machine.states):
            if target != machine.transition[state, letter]:
                transition = machine.transition.copy()
                transition[state, letter] = target
                yield dataclasses.replace(machine, transition=transition)
        for value in values:
            if value != machine.output[state, letter, 0]:
                output = machine.output.copy()
                output[state, letter, 0] = value
                yield dataclasses.replace(machine, output=output)

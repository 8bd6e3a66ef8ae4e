"""The part of the ledger that is about finite machines; see `mips_jax.extraction.tuning`."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class AutomatonTuning:
    """The search for a finite machine.

    Attributes:
        letters: largest alphabet; every state is tried with every letter.
        states: most states.
        probes: most probe words; each tells apart states that the others merge.
        first_probes: letters that are probe words from the start.
        fresh_words: random words on which the machine must agree with the network.
        replayed: wrong words that are searched for a separating suffix.
        longer: factors by which words grow while the machine is not closed, where nobody said how
            long they are.
        of_longer: share of the work for machines that these words are worth.
        cells: states times letters of the largest machine that is proposed as a program.
        cells_of_front: the same for the trade-off between size and faithfulness.
        shorter: shares of the words' length at which a machine is sought where none is closed at
            the whole: networks err more on longer words.
        nearly: share of the words of the whole length on which such a machine must agree.
        costly: steps of a network that costs more than so many of the paper's are asked of its
            machine instead, where one is known.
        stand_in: states of the largest machine that takes the network's place for registers.
    """

    letters: int = 400
    states: int = 3000
    probes: int = 400
    first_probes: int = 40
    fresh_words: int = 2000
    replayed: int = 30
    longer: tuple[int, ...] = (2, 4)
    of_longer: float = 0.3
    cells: int = 4000
    cells_of_front: int = 20_000
    shorter: tuple[float, ...] = (0.7, 0.5, 0.35)
    nearly: float = 0.9
    costly: float = 4.0
    stand_in: int = 200


@dataclasses.dataclass(frozen=True)
class TolerantTuning:
    """The search for a machine that a network nearly is.

    Attributes:
        letters: largest alphabet.
        tolerances: shares of probe words on which hidden states of one class may differ.
        states: most classes; what is met beyond goes to the nearest.
        members: hidden states of a class that vote.
        frontier: hidden states times letters that are read on from at once.
        single_probes: letters that are probe words.
        random_probes: random probe words, of two letters and more.
        longest_probe: letters of the longest random one.
        rounds: how often separating words join the probes.
        replayed: wrong words that are searched for them in a round.
        fresh_words: words on which agreement is measured.
        lengths: shares of the words' length at which one machine must be met twice.
        holds: share of words of the shorter ones on which the most faithful machine must agree.
        exact_growth: a machine that is exact at the whole length, and at most so many times as
            large, speaks for a network that counts.
        entry_price: bits of an entry of the table, for each bit of the number of states: more than
            one, since a state too many explains errors one by one.
        error_price: bits of being wrong on every word.
        worth: share of words on which a machine must agree for registers to be sought for it.
        starts: initial values that are tried for one register.
    """

    letters: int = 400
    tolerances: tuple[float, ...] = (0.0, 0.05, 0.15)
    states: int = 300
    members: int = 6
    frontier: int = 4_000
    single_probes: int = 30
    random_probes: int = 24
    longest_probe: int = 5
    rounds: int = 6
    replayed: int = 12
    fresh_words: int = 1_000
    lengths: tuple[float, ...] = (0.35, 0.5, 0.7, 1.0)
    holds: float = 0.9
    exact_growth: float = 2.5
    entry_price: float = 5.0
    error_price: float = 20_000.0
    worth: float = 0.5
    starts: int = 20


@dataclasses.dataclass(frozen=True)
class KindTuning:
    """The search for letters that are the same to a network.

    Attributes:
        fewest_letters: of an alphabet that is looked at: few letters are all met often.
        most_letters: the same.
        most_of_all: kinds are used where they are at most this share of the letters.
        rounds: words are drawn by the kinds found so far at most so often.
        words, length: of the words whose hidden states are looked at; the length where nobody says
            how long the network's were.
        states: hidden states from which letters are compared.
        longest_probe: letters that follow.
        tolerance: share of hidden states after which two letters of one kind may differ.
        probing: numbers of probe words.
    """

    fewest_letters: int = 8
    most_letters: int = 200
    most_of_all: float = 0.5
    rounds: int = 4
    words: int = 100
    length: int = 10
    states: int = 80
    longest_probe: int = 4
    tolerance: float = 0.02
    probing: TolerantTuning = TolerantTuning(single_probes=12, random_probes=12)


@dataclasses.dataclass(frozen=True)
class ClusterTuning:
    """Machines by clusters of hidden states.

    Attributes:
        letters: largest alphabet.
        clusters: numbers of clusters that are tried.
        hidden: hidden states that are put in clusters.
        probes: probe words after which raw outputs are looked at; the longest has `longest_probe`
            letters.
        dimensions: of the points that are put in clusters.
        fresh_words: words on which agreement is measured.
        enough: share of words on which a program must be right for clusters to be of no use.
    """

    letters: int = 400
    clusters: tuple[int, ...] = (8, 30, 120, 480)
    hidden: int = 14_000
    probes: int = 16
    longest_probe: int = 4
    dimensions: int = 12
    fresh_words: int = 1_000
    enough: float = 0.95


AUTOMATON, TOLERANT, KINDS = AutomatonTuning(), TolerantTuning(), KindTuning()
CLUSTERS = ClusterTuning()

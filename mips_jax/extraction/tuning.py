"""The ledger: every number that decides what extraction finds, with its unit and its reason.

`benchmarks/sensitivity.py` halves and doubles each of them on tasks that none was chosen for, and
says which of them matter.
"""

from __future__ import annotations

import dataclasses

from mips_jax.extraction.machine_tuning import (
    AUTOMATON,
    CLUSTERS,
    KINDS,
    TOLERANT,
    AutomatonTuning,
    ClusterTuning,
    KindTuning,
    TolerantTuning,
)


@dataclasses.dataclass(frozen=True)
class WordsTuning:
    """Words that are put to the network.

    Attributes:
        fresh: words on which every program is judged; more: rarer errors are seen.
        letters: values of a wide input in the narrow words; so few that (state, letter) recurs.
        learnt: words on which a program was wrong that join those that the next must fit.
        learnable: share of fresh words on which a program must be right for its errors to teach.
        default_length: steps, where nobody said how long the network's words were.
        work: steps of the paper's networks, by the number of weights, that reading on from every
            step of the words may cost; a network for which it costs more is asked about fewer.
        fewest: words however much a step costs.
    """

    fresh: int = 2000
    letters: int = 6
    learnt: int = 60
    learnable: float = 0.5
    default_length: int = 10
    work: float = 3e8
    fewest: int = 100


@dataclasses.dataclass(frozen=True)
class FeatureTuning:
    """Candidates for registers.

    Attributes:
        window: steps that a window of past inputs reaches back.
        phases: periods of clocks.
        largest_modulus: of sums of an input.
        counted_values: most values of an input whose occurrences are counted one by one.
        digit_values: most values of an input that is read as digits.
        digit_bits: log2 of the largest number that digits may make; within 64 bits, exactly.
        follow_steps: steps after a probe letter whose outputs are features of their own.
        alphabet: most letters over which the outputs that follow are summed.
        ranks: most states that are put in order by the outputs that follow.
        rank_bits: log2 of the largest code of outputs that follow.
        waited_values: most values of the output for whose first coming steps are counted.
        fewer: a change of the output is a feature if it has at most this share of the output's
            values.
        held: a feature that the hidden state holds less well is not used; 0: not at all, 1: it is
            determined.
        held_sample: hidden states compared with each other to measure that.
    """

    window: int = 7
    phases: tuple[int, ...] = (2, 3, 4, 5)
    largest_modulus: int = 16
    counted_values: int = 8
    digit_values: int = 16
    digit_bits: int = 40
    follow_steps: int = 3
    alphabet: int = 40
    ranks: int = 64
    rank_bits: int = 50
    waited_values: int = 4
    fewer: float = 0.7
    held: float = 0.3
    held_sample: int = 1500


@dataclasses.dataclass(frozen=True)
class RegisterSettings:
    """Closed sets of features, and their rank.

    Attributes:
        largest_set: most registers in a program.
        needed: features beyond `largest_set` that a set may hold because others read them.
        beam: sets kept at each size.
        tolerance: share of rows that may contradict a set (a network may err on inputs it rarely
            saw).
        sets: closed sets that are regressed at most.
        memorised: share of all distinct histories; a set that tells more of them apart explains
            nothing.
        size_penalty: conflicts (share) that one feature more must save, in the beam.
        row_penalty: conflicts (share) that telling all rows apart must save, in the beam.
        conflict_bits: rank of a set that contradicts all rows; so 1% is worth 50 bits.
        row_bits: rank of a doubling of distinct rows.
        feature_bits: rank of one register.
        value_bits: rank of a doubling of the values of a register whose update is not known.
    """

    largest_set: int = 5
    needed: int = 2
    beam: int = 10
    tolerance: float = 0.0
    sets: int = 14
    memorised: float = 0.6
    size_penalty: float = 0.02
    row_penalty: float = 0.3
    conflict_bits: float = 5000.0
    row_bits: float = 8.0
    feature_bits: float = 6.0
    value_bits: float = 4.0


@dataclasses.dataclass(frozen=True)
class ProgramTuning:
    """From expressions to a program.

    Attributes:
        alternatives: expressions kept for each update and output; those that share most are taken.
        late_bits: an output of more bits is also sought from the registers after the step.
        small_span: a range of at most this many values gives all of them as constants.
        small_input: the same for inputs.
        largest_constant: larger numbers are no constants.
        starts: values tried for each of two free registers.
        rounds: passes of coordinate descent over more than two.
        wrong_start: share of first letters on which the first step may be wrong.
        many_variables: columns beyond which the bank is smaller, since each level is larger.
        small_bank: expressions in that smaller bank.
    """

    alternatives: int = 8
    late_bits: float = 16.0
    small_span: int = 8
    small_input: int = 10
    largest_constant: int = 2000
    starts: int = 12
    rounds: int = 3
    wrong_start: float = 0.02
    many_variables: int = 4
    small_bank: int = 30_000


@dataclasses.dataclass(frozen=True)
class EnumerationSettings:
    """Expressions enumerated by size, and what is searched among them.

    Attributes:
        largest_size: nodes of the largest expression that is kept in the bank.
        bank: most expressions kept.
        plain_bits: an expression that costs less is not worth a search for conditionals.
        extremes: expressions that are paired by min and max.
        bounded: of these, most that bound the target.
        conditions: most conditions tried.
        condition_pool: expressions among which conditions are looked for.
        branches: expressions that may stand in a branch of a conditional.
        conditionals: conditionals kept.
        list_pool: expressions that may stand in a decision list.
        list_length: most tests in a decision list.
        list_cover: share of what is left that the next test must cover.
        per_search: solutions handed on from each search.
        sums: sums and differences kept.
        remainders: remainders and quotients kept for each constant.
        pairs: minima and maxima kept.
        branch_choices: right expressions compared for each branch.
    """

    largest_size: int = 7
    bank: int = 40_000
    plain_bits: float = 36.0
    extremes: int = 12_000
    bounded: int = 3_000
    conditions: int = 1_500
    condition_pool: int = 20_000
    branches: int = 10_000
    conditionals: int = 200
    list_pool: int = 6_000
    list_length: int = 6
    list_cover: float = 0.02
    per_search: int = 6
    sums: int = 20
    remainders: int = 8
    pairs: int = 5
    branch_choices: int = 6


@dataclasses.dataclass(frozen=True)
class RegressionSettings:
    """The regression of one table.

    Attributes:
        rows: rows sampled for enumeration.
        rounds: how often failing rows join the sample.
        failures: failing rows that join it.
        tolerance: share of rows that an expression may miss, when none is exact (a network errs
            here and there).
        draws: small samples tried for that.
        smallest_draw: rows of the smallest of them.
        enough_bits: a closed form of fewer bits ends the search.
        long_bits: an expression of more bits is sought in other ways as well.
        members: values listed in `v in (...)`.
        member_values: values of a variable for which that is tried.
        largest_modulus: of an affine map.
        apart_modulus: the same with one variable apart.
        most_variables: of affine maps under a modulus, and of truth tables.
        apart_kept: expressions of the rest that are kept with one variable apart.
        enumeration: limits of the enumerator.
    """

    rows: int = 120
    rounds: int = 4
    failures: int = 40
    tolerance: float = 0.0
    draws: int = 3
    smallest_draw: int = 12
    enough_bits: float = 24.0
    long_bits: float = 60.0
    members: int = 8
    member_values: int = 64
    largest_modulus: int = 10_000
    apart_modulus: int = 1_000
    most_variables: int = 12
    apart_kept: int = 2
    enumeration: EnumerationSettings = EnumerationSettings()


@dataclasses.dataclass(frozen=True)
class JointSettings:
    """Enumerated updates.

    Attributes:
        bank: updates tried.
        size: nodes of the largest.
        words: words on which every update is run.
        kept: features returned at most.
        starts: values of s before the first input.
        bound: largest value of s, and smallest but for the sign.
        smallest_bound: an alphabet that leaves less room for s is not searched.
        cells: values of s times letters.
        last_outputs: most values of the output for (s, last output, x) to be tried.
        bit_price: rank of a bit of an update, against features whose updates are not known yet.
    """

    bank: int = 30_000
    size: int = 7
    words: int = 80
    kept: int = 16
    starts: tuple[int, ...] = (0, 1, -1)
    bound: int = 24
    smallest_bound: int = 3
    cells: int = 420
    last_outputs: int = 12
    bit_price: float = 0.3


@dataclasses.dataclass(frozen=True)
class ChoiceTuning:
    """Which program is good enough, and which wins.

    Attributes:
        short_bits: an exact program of fewer bits ends the search for registers.
        middling_bits: an exact program of fewer bits ends it before the next, dearer features.
        exact: exact programs of one kind of features that end it.
        second_effort: share of the work for registers where an exact table is known, for the joint
            search where any exact program is.
        depths: letters in the longest probe word of each round; half the words' length, at least 4,
            is the last.
        all_depths: work of all rounds together, in budgets of one.
        direction: share of a register's variance that an affine map of the hidden state must
            explain to be called a direction.
        curve: the same for nearest neighbours, to be called a curve.
        fitted: hidden states used for the affine fit.
        compared: words on which all candidates are compared where none is exact.
    """

    short_bits: float = 60.0
    middling_bits: float = 85.0
    exact: int = 2
    second_effort: float = 0.5
    depths: tuple[int, ...] = (1, 3)
    all_depths: float = 3.0
    direction: float = 0.99
    curve: float = 0.9
    fitted: int = 6000
    compared: int = 6000


@dataclasses.dataclass(frozen=True)
class PlainTuning:
    """Programs written once more for a reader.

    Attributes:
        rewritten: exact programs that are written plainly, the easiest to read first.
        easy: a program without riddles that costs a reader fewer bits is left as it is.
        long: the same for taking apart a machine that is not small.
        small: states times letters of a small machine.
        enough: programs of a machine's parts that are easier to read than what was known.
        large: states; smaller machines have shorter programs than those of cells.
        settles: a program of cells that costs a reader fewer bits needs no other search.
        words: of each kind, on which the rows of a step are collected.
    """

    rewritten: int = 3
    easy: float = 48.0
    long: float = 60.0
    small: int = 16
    enough: int = 2
    large: int = 8
    settles: float = 120.0
    words: int = 400


@dataclasses.dataclass(frozen=True)
class WorkLimits:
    """Work of each stage, far more than nearly all networks need; the unit is the stage's own.

    Attributes:
        automaton: steps of one hidden state, some 0.3 microseconds each.
        tolerant: the same, for the machine that a network nearly is.
        closed_sets: rows compared for one column, some 5 nanoseconds each.
        regression: values computed for all sets of one kind of features, some 10 nanoseconds each.
        target: the same for one target.
        joint: values computed, some 20 nanoseconds each.
        brute_force: the same for the published method's regression.
    """

    automaton: float = 2e7
    tolerant: float = 1e7
    closed_sets: float = 1e9
    regression: float = 1.5e9
    target: float = 6e8
    joint: float = 5e8
    brute_force: float = 4e9


@dataclasses.dataclass(frozen=True)
class Tuning:
    """All of them."""

    words: WordsTuning = WordsTuning()
    automaton: AutomatonTuning = AUTOMATON
    tolerant: TolerantTuning = TOLERANT
    kinds: KindTuning = KINDS
    clusters: ClusterTuning = CLUSTERS
    features: FeatureTuning = FeatureTuning()
    registers: RegisterSettings = RegisterSettings()
    program: ProgramTuning = ProgramTuning()
    regression: RegressionSettings = RegressionSettings()
    joint: JointSettings = JointSettings()
    choice: ChoiceTuning = ChoiceTuning()
    plain: PlainTuning = PlainTuning()
    work: WorkLimits = WorkLimits()


TUNING = Tuning()

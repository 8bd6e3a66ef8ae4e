"""The page for people says what result.json says, and no more."""

import pytest

from mips_jax.figures import percent
from mips_jax.reporting import summary

RESULT = {
    "task": "Sum_All",
    "solved": True,
    "method": "linear",
    "fidelity": 1.0,
    "accuracy": {"test": 1.0, "long": None},
    "verification": {"summary": "tested on 10,000 sequences", "test_sequences": 10_000},
    "network": {"hidden_dim": 1, "seed": 3},
    "seconds": {"train": 2.0, "total": 3.5},
    "reason": None,
}


@pytest.mark.parametrize(
    "fraction, shown", [(1.0, "100%"), (0.999999, "99.99%"), (0.29, "29%"), (0.0, "0%")]
)
def test_percentages_never_round_up_to_everything(fraction, shown):
    assert percent(fraction) == shown


def test_the_headline_gives_the_figures_and_leaves_out_what_is_not_known():
    line = summary.headline(RESULT)
    assert line == "Sum_All: solved. Tested on 10,000 sequences."
    assert summary.headline(RESULT | {"verification": None}) == "Sum_All: solved."


def test_the_headline_of_a_failure_gives_its_reason():
    line = summary.headline(RESULT | {"solved": False, "reason": "no network became perfect"})
    assert line == "Sum_All: not solved. Tested on 10,000 sequences. No network became perfect."


def test_the_page_holds_program_candidates_registers_and_networks():
    page = summary.render_summary(
        RESULT,
        "def program(inputs):\n    return inputs\n",
        candidates=[summary.CandidateRow("linear", 12.0, 1.0, "a | b", chosen=True)],
        outcomes=[("automaton", "not_closed")],
        registers=[summary.RegisterRow("total", 0, "h1 = 2 total")],
        members=[
            summary.MemberRow("H=1", seed, "perfect", 500, 1.0, chosen=seed == 20)
            for seed in range(30)
        ],
        figures={"training": "training.png"},
    )
    assert "def program(inputs):" in page and "| `total` | `0` | h1 = 2 total |" in page
    assert (
        "| linear | 12 | 100% | a \\| b | taken |" in page
        and "automaton: not_closed" in page
        and "and 18 more." in page
        and "![training](training.png)" in page
    )
    assert page.index("| H=1 | 20 |") < page.index("| H=1 | 0 |"), (
        "the distilled network comes first"
    )


def test_a_page_without_a_program_says_so():
    assert "None was found." in summary.render_summary(RESULT | {"solved": False}, None)

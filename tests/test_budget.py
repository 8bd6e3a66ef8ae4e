"""Work that is counted, and the clock that only guards."""

import pytest

from mips_jax import budget
from mips_jax.budget import Budget, Guard, Share


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    hand = Clock()
    monkeypatch.setattr(budget, "time", hand)
    return hand


def test_a_share_is_out_once_more_than_its_limit_is_spent():
    share = Share(10)
    share.spend(10)
    assert not share.out
    share.spend(1)
    assert share.out and share.exhausted and not share.guard.struck


def test_what_a_part_spends_counts_for_the_whole():
    share = Share(10)
    part = share.part(4)
    part.spend(5)
    assert part.out and not share.out and share.spent == 5
    rest = share.part(100)
    assert rest.limit == 5, "no more than what is left"
    rest.spend(6)
    assert rest.out and share.out


def test_the_guard_strikes_once_and_remembers(clock):
    share = Share(guard=Guard(3.0))
    share.spend(1e30)
    assert not share.out
    clock.now = 4.0
    assert not share.guard.struck, "nobody has asked yet"
    assert share.out and share.guard.struck and not share.exhausted
    clock.now = 0.0
    assert share.out, "a guard that struck stays struck"


def test_shares_have_names_and_grow_with_the_effort():
    shares = Budget({"search": 10.0}, 2.0, Guard())
    assert shares.share("search").limit == 20.0 and shares.share("search", 0.5).limit == 10.0
    with pytest.raises(KeyError, match="nothing"):
        shares.share("nothing")

"""The contract of PENALTIES, and a toy registered from here."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mips_jax.models import Architecture, build_model
from mips_jax.training import PressureSettings
from mips_jax.training.member.penalties import PENALTIES, Penalty, Visit, penalised

TOY = Penalty(lambda visit: jnp.sum(visit.parameters**2))


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(PENALTIES, "toy", TOY)


def visit() -> Visit:
    model = build_model(Architecture(2, 5, 2, 4, 2), 1, 1, jax.random.key(0))
    hiddens = jax.random.normal(jax.random.key(1), (4, 2, 8))
    inputs = jax.random.normal(jax.random.key(2), (4, 1, 8))
    return Visit(0.3 * jnp.ones(7), model, hiddens, inputs, jax.random.key(3), jnp.float32(0.125))


@pytest.mark.parametrize("name", [*PENALTIES, "toy"])
def test_every_penalty_is_a_positive_scalar_in_proportion_to_its_weight(name, registered):
    raised = lambda weight: float(penalised(jnp.float32(0), {name: jnp.float32(weight)}, visit()))
    assert raised(1.0) > 0.0 and raised(0.0) == 0.0
    np.testing.assert_allclose(raised(2.0), 2.0 * raised(1.0), rtol=1e-5)


def test_every_penalty_has_its_setting():
    assert set(PENALTIES) <= set(vars(PressureSettings()))


def test_what_has_no_weight_is_not_computed(monkeypatch):
    monkeypatch.setitem(PENALTIES, "never", Penalty(lambda visit: 1 / 0))
    assert float(penalised(jnp.float32(2.0), {}, visit())) == 2.0

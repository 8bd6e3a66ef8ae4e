"""Packing, masks and units."""

import numpy as np

from mips_jax.sequences import Sequences
from mips_jax.training.packing import blocks, pack, scaling_of


def example(count=10) -> Sequences:
    rng = np.random.default_rng(0)
    mask = np.ones((count, 4), bool)
    mask[0, 2:] = False
    return Sequences(rng.integers(0, 100, (count, 4, 2)), rng.integers(0, 2, (count, 4, 1)), mask)


def test_pack_keeps_values_and_puts_the_batch_last():
    data = example()
    packed = pack(data)
    assert packed.shape == (4, 4, 10) and packed.dtype == np.float32
    np.testing.assert_array_equal(packed[:, :2], data.inputs.transpose(1, 2, 0))
    np.testing.assert_array_equal(packed[:, 2], data.outputs[..., 0].T)
    np.testing.assert_array_equal(packed[:, 3], data.mask.T)


def test_shuffling_keeps_rows_together_and_small_sets_are_repeated():
    packed = pack(example(), seed=1, at_least=25)
    assert packed.shape[-1] == 25
    rows = {tuple(row.ravel()) for row in packed.transpose(2, 0, 1)}
    assert rows == {tuple(row.ravel()) for row in pack(example()).transpose(2, 0, 1)}


def test_blocks_are_filled_up_with_masked_rows():
    parts = blocks(example(), 4)
    assert [part.shape[-1] for part in parts] == [4, 4, 4]
    assert parts[-1][:, -1, 2:].sum() == 0


def test_scaling_ignores_masked_steps_and_constant_channels():
    data = example()
    data.inputs[0, 2:] = 10**6
    data.outputs[...] = 7
    scaling = scaling_of(data, keep_zero=False)
    assert (
        scaling.input_scale.max() < 100
        and scaling.output_scale[0] == 1.0
        and scaling.output_shift[0] == 7.0
    )
    assert not scaling_of(data, keep_zero=True).input_shift.any()

"""The generator of the fixture needs PyTorch and transformers, which the tests do not."""

collect_ignore = ["make_gpt2_fixture.py"]

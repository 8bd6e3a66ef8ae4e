"""The generators of the fixtures need PyTorch and others, which the tests do not."""

collect_ignore = ["make_pytorch_fixtures.py", "make_form_fixtures.py"]

"""`python -m mips_jax`: the same as `mips-jax`."""

import sys

from mips_jax.command_line.main import main

if __name__ == "__main__":
    sys.exit(main())

"""`python -m mips_jax`: the same as `mips-jax`."""

import os
import sys

if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()):
    sys.path.append(sys.path.pop(0))  # files of the current folder shadow no installed package

from mips_jax.command_line.main import main

if __name__ == "__main__":
    sys.exit(main())

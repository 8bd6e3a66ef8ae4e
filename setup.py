"""What setup.cfg cannot say: README.md as it is shown on PyPI, where no file lies beside it. Links
into the repository lead to its host, which is `MIPS_JAX_REPOSITORY` or the address of `origin`;
where neither is an https address, their text stays without the link.
"""

import email
import os
import re
import subprocess
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent


def repository() -> str | None:
    """The https address of the repository, where it has one."""
    address = os.environ.get("MIPS_JAX_REPOSITORY", "")
    if not address:
        try:
            asked = ["git", "-C", str(HERE), "remote", "get-url", "origin"]
            address = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return None
    address = re.sub(r"^git@([^:/]+):", r"https://\1/", address.strip()).removesuffix(".git")
    return address if address.startswith("https://") and "@" not in address else None


def description() -> str:
    """README.md with links that work anywhere; of an unpacked sdist, what was computed for it."""
    made = HERE / "PKG-INFO"
    if made.exists():
        return str(email.message_from_string(made.read_text(encoding="utf-8")).get_payload())
    text, address = (HERE / "README.md").read_text(encoding="utf-8"), repository()
    there = rf"[\1]({address}/blob/HEAD/\2)" if address else r"\1"
    return re.sub(r"\[([^\]]*)\]\((?![a-z]+:|#)([^)\s]+)\)", there, text)


setup(long_description=description(), long_description_content_type="text/markdown")

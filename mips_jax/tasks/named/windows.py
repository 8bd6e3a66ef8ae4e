"""The latest few inputs as a state: (x_(t-k), ..., x_(t-1)), zeros before the first step."""


def window(earlier: tuple, current) -> tuple:
    """The inputs kept and the current one, oldest first; `window(...)[1:]` is the next state."""
    return (*earlier, current)

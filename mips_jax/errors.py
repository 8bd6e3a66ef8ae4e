"""The one exception for wrong requests: what was wrong, the value got, what is allowed, which key
to change.
"""


class RequestError(ValueError):
    """A request (configuration, data file or network file) that cannot be carried out.

    All problems of one request are collected and reported together; the command line prints them
    and exits with code 2.

    Args:
        problems: one sentence for each problem.
    """

    def __init__(self, *problems: str):
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def cause(error: Exception) -> str:
    """The first line of what numpy or zipfile says of a damaged file, without numpy's advice to
    allow pickles.
    """
    line = (str(error).splitlines() or [""])[0] or type(error).__name__
    return "it holds Python objects, or is not in numpy's format" if "pickle" in line else line

"""The two exceptions that are answers: a wrong request, and an environment that failed."""


class RequestError(ValueError):
    """A request (configuration, data file or network file) that cannot be carried out.

    All problems of one request are collected and reported together; the command line prints them
    and exits with code 2.

    Args:
        problems: one sentence for each problem: what was wrong, the value got, what is allowed,
            which key to change.
    """

    def __init__(self, *problems: str):
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class EnvironmentFailure(RuntimeError):
    """What the request needs has failed: disk, device, memory; the command line exits with code 3.

    Args:
        what: what failed, and where.
        remedy: what may be done about it.
    """

    def __init__(self, what: str, remedy: str = ""):
        self.what, self.remedy = what, remedy
        super().__init__(f"{what}; {remedy}" if remedy else what)


def cause(error: Exception) -> str:
    """The first line of what numpy or zipfile says of a damaged file, without numpy's advice to
    allow pickles.
    """
    line = (str(error).splitlines() or [""])[0] or type(error).__name__
    return "it holds Python objects, or is not in numpy's format" if "pickle" in line else line

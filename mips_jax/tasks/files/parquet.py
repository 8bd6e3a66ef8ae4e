"""Tables from `.parquet` (and `.feather`, `.arrow`), by pyarrow."""

from __future__ import annotations

import io

from mips_jax.errors import RequestError, cause
from mips_jax.tasks.files.content import Content
from mips_jax.tasks.files.table import Reading, Table


def is_parquet(content: Content) -> bool:
    """By its first bytes or its ending."""
    return content.raw.startswith(b"PAR1") or content.suffix in (".parquet", ".pq")


def is_arrow(content: Content) -> bool:
    """By its first bytes or its ending."""
    return content.raw.startswith(b"ARROW1") or content.suffix in (".feather", ".arrow")


def read_parquet(content: Content, reading: Reading) -> Table:
    """All columns.

    Raises:
        RequestError: pyarrow is not installed, or the file is damaged.
    """
    try:
        import pyarrow.parquet
    except ImportError:
        raise _missing(content) from None
    return _table(content, pyarrow.parquet.read_table)


def read_arrow(content: Content, reading: Reading) -> Table:
    """All columns of an Arrow file (Feather 2); raises like `read_parquet`."""
    try:
        import pyarrow.feather
    except ImportError:
        raise _missing(content) from None
    return _table(content, pyarrow.feather.read_table)


def _missing(content: Content) -> RequestError:
    return RequestError(
        f"{content.name}: reading it needs pyarrow, which is not installed; "
        "pip install 'mips_jax[parquet]', or save it as .csv or .jsonl"
    )


def _table(content: Content, read) -> Table:
    try:
        table = read(io.BytesIO(content.raw))
        columns = {name: table.column(name).to_pylist() for name in table.column_names}
    except Exception as error:  # a damaged file fails in many ways inside pyarrow
        raise RequestError(
            f"{content.name}: not a readable {content.suffix or 'Parquet'} file ({cause(error)}); "
            "write it again"
        ) from error
    return Table(content.name, columns)

"""Unpickles what PyTorch saved without running anything that the pickle asks for.

Only tensors, parameters, ordered dicts and plain values are built; every other class or function
becomes an `Inert`, which keeps the attributes that it is given and does nothing. Tensors are
`Stored`: what they are, not their numbers, which are read when they are asked for.
"""

from __future__ import annotations

import collections
import dataclasses
import io
import math
import pickle
from typing import Any, ClassVar

STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
SCALARS = (str, int, float, bytes, bool, type(None))


@dataclasses.dataclass(frozen=True)
class Stored:
    """A tensor in an archive.

    Attributes:
        dtype: its storage's number format, a value of STORAGES, or None where it is not among them.
        key: name of the storage in the archive.
        numel: elements of the storage.
        offset, size, stride: the tensor's place in it, in elements.
    """

    dtype: str | None
    key: str
    numel: int
    offset: int = 0
    size: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether it lies within its storage."""
        whole = all(isinstance(n, int) and n >= 0 for n in (*self.size, *self.stride, self.offset))
        if not whole or len(self.size) != len(self.stride):
            return False
        if math.prod(self.size) > self.numel:
            return False
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride))
        return 0 in self.size or last < self.numel


class Inert:
    """Whatever a pickle names that is not known here: it takes everything and does nothing.

    Attributes:
        name: what the pickle calls its class.
        state: attributes that the pickle gives it, {} where they are not a dict.
    """

    name = ""

    def __init__(self, *_args, **_kwargs):
        self.state: dict = {}

    def __setstate__(self, state) -> None:
        if isinstance(state, tuple) and len(state) == 2 and isinstance(state[0], dict):
            state = state[0]
        self.state = state if isinstance(state, dict) else {}

    def append(self, _item) -> None: ...

    def extend(self, _items) -> None: ...

    def add(self, _item) -> None: ...

    def update(self, *_items) -> None: ...

    def __setitem__(self, key, value) -> None: ...


def _rebuild_tensor(storage, offset=0, size=(), stride=(), *_rest) -> Any:
    if not isinstance(storage, Stored):
        return Inert()
    tensor = dataclasses.replace(storage, offset=offset, size=tuple(size), stride=tuple(stride))
    if not tensor.fits:
        raise pickle.UnpicklingError("a tensor lies outside its storage")
    return tensor


def _first(value=None, *_rest) -> Any:
    return value


def _ordered_dict(pairs=()) -> collections.OrderedDict:
    return collections.OrderedDict((_as_key(key), value) for key, value in pairs)


def _as_key(key) -> Any:
    """Keys of a pickle's dicts are plain values: to hash a nested one may take for ever."""
    if not isinstance(key, SCALARS):
        raise pickle.UnpicklingError("a dict has keys that are no plain values")
    return key


BUILT = {
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _first,
    ("torch._utils", "_rebuild_parameter_with_state"): _first,
    ("torch._tensor", "_rebuild_from_type_v2"): lambda build, _type, arguments, *_: (
        _rebuild_tensor(*arguments) if build is _rebuild_tensor else Inert()
    ),
    ("collections", "OrderedDict"): _ordered_dict,
}


_InPython: Any = pickle._Unpickler


class RestrictedUnpickler(_InPython):
    """Builds nothing but what this module knows.

    In Python rather than in C: the one in C makes room for as many memorised objects as ten bytes
    may claim.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(_InPython.dispatch)

    def __init__(self, content: bytes):
        super().__init__(io.BytesIO(content))

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in STORAGES:
            return type(name, (Inert,), {"name": name})
        return BUILT.get((module, name)) or type("Inert", (Inert,), {"name": f"{module}.{name}"})

    def persistent_load(self, identity) -> Any:
        if not (isinstance(identity, tuple) and len(identity) >= 5 and identity[0] == "storage"):
            return Inert()
        _, kind, key, _, numel = identity[:5]
        dtype = STORAGES.get(getattr(kind, "name", ""))
        if not isinstance(key, str) or not isinstance(numel, int):
            raise pickle.UnpicklingError("a storage has no name or no size")
        return Stored(dtype, key, numel)

    def load_build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, Inert):
            target.__setstate__(state)

    def load_reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack[-1]
        known = function in BUILT.values() or (
            isinstance(function, type) and issubclass(function, Inert)
        )
        self.stack[-1] = function(*arguments) if known else Inert()

    def load_newobj(self) -> None:
        self.stack.pop()
        self._made_inert()

    def load_newobj_ex(self) -> None:
        del self.stack[-2:]
        self._made_inert()

    def _made_inert(self) -> None:
        kind = self.stack[-1]
        if kind is _ordered_dict:
            self.stack[-1] = collections.OrderedDict()
        else:
            inert = isinstance(kind, type) and issubclass(kind, Inert)
            self.stack[-1] = kind() if inert else Inert()

    def _instantiate(self, klass, args) -> None:  # of the old opcodes INST and OBJ
        known = isinstance(klass, type) and issubclass(klass, Inert)
        self.append(klass() if known else Inert())

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.stack[-1][_as_key(key)] = value

    def load_setitems(self) -> None:
        items = self.pop_mark()
        for key, value in zip(items[::2], items[1::2]):
            self.stack[-1][_as_key(key)] = value

    def load_dict(self) -> None:
        items = self.pop_mark()
        pairs = zip(items[::2], items[1::2])
        self.append({_as_key(key): value for key, value in pairs})

    def load_set(self) -> None:
        self.append(Inert())

    def load_additems(self) -> None:
        self.pop_mark()

    def load_frozenset(self) -> None:
        self.pop_mark()
        self.append(Inert())

    def refuse(self) -> None:
        raise pickle.UnpicklingError("it asks for something that no weights need")

    dispatch |= {
        pickle.BUILD[0]: load_build,
        pickle.REDUCE[0]: load_reduce,
        pickle.NEWOBJ[0]: load_newobj,
        pickle.NEWOBJ_EX[0]: load_newobj_ex,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.DICT[0]: load_dict,
        pickle.EMPTY_SET[0]: load_set,
        pickle.ADDITEMS[0]: load_additems,
        pickle.FROZENSET[0]: load_frozenset,
        pickle.BYTEARRAY8[0]: refuse,  # it would make room for as much as is claimed
        pickle.NEXT_BUFFER[0]: refuse,
        pickle.READONLY_BUFFER[0]: refuse,
        **dict.fromkeys((pickle.EXT1[0], pickle.EXT2[0], pickle.EXT4[0]), refuse),
    }


def unpickled(content: bytes) -> Any:
    """What a data.pkl holds, with `Stored` for its tensors and `Inert` for what is not known."""
    return RestrictedUnpickler(content).load()

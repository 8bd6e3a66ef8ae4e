"""Damaged and malicious files of every kind: one sentence, no other exception, nothing run."""

import collections
import io
import json
import pathlib
import pickle
import struct
import sys
import zipfile

import numpy as np
import orbax.checkpoint as ocp
import pytest

from mips_jax.errors import RequestError
from mips_jax.networks import load_network
from tests.networks.files.test_forms import FORMS, needed

WHOLE = [
    "gru.pt",
    "lightning.ckpt",
    "whole_module.pt",
    "torchscript.pt",
    "stacked.keras",
    "gru_after.h5",
    "gru.onnx",
]


class Bomb:
    """Leaves a trace when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def archive(path: pathlib.Path, pickled: bytes, storages: dict[str, bytes] | None = None):
    """A file as torch.save writes it, with a pickle of our choosing."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("net/data.pkl", pickled)
        for key, content in (storages or {}).items():
            file.writestr(f"net/data/{key}", content)
    return path


def refused(path: pathlib.Path, **options) -> str:
    with pytest.raises(RequestError) as caught:
        load_network(path, **options)
    return str(caught.value)


@pytest.mark.parametrize("name", WHOLE)
def test_fuzzed_bytes(name, tmp_path):
    needed(name)
    whole = (FORMS / name).read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / name
    for trial in range(60):
        content = bytearray(whole)
        for _ in range(rng.integers(1, 6)):
            content[rng.integers(len(content))] = rng.integers(256)
        start, end = sorted(rng.integers(len(content), size=2))
        content = (content, content[:start], content[:start] + content[end:])[trial % 3]
        path.write_bytes(bytes(content))
        try:
            load_network(path)
        except RequestError as error:
            assert error.problems and all(error.problems)


def test_fuzzed_pickles(tmp_path):
    """The pickle alone is damaged, the archive around it is whole."""
    with zipfile.ZipFile(FORMS / "lightning.ckpt") as file:
        members = {name: file.read(name) for name in file.namelist()}
    (name,) = (name for name in members if name.endswith("data.pkl"))
    rng = np.random.default_rng(0)
    for _ in range(300):
        content = bytearray(members[name])
        for _ in range(rng.integers(1, 8)):
            content[rng.integers(len(content))] = rng.integers(256)
        with zipfile.ZipFile(tmp_path / "net.pt", "w") as file:
            for member, data in (members | {name: bytes(content)}).items():
                file.writestr(member, data)
        try:
            load_network(tmp_path / "net.pt")
        except RequestError as error:
            assert error.problems and all(error.problems)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_in_a_pickle_is_never_run(protocol, tmp_path):
    trace = tmp_path / "trace"
    content = {"state_dict": collections.OrderedDict(a=Bomb(trace)), "b": [Bomb(trace)]}
    text = refused(archive(tmp_path / "net.pt", pickle.dumps(content, protocol)))
    assert "there is no state dict in it" in text and not trace.exists()


@pytest.mark.parametrize(
    "pickled",
    [
        b"cos\nsystem\n(S'touch trace'\ntR.",
        b"(S'touch trace'\nios\nsystem\n.",
        b"(cos\nsystem\nS'touch trace'\no.",
        b'cbuiltins\neval\n(S\'open("trace", "w")\'\ntR.',
        b"\x80\x02ccollections\nOrderedDict\n)R}X\x01\x00\x00\x00acos\nsystem\nsb.",
        b"\x80\x05\x82\x01.",
    ],
)
def test_old_opcodes_run_nothing_either(pickled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(archive(tmp_path / "net.pt", pickled))
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    "pickled",
    [
        b"\x80\x04Nr" + struct.pack("<I", 2**32 - 1) + b".",  # a place among memorised objects
        b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",  # a bytearray
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b".",  # bytes
        b"\x80\x04" + b"]" + b"q\x00" + b"(h\x00h\x00t" * 100_000 + b".",
        b"\x80\x04(" * 100_000,
    ],
)
def test_pickles_that_claim_much(pickled, tmp_path):
    refused(archive(tmp_path / "net.pt", pickled))


def test_keys_that_take_for_ever_to_hash(tmp_path):
    nested = b"K\x01" + b"2\x86" * 200  # (x, x) two hundred times over: 2**200 leaves
    refused(archive(tmp_path / "net.pt", b"\x80\x02}" + nested + b"K\x02s."))


def tensor_pickle(size, stride, offset=0, numel=4) -> bytes:
    """{"rnn.weight_ih_l0": a tensor with this view of a storage of `numel` floats}."""

    class Unpickled(pickle.Pickler):
        def persistent_id(self, item):
            return item.identity if isinstance(item, Storage) else None

    class Storage:
        identity = ("storage", Kind, "0", "cpu", numel)

    buffer = io.BytesIO()
    pickler = Unpickled(buffer, 2)
    pickler.dump({"rnn.weight_ih_l0": Rebuilt(Storage(), offset, size, stride)})
    return buffer.getvalue()


class Kind:
    """Stands for torch.FloatStorage."""


class Rebuilt:
    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return (rebuild, (*self.arguments, False, collections.OrderedDict()))


def rebuild(*_):
    """Stands for torch._utils._rebuild_tensor_v2."""


def as_torch(pickled: bytes) -> bytes:
    module = __name__.encode()
    pickled = pickled.replace(b"c" + module + b"\nKind\n", b"ctorch\nFloatStorage\n")
    return pickled.replace(b"c" + module + b"\nrebuild\n", b"ctorch._utils\n_rebuild_tensor_v2\n")


@pytest.mark.parametrize(
    "size, stride, offset, numel, message",
    [
        ((2, 3), (3, 1), 0, 4, "a tensor lies outside its storage"),
        ((2, 2), (2, 1), 1, 4, "a tensor lies outside its storage"),
        ((2, 2), (2, -1), 1, 4, "a tensor lies outside its storage"),
        ((10**6, 10**6), (0, 0), 0, 4, "a tensor lies outside its storage"),
        ((2, 2), (10**12, 1), 0, 4, "a tensor lies outside its storage"),
        ((50, 50), (50, 1), 0, 2500, "shorter than it says"),
        ((10**6, 10**6), (10**6, 1), 0, 10**12, "more memory than network.memory_gib allows"),
    ],
)
def test_tensors_that_lie(size, stride, offset, numel, message, tmp_path):
    pickled = as_torch(tensor_pickle(size, stride, offset, numel))
    path = archive(tmp_path / "net.pt", pickled, {"0": np.arange(4, dtype="<f4").tobytes()})
    assert message in refused(path)


def test_a_tensor_that_does_not_lie(tmp_path):
    """The pickles above are refused for what they say, not for how they are made."""
    pickled = as_torch(tensor_pickle((2, 2), (2, 1)))
    path = archive(tmp_path / "net.pt", pickled, {"0": np.arange(4, dtype="<f4").tobytes()})
    assert "key rnn.weight_hh_l0 is missing" in refused(path)


@pytest.mark.parametrize("name", ["net.pt", "net.keras"])
def test_a_zip_that_unpacks_to_more_than_is_allowed(name, tmp_path):
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as file:
        for member in ("net/data.pkl", "net/data/0", "config.json", "model.weights.h5"):
            file.writestr(member, bytes(2**22))
    assert "above the limit of 0.01 GiB" in refused(tmp_path / name, memory_gib=0.01)


@pytest.mark.parametrize("suffix", [".pt", ".ckpt", ".keras", ".h5", ".onnx", ".msgpack", ".flax"])
@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"weights", bytes(1000), b"\xff" * 1000, b"\x93" * 10_000]
)
def test_what_is_no_network_at_all(suffix, content, tmp_path):
    needed(f"net{suffix}")
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content)
    assert len(refused(path).splitlines()) <= 4  # the conversion has three lines


@pytest.mark.parametrize(
    "suffix, extra", [(".keras", "keras"), (".h5", "keras"), (".onnx", "onnx")]
)
def test_an_extra_that_is_missing_is_named(suffix, extra, tmp_path, monkeypatch):
    for module in ("h5py", "onnx"):
        monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / f"net{suffix}").write_bytes(b"x")
    assert f"pip install 'mips_jax[{extra}]'" in refused(tmp_path / f"net{suffix}")


def test_checkpoint_folders_that_are_damaged(tmp_path):
    (tmp_path / "_METADATA").write_text("{")
    assert "not a readable checkpoint folder" in refused(tmp_path)


def test_a_checkpoint_whose_chunks_are_larger_than_is_allowed(tmp_path):
    path = tmp_path / "checkpoint"
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler(use_ocdbt=False)) as checkpointer:
        checkpointer.save(path, {"a": {"kernel": np.ones((2, 3))}})
    place = path / "a.kernel" / ".zarray"
    for change in ({"chunks": [10**5, 10**5]}, {"shape": [10**6, 10**6]}):
        place.write_text(json.dumps(json.loads(place.read_text()) | change))
        assert "more memory than network.memory_gib allows" in refused(path)


def test_a_keras_file_that_claims_much(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.attrs["model_config"] = '{"class_name": "Sequential", "config": {"layers": []}}'
        weights = file.create_group("model_weights")
        weights.create_dataset("a", (10**6, 10**6), "f4", chunks=(100, 100), compression="gzip")
    assert "more memory than network.memory_gib allows" in refused(tmp_path / "net.h5")

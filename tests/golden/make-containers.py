# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes containers/: small files of every kind that torch.save makes, or made, with the values that
PyTorch finds in them.

Run it with a Python that has torch and numpy (made with 1.13). For each NAME.pth or NAME.pict there is
NAME.expected.safetensors: its tensors under 'GROUP|NAME', in their own types as far as the engine
knows them. What it must say of other things is in __metadata__: 'skipped|GROUP|NAME' to the text.
"""
import collections
import json
import pathlib
import struct
import sys
import types

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "containers"
sys.path.insert(0, str(HERE.parent / "bad-files"))
import craft  # noqa: E402

TYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64",
         torch.int8: "I8", torch.uint8: "U8", torch.int16: "I16", torch.int32: "I32",
         torch.int64: "I64", torch.bool: "BOOL"}
NUMPY = "a numpy array (use torch.from_numpy)"
UNREAD = "a tensor of complex or other numbers that are not read"


def raw(tensor):
    tensor = tensor.detach().contiguous()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    return tensor.numpy().tobytes()


def expect(name, tensors, skipped=None):
    """tensors: (group, name) to tensor."""
    header, data = {}, b""
    if skipped:
        header["__metadata__"] = {"skipped|%s|%s" % k: v for k, v in skipped.items()}
    for (group, key), tensor in tensors.items():
        values = raw(tensor)
        header["%s|%s" % (group, key)] = craft.entry(
            TYPES[tensor.dtype], tensor.shape, (len(data), len(data) + len(values)))
        data += values
    (OUT / (name + ".expected.safetensors")).write_bytes(craft.safetensors(header, data))


def flat(items, group=""):
    """Every tensor that dicts, lists and tuples lead to."""
    found = {}
    pairs = items.items() if isinstance(items, dict) else enumerate(items)
    for key, value in pairs:
        if isinstance(value, torch.Tensor):
            if value.dtype in TYPES:
                found[group, str(key)] = value
        elif isinstance(value, (dict, list, tuple)) and isinstance(key, (str, int)):
            found.update(flat(value, "%s/%s" % (group, key) if group else str(key)))
    return found


def save(name, items, skipped=None, leave_out=(), **options):
    """As zip and as legacy file."""
    tensors = {k: v for k, v in flat(items).items() if k not in leave_out}
    for kind, new in (("zip", True), ("legacy", False)):
        full = "%s-%s" % (name, kind)
        torch.save(items, OUT / (full + ".pth"), _use_new_zipfile_serialization=new, **options)
        expect(full, tensors, skipped)


class HistoryBuffer:
    """What mmengine keeps beside its weights: arrays in an object of a class that we do not have."""

    def __init__(self):
        self._log_history, self._max_length = np.arange(40, dtype=np.float64), 1000000


def network():
    torch.manual_seed(1)
    return torch.nn.Sequential(
        collections.OrderedDict(conv=torch.nn.Conv2d(3, 4, 3), norm=torch.nn.BatchNorm2d(4)))


def plain():
    save("plain", network().state_dict())
    torch.save(network().state_dict(), OUT / "protocol-4.pth", pickle_protocol=4)
    expect("protocol-4", flat(network().state_dict()))
    torch.save(network().state_dict(), OUT / "protocol-3.pth", pickle_protocol=3)
    expect("protocol-3", flat(network().state_dict()))
    torch.save({**network().state_dict(), "array": np.zeros(3)}, OUT / "protocol-5.pth",
               pickle_protocol=5)
    expect("protocol-5", flat(network().state_dict()), {("", "array"): NUMPY})
    for protocol in 3, 4, 5:
        name = "protocol-%d-legacy" % protocol
        torch.save(network().state_dict(), OUT / (name + ".pth"), pickle_protocol=protocol,
                   _use_new_zipfile_serialization=False)
        expect(name, flat(network().state_dict()))


def nested():
    for name in ("mmengine", "mmengine.logging", "mmengine.logging.history_buffer"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules[name].HistoryBuffer, HistoryBuffer.__module__ = HistoryBuffer, name
    g = network()
    adam = torch.optim.Adam(g.parameters())
    g(torch.ones(1, 3, 8, 8)).square().sum().backward()
    adam.step()
    meta = {"epoch": 3, "time": "today", "config": "x = 1\n" * 20, "lr": 2e-4, "none": None,
            "names": ["a", "b"], "set": {1, 2}, "bytes": b"\0\1", "long": 1 << 70, "neg": -(1 << 40),
            "complex": 1 + 2j}
    items = {
        "meta": meta, "state_dict": g.state_dict(), "optimizer": adam.state_dict(),
        "message_hub": {"log_scalars": collections.OrderedDict(loss=HistoryBuffer())},
        "best": np.float64(0.5), "curve": np.arange(4, dtype=np.float32),
        "dtype": torch.float16, "device": torch.device("cpu"), "size": torch.Size([1, 2]),
        "losses": [torch.tensor([1.0, 2.0]), (torch.tensor(3.0), "x")],
        "defaults": collections.defaultdict(list, g=torch.ones(2)),
        "sparse": torch.eye(3).to_sparse(), 7: torch.zeros(1), (1, 2): torch.Size([3]),
        "rng": torch.get_rng_state()[:8].clone(),
    }
    save("nested", items, {
        ("message_hub/log_scalars", "loss"): "mmengine.logging.history_buffer.HistoryBuffer",
        ("", "best"): "a numpy number",
        ("", "curve"): NUMPY,
        ("", "device"): "torch.device",
        ("", "sparse"): "a sparse tensor (use .to_dense())",
        ("meta", "long"): "a large integer",
    }, leave_out=[("", "sparse")])
    # Text of more than 64 KiB, which is how arrays of that size are stored.
    items = {"config": "x = 1\n" * 11000, "weight": torch.ones(2)}
    torch.save(items, OUT / "long-text.pth")
    expect("long-text", flat(items), {("", "config"): "a long string"})


def parameters():
    torch.manual_seed(2)
    save("parameters", {k: torch.nn.Parameter(v) for k, v in network().state_dict().items()
                        if v.is_floating_point()})


def strides():
    torch.manual_seed(3)
    base = torch.randn(4, 6, 5)
    save("strides", {
        "channels_last": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "transposed": base.t() if base.dim() == 2 else base.permute(2, 0, 1),
        "every_other": base[:, ::2, 1::3], "window": base[1:3, 2:4], "row": base[2, 3],
        "element": base[3, 5, 4], "whole": base, "repeated": torch.arange(6.0).as_strided((3, 2), (2, 1)),
        "overlapping": torch.arange(9.0).as_strided((2, 3), (1, 2)),
        "one_wide": torch.randn(3, 1, 2).as_strided((3, 1, 2), (2, 77, 1)),
        "expanded": torch.ones(1).expand(9),
        "empty": torch.zeros(0, 3), "empty_inside": base[:0],
    }, {("", "expanded"): "an expanded tensor (use .clone())"},
        leave_out=[("", "expanded")])


def shared():
    flat_ = torch.arange(24.0)
    a = flat_[:12].view(3, 4)
    save("shared", {"a": a, "b": flat_[12:].view(4, 3).t(), "again": a, "all": flat_,
                    "tied": {"weight": a, "ema": {"weight": a}}})


def element_types():
    special = torch.tensor([0.0, -0.0, 1.0, -1.5, 65504.0, 6e-8, 6.1e-5, 1e-3, 3.14159,
                            float("inf"), float("-inf"), float("nan")])
    items = {str(t).split(".")[1]: special.to(t) for t in (torch.float32, torch.float16,
                                                          torch.bfloat16, torch.float64)}
    items["wide"] = torch.tensor([1e38, 1e-300, 0.1, -1 / 3], dtype=torch.float64)
    items["int8"] = torch.tensor([-128, -1, 0, 127], dtype=torch.int8)
    items["uint8"] = torch.tensor([0, 1, 128, 255], dtype=torch.uint8)
    items["int16"] = torch.tensor([-32768, 7, 32767], dtype=torch.int16)
    items["int32"] = torch.tensor([-(1 << 31), 16777217, (1 << 31) - 1], dtype=torch.int32)
    items["int64"] = torch.tensor([-(1 << 63), (1 << 53) + 1, (1 << 63) - 1])
    items["bool"] = torch.tensor([True, False, True])
    items["scalar"] = torch.tensor(42)
    items["complex"] = torch.zeros(3, dtype=torch.complex64)
    items["quantized"] = torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)
    save("types", items, {
        ("", "complex"): UNREAD,
        ("", "quantized"): "a quantized tensor (use .dequantize())"}, leave_out=[("", "quantized")])


def beside():
    """Tensors that cannot be read must not keep others from being read."""
    items = {"weight": torch.ones(2), (1, 2): torch.ones(1), None: torch.ones(1), 2.5: torch.ones(1),
             "k" * 300: torch.ones(1), "deep": torch.ones((1,) * 10),
             "complex": torch.ones(2, dtype=torch.cfloat)}
    save("beside", items, {("", "deep"): "a tensor of more than 8 dimensions", ("", "complex"): UNREAD},
         leave_out=[k for k in flat(items) if k[1] != "weight"])



def python2():
    """As Python 2 with PyTorch 0.3 wrote it: byte strings, OrderedDict of pairs, no hooks, views."""
    c = craft
    pairs = c.op_list(
        c.op_list(c.op_bytes2("model.0.weight"),
                  c.op_tensor(c.op_storage("94", numel=6), 0, (2, 3), (3, 1), function="")),
        c.op_list(c.op_bytes2("model.0.bias"), c.op_tensor(
            c.op_storage("95", numel=5, view=c.op_tuple(c.op_text("96"), c.op_int(2), c.op_int(3))),
            1, (2,), (1,), function="")))
    body = c.op_global("collections", "OrderedDict") + c.op_tuple(pairs) + b"R"
    (OUT / "python2.pth").write_bytes(
        c.legacy(body, {"95": (5, c.floats(5, 10)), "94": (6, c.floats(6))}))
    expect("python2", {("", "model.0.weight"): torch.arange(6.0).view(2, 3),
                       ("", "model.0.bias"): torch.tensor([13.0, 14.0])})


def newest():
    """As PyTorch 2 writes it: untyped storages, more entries, plain zip records."""
    c = craft

    def tensor(key, n_bytes, size, dtype):
        return c.op_global("torch._utils", "_rebuild_tensor_v3") + c.op_tuple(
            c.op_storage(key, "UntypedStorage", n_bytes, module="torch.storage"), c.op_int(0),
            c.op_tuple(c.op_int(size)), c.op_tuple(c.op_int(1)), b"\x89",
            c.op_global("collections", "OrderedDict") + b")R", c.op_global("torch", dtype)) + b"R"

    body = c.op_ordered(c.op_text("f"), tensor("0", 12, 3, "float32"), c.op_text("h"),
                        tensor("1", 4, 2, "float16"), c.op_text("u"),
                        tensor("2", 4, 2, "uint16"))
    half = struct.pack("<ee", 0.5, -2)
    archive = c.Zip("newest/", flags=0)
    for name, data in (("data.pkl", c.pickle(body)), (".format_version", b"1"),
                       (".storage_alignment", b"64"), ("byteorder", b"little"),
                       ("data/0", c.floats(3)), ("data/1", half), ("data/2", b"1234"),
                       ("version", b"3\n"), (".data/serialization_id", b"0" * 40)):
        archive.add(name, data, local_extra=b"FB\x05\0ZZZZZ")
    tensors = {("", "f"): torch.arange(3.0), ("", "h"): torch.tensor([0.5, -2]).half()}
    skipped = {("", "u"): UNREAD}
    (OUT / "newest.pth").write_bytes(archive.finish(no_64=True))
    expect("newest", tensors, skipped)
    wide = c.Zip("wide/")  # sizes that only the 64-bit fields hold, as for files beyond 4 GiB
    body = c.op_ordered(c.op_text("f"), c.op_tensor())
    wide.add("data.pkl", c.pickle(body))
    wide.add("data/0", c.floats(4), size=0xffffffff, packed=0xffffffff, offset=0xffffffff,
             extra=struct.pack("<HHQQQ", 1, 24, 16, 16, len(wide.body)))
    (OUT / "wide.pth").write_bytes(wide.finish(narrow_offset=0xffffffff, narrow_size=0xffffffff,
                                               narrow_count=0xffff))
    expect("wide", {("", "f"): torch.arange(4.0)})
    (OUT / "no-checksums.pth").write_bytes(c.pth(body, storage_entry={"crc": 0}))
    expect("no-checksums", {("", "f"): torch.arange(4.0)})


def affinelayer():
    rng = np.random.RandomState(4)
    codebook = np.sort(rng.randn(256)).astype("<f4")
    shapes = [("generator/decoder_1/conv2d_transpose/bias", [3]),
              ("generator/decoder_1/conv2d_transpose/kernel", [4, 4, 3, 8]),
              ("generator/encoder_1/conv2d/kernel", [4, 4, 3, 70])]
    codes = [rng.randint(0, 256, shape).astype(np.uint8) for _, shape in shapes]
    names = json.dumps([{"name": n, "shape": s} for n, s in shapes], indent=1).encode()
    (OUT / "affinelayer.pict").write_bytes(
        craft.pict(names, b"".join(c.tobytes() for c in codes), codebook.tobytes()))
    expect("affinelayer", {("", n): torch.from_numpy(codebook[c])
                           for (n, _), c in zip(shapes, codes)})


OUT.mkdir(exist_ok=True)
for old in [*OUT.glob("*.pth"), *OUT.glob("*.pict"), *OUT.glob("*.safetensors")]:
    old.unlink()
for part in (plain, nested, parameters, strides, shared, element_types, beside, python2, newest, affinelayer):
    part()

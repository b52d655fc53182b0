# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the seeds in corpus/: tiny valid files, one for each feature of a format, and those of the
bad files that come furthest. Files that a fuzzer found are called found-* and are left alone."""
import pathlib
import struct
import sys
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bad-files"))
import craft as c  # noqa: E402

CONTAINERS = HERE.parent / "golden" / "containers"
LARGEST = 8192  # bytes of a seed


def seeds(target, files):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if not old.name.startswith("found-"):
            old.unlink()
    for name, data in files.items():
        assert len(data) <= LARGEST, (name, len(data))
        (folder / name).write_bytes(data)


def golden(*endings):
    return {p.name: p.read_bytes() for p in sorted(CONTAINERS.iterdir())
            if p.name.endswith(endings) and p.stat().st_size <= LARGEST}


def pickle_of(path):
    """data.pkl of a zip that torch.save wrote: its first entry."""
    data = path.read_bytes()
    name, extra = struct.unpack("<HH", data[26:30])
    start = 30 + name + extra
    size = None
    at = data.index(b"PK\1\2")
    size, = struct.unpack("<I", data[at + 24:at + 28])
    body = data[start:start + size]
    assert zlib.crc32(body) == struct.unpack("<I", data[at + 16:at + 20])[0]
    return body


tensor = c.entry()
seeds("safetensors", {
    "empty": c.safetensors("{}"),
    "white-space": c.safetensors("\n{ }\t\r "),
    "two": c.safetensors({"a": tensor, "b": c.entry("BF16", [1, 2, 1], (8, 12))}, bytes(12)),
    "unordered": c.safetensors({"b": c.entry("I64", [1], (8, 16)), "a": tensor}, bytes(16)),
    "zero": c.safetensors({"a": c.entry("BOOL", [2, 0], (0, 0)), "b": c.entry("U8", [], (0, 1))},
                          bytes(1)),
    "metadata": c.safetensors({"__metadata__": {"k": "v\n\u00e9", "l": ""}, "a": tensor}, bytes(8)),
    "escapes": c.safetensors('{"\\ud83d\\ude00\\u00e9\\"\\/":{"dtype":"F32","shape":[2],'
                             '"data_offsets":[0,8]}}', bytes(8)),
    **golden("types-zip.expected.safetensors", "shared-zip.expected.safetensors"),
})
seeds("pict", {
    "empty": c.pict([], b""),
    "two": c.pict([{"name": "a", "shape": [2, 2]}, {"name": "b", "shape": []}], bytes(range(5))),
})
seeds("pth", {
    "zip": c.pth(c.op_dict(c.op_text("a"), c.op_tensor())),
    "zip-strided": c.pth(c.op_ordered(c.op_text("a"), c.op_tensor(size=(2, 2), stride=(1, 2)))),
    "zip-opaque": c.pth(c.op_dict(c.op_text("s"), c.op_dict(
        c.op_text("a"), c.op_global("m", "C") + b")\x81}b")), {}),
    "zip-32": c.Zip(flags=0).add("data.pkl", c.pickle(b"}")).finish(no_64=True),
    "zip-cut": c.pth(c.op_dict(c.op_text("a"), c.op_tensor()))[:-30],
    "legacy": c.legacy(c.op_dict(c.op_text("a"), c.op_tensor())),
    "legacy-view": c.legacy(c.op_dict(c.op_text("a"), c.op_tensor(
        c.op_storage(view=c.op_tuple(c.op_text("v"), c.op_int(1), c.op_int(3))), 0, (3,), (1,)))),
    **golden("plain-legacy.pth", "newest.pth", "wide.pth", "python2.pth", "plain-zip.pth",
             "types-legacy.pth", "strides-zip.pth", "no-checksums.pth", "protocol-5-legacy.pth"),
})
seeds("pickle", {
    "tensor": c.pickle(c.op_tensor()),
    "tensor-v1": c.pickle(c.op_tensor(function="")),
    "strided": c.pickle(c.op_dict(c.op_text("a"), c.op_tensor(size=(2, 2), stride=(1, 2)))),
    "negated": c.pickle(c.op_tensor(metadata=c.op_dict(c.op_text("neg"), b"\x89"))),
    "set": c.pickle(b"\x8f(K\x01K\x02\x90"),
    "frozen-set": c.pickle(b"(K\x01K\x02\x91", 4),
    "memo": c.pickle(b"]q\x00(h\x00h\x00e"),
    "objects": c.pickle(c.op_global("m", "C") + b")\x81}b)R(NNu(Ne"),
    "object-with-keywords": c.pickle(c.op_global("m", "C") + b")}\x92", 4),
    "stack-global": c.pickle(b"\x8c\x05torch\x94\x8c\x07float32\x94\x93\x94", 4),
    "python2": c.pickle(c.op_global("collections", "OrderedDict") +
                        c.op_tuple(c.op_list(c.op_list(c.op_bytes2("k"), b"N"))) + b"R"),
    "numbers": c.pickle(b"(NJ\xff\xff\xff\xffM\x01\x02\x8a\x02\x01\x02G\x3f\xf0\0\0\0\0\0\0\x88\x89t"),
    **{p.stem: pickle_of(p) for p in sorted(CONTAINERS.glob("*.pth"))
       if p.name.startswith(("types-zip", "nested-zip", "strides-zip", "protocol-"))
       and not p.stem.endswith("-legacy")},
})

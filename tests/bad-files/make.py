# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the files of this folder's files/ and the table expected.txt.

Each line of the table: file, code of the error, text that its message must contain. Run it with any
Python 3; the result is a function of this file.
"""
import pathlib
import struct
import zlib

from craft import (Zip, entry, floats, legacy, op_dict, op_global, op_int, op_list, op_ordered,
                   op_storage, op_tensor, op_text, op_tuple, pickle, pict, pth, safetensors)

HERE = pathlib.Path(__file__).resolve().parent
BAD, UNSUPPORTED = "BAD_CHECKPOINT", "UNSUPPORTED"
table = []
SAVED = "torchscript.pth"  # the only file that another program wrote


def bad(name, data, text, code=BAD):
    (HERE / "files" / name).write_bytes(data)
    table.append("%s\t%s\t%s" % (name, code, text))


# ---- what a file is ----

def strangers():
    bad("empty.pth", b"", "is empty")
    bad("five-bytes.safetensors", b"12345", "is no file of weights")
    bad("noise.pth", bytes((i * 73 + 7) % 251 for i in range(600)), "is no file of weights")
    bad("tar.pth", b"storages".ljust(257, b"\0") + b"ustar  \0".ljust(255, b"\0") + bytes(512),
        "torch.save(torch.load('old.pth'), 'new.pth')", UNSUPPORTED)
    bad("preview.pth", b"PYTORCH1" + bytes(64), "PyTorch 1.0 or newer", UNSUPPORTED)
    bad("torch7.t7", struct.pack("<ii", 4, 1) + bytes(64), "Torch7", UNSUPPORTED)
    bad("keras.h5", b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5", UNSUPPORTED)
    bad("gzip.pth", b"\x1f\x8b\x08" + bytes(64), "gzip", UNSUPPORTED)
    bad("page.pth", b"<!DOCTYPE html><html>", "web page", UNSUPPORTED)
    bad("lfs.pth", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull", UNSUPPORTED)
    bad("picture.pth", b"\x89PNG\r\n\x1a\n" + bytes(64), "picture", UNSUPPORTED)
    bad("gguf.safetensors", b"GGUF" + bytes(64), "GGUF", UNSUPPORTED)
    bad("plain-pickle.pth", pickle(op_dict()), "torch.save(model.state_dict(), file)", UNSUPPORTED)
    bad("pickle5.pth", pickle(op_dict(), protocol=5), "that torch.save did not write", UNSUPPORTED)
    bad("legacy-protocol-1.pth", b"L119547037146038801333356L\n.M\xe9\x03.}q\x00(",
        "save it again with pickle_protocol=2", UNSUPPORTED)
    bad("other-magic.pth", pickle(op_int(0x1950a86a20f9469cfc6d)), "magic number", UNSUPPORTED)


# ---- safetensors ----

def safetensors_sizes():
    good = entry()
    bad("st-header-too-large.safetensors", safetensors("{}", length=100000001),
        "a safetensors header of 100000001 bytes; at most 100000000")
    bad("st-header-huge.safetensors", safetensors("{}", length=1 << 63), "at most 100000000")
    bad("st-header-beyond-end.safetensors", safetensors("{}", length=3), "is cut off")
    bad("st-header-cut.safetensors", safetensors({"a": good})[:30], "is cut off")
    bad("st-not-utf8-start.safetensors", safetensors(b"\xff"), "is no file of weights")
    bad("st-not-utf8.safetensors", safetensors(b'{"\xff":1}'), "is not UTF-8")
    bad("st-nul.safetensors", safetensors(b'{"a\0":1}'), "is not UTF-8")
    bad("st-missing-bytes.safetensors", safetensors({"a": good}, bytes(7)),
        "need 8 bytes of data, the file has 7")
    bad("st-extra-bytes.safetensors", safetensors({"a": good}, bytes(9)),
        "need 8 bytes of data, the file has 9")
    bad("st-wrong-length.safetensors", safetensors({"a": entry(offsets=(0, 4))}, bytes(4)),
        "needs 8 bytes, its offsets are 0 and 4")
    bad("st-shape-overflow.safetensors",
        safetensors({"a": entry(shape=[1 << 47, 1 << 47])}, bytes(8)), "is too large")
    bad("st-size-overflow.safetensors",
        safetensors({"a": entry(shape=[1 << 40, 1 << 23])}, bytes(8)), "is too large")
    bad("st-size-wraps-to-8.safetensors",
        safetensors({"a": entry(shape=[(1 << 47) + 1, 1 << 17, 2], offsets=(0, 1 << 20))},
                    bytes(1 << 10)), "is too large")
    bad("st-zero-hides-overflow.safetensors",
        safetensors({"a": entry(shape=[1 << 47, 1 << 47, 0], offsets=(0, 0))}), "is too large")
    bad("st-one-range-ten-times.safetensors",
        safetensors({"a%d" % i: good for i in range(10)}, bytes(8)), "overlaps")
    bad("st-overlap.safetensors",
        safetensors({"a": good, "b": entry(offsets=(4, 12))}, bytes(12)), "overlaps")
    bad("st-hole.safetensors",
        safetensors({"a": good, "b": entry(offsets=(12, 20))}, bytes(20)), "leaves a hole")
    bad("st-hole-at-start.safetensors",
        safetensors({"a": entry(offsets=(4, 12))}, bytes(12)), "leaves a hole")
    bad("st-reversed.safetensors", safetensors({"a": entry(offsets=(8, 0))}, bytes(8)),
        "its offsets are 8 and 0")
    bad("st-no-tensors-but-data.safetensors", safetensors("{}", bytes(8)), "need 0 bytes")


def safetensors_json():
    tensor = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'

    def header(name, text, message, data=bytes(8)):
        bad("st-%s.safetensors" % name, safetensors(text, data), message)

    header("not-json", "{", "no '\"'")
    header("list", "[]", "is no file of weights", b"")
    header("open", '{"a":' + tensor, "no '}'")
    header("text-after", '{"a":%s} x' % tensor, "more text after the end")
    header("two-objects", '{"a":%s}{}' % tensor, "more text after the end")
    header("trailing-comma", '{"a":%s,}' % tensor, "no '\"'")
    header("single-quotes", "{'a':%s}" % tensor, "no '\"'")
    header("comment", '{/**/"a":%s}' % tensor, "no '\"'")
    header("no-colon", '{"a"%s}' % tensor, "no ':'")
    header("no-object", '{"a":"F32"}', "no '{'")
    header("deep", '{"a":' + "[" * 20000, "no '{'")
    header("deep-shape", tensor.join(('{"a":', "}")).replace("[2]", "[" * 500), "no integer")
    header("open-string", '{"a', "a string without end")
    header("newline-in-string", '{"a\n":%s}' % tensor, "a string without end")
    header("bad-escape", '{"\\x":%s}' % tensor, "an unknown escape")
    header("short-unicode", '{"\\u12":%s}' % tensor, "hexadecimal")
    header("high-surrogate", '{"\\ud800":%s}' % tensor, "half of a surrogate pair")
    header("low-surrogate", '{"\\udc00":%s}' % tensor, "half of a surrogate pair")
    header("two-high-surrogates", '{"\\ud800\\ud800":%s}' % tensor, "half of a surrogate pair")
    header("escaped-nul", '{"\\u0000":%s}' % tensor, "NUL")
    header("control-in-name", '{"a\\nb":%s}' % tensor, "control characters")
    header("long-name", '{"%s":%s}' % ("a" * 257, tensor), "more than 256 bytes")
    header("same-name-twice", '{"weight":%s,"weight":%s}' % (tensor, tensor), "'weight' is there twice")
    header("same-name-escaped", '{"a":%s,"\\u0061":%s}' % (tensor, tensor), "'a' is there twice")
    header("dtype-twice", '{"a":%s}' % tensor.replace('"shape', '"dtype":"F32","shape'),
           '"dtype" twice')
    header("metadata-twice", '{"__metadata__":{},"__metadata__":{},"a":%s}' % tensor, "twice")
    header("metadata-key-twice", '{"__metadata__":{"k":"1","k":"2"},"a":%s}' % tensor, "twice")
    header("metadata-number", '{"__metadata__":{"k":1},"a":%s}' % tensor, "no '\"'")
    header("metadata-nested", '{"__metadata__":{"k":{}},"a":%s}' % tensor, "no '\"'")
    header("unknown-key", '{"a":%s}' % tensor.replace('"shape', '"strides":[1],"shape'),
           "an unknown key")
    header("no-dtype", '{"a":{"shape":[2],"data_offsets":[0,8]}}', "lacks its dtype")
    header("no-shape", '{"a":{"dtype":"F32","data_offsets":[0,8]}}', "lacks its dtype")
    header("one-offset", '{"a":%s}' % tensor.replace("[0,8]", "[0]"), "two offsets")
    header("three-offsets", '{"a":%s}' % tensor.replace("[0,8]", "[0,8,8]"), "more than 2 integers")
    header("rank-9", '{"a":%s}' % tensor.replace("[2]", "[1,1,1,1,1,1,1,1,2]"),
           "more than 8 integers")
    for name, number in [("negative", "-2"), ("plus", "+2"), ("text", '"2"'), ("null", "null")]:
        header("shape-" + name, '{"a":%s}' % tensor.replace("[2]", "[%s]" % number), "no integer")
    for name, number in [("exponent", "2e0"), ("fraction", "2.0"), ("hex", "0x2")]:
        header("shape-" + name, '{"a":%s}' % tensor.replace("[2]", "[%s]" % number), "no ']'")
    header("shape-leading-zero", '{"a":%s}' % tensor.replace("[2]", "[02]"), "leading zero")
    header("shape-48-bits", '{"a":%s}' % tensor.replace("[2]", "[%d]" % (1 << 48)), "48 bits")
    header("shape-wraps", '{"a":%s}' % tensor.replace("[2]", "[%d]" % ((1 << 64) + 2)), "48 bits")
    for dtype in ("F4 F6_E2M3 F6_E3M2 F8_E4M3 F8_E5M2 F8_E8M0 F8_E4M3FNUZ C64 U16 U32 U64 f32 F128 "
                  "F32\\u0020").split():
        bad("st-dtype-%s.safetensors" % dtype.replace("\\", "-"),
            safetensors('{"a":%s}' % tensor.replace("F32", dtype), bytes(8)), "unsupported dtype",
            UNSUPPORTED)


def polyglots():
    """Files that are two things at once."""
    archive = pth(op_dict(op_text("a"), op_tensor()))
    bad("polyglot-safetensors-zip.safetensors",
        safetensors({"a": entry("U8", [len(archive)], [0, len(archive)])}, archive),
        "starts as safetensors and ends as a zip archive")
    bad("polyglot-legacy-zip.pth", legacy(op_dict(op_text("a"), op_tensor()), tail=archive),
        "starts as pytorch-legacy and ends as a zip archive")
    bad("polyglot-pict-zip.pict", pict([{"name": "a", "shape": [len(archive)]}], archive),
        "starts as pict and ends as a zip archive")
    comment = Zip().add("data.pkl").finish(comment=b"a comment")
    bad("polyglot-safetensors-zip-comment.safetensors",
        safetensors({"a": entry("U8", [len(comment)], [0, len(comment)])}, comment),
        "ends as a zip archive")
    bad("zip-behind-noise.pth", b"MZ" + bytes(100) + archive, "is no file of weights")


# ---- zip archives ----

def zip_names():
    good = pickle(op_dict())

    def one(name, message, more=None, **other):
        bad("zip-%s.pth" % name, Zip().add("data.pkl", good).add(more or "x", b"data", **other)
            .finish(), message)

    one("compressed", "'archive/x' is compressed", method=8)
    one("encrypted", "'archive/x' is encrypted", flags=0x0809)
    one("strongly-encrypted", "'archive/x' is encrypted", flags=0x0848)
    one("masked", "'archive/x' is encrypted", flags=0x2808)
    one("patched", "'archive/x' has unknown flags", flags=0x0828)
    one("on-another-disk", "several parts", disk=1)
    one("name-twice", "'archive/data.pkl' is there twice", more="data.pkl")
    one("absolute", "leads out", path=b"/x")
    one("parent", "leads out", more="../x")
    one("parent-at-end", "leads out", more="data/..")
    one("self", "leads out", more="./x")
    one("empty-part", "leads out", more="data//x")
    one("folder", "'archive/data/' is a folder; zip it without folder entries", more="data/")
    one("backslash", "forbidden character", more="..\\x")
    one("control", "forbidden character", more="x\n")
    one("name-with-nul", "is not proper text", more="data.pkl\0.txt")
    one("name-not-utf8", "is not proper text", path=b"archive/\xff")
    one("name-empty", "is not proper text", path=b"")
    one("name-long", "is not proper text", more="x" * 600)
    one("nested-data", "nested too deeply", more="data/0/data/0")
    one("two-folders", "more than one folder", path=b"other/x")
    one("folder-prefix", "more than one folder", path=b"archive2/x")
    one("no-folder", "is in no folder", path=b"x")
    one("other-local-name", "another name in its own header", local_path=b"archive/y")
    one("longer-local-name", "another name in its own header", local_path=b"archive/xy")
    one("other-local-flags", "other flags in its own header", local_flags=0x0809)
    one("other-local-method", "other flags in its own header", local_method=8)
    one("other-local-size", "another size or checksum", local_size=3)
    one("other-local-crc", "another size or checksum", local_crc=12345)
    one("no-local-header", "has no header", local_magic=0x04034b51)
    one("two-sizes", "has two sizes", packed=3)
    one("no-64-bit-size", "64-bit size is missing", size=0xffffffff, packed=0xffffffff)
    one("no-64-bit-offset", "64-bit size is missing", offset=0xffffffff)
    one("short-64-bit-size", "64-bit size is missing", size=0xffffffff, packed=0xffffffff,
        extra=struct.pack("<HHQ", 1, 8, 4))
    one("two-64-bit-fields", "two 64-bit fields",
        extra=struct.pack("<HHQ", 1, 8, 4) + struct.pack("<HHQ", 1, 8, 5))
    one("extra-cut", "extra field is malformed", extra=struct.pack("<HH", 7, 9) + b"12345678")
    one("larger-than-file", "larger than the file", size=1 << 24, packed=1 << 24)
    one("larger-than-everything", "larger than the file", size=0xffffffff, packed=0xffffffff,
        extra=struct.pack("<HHQQ", 1, 16, (1 << 64) - 1, (1 << 64) - 1))
    one("offset-beyond-end", "lies outside", offset=1 << 24)
    one("offset-wraps", "lies outside", offset=0xffffffff,
        extra=struct.pack("<HHQ", 1, 8, (1 << 64) - 8))


def zip_layouts():
    good = pickle(op_dict())
    archive = Zip().add("data.pkl", good)
    whole = archive.finish()

    def end(name, message, **other):
        bad("zip-%s.pth" % name, archive.finish(**other), message)

    bad("zip-cut.pth", whole[:-1], "cut off")
    bad("zip-cut-in-half.pth", whole[:len(whole) // 2], "cut off")
    bad("zip-only-magic.pth", b"PK\3\4", "cut off")
    bad("zip-nothing.pth", Zip().finish(no_64=True), "no data.pkl")
    bad("zip-bytes-after.pth", whole + b"\n", "cut off")
    end("comment", "or does not end as torch.save would end it", comment=b"hello")
    end("two-disks", "several parts", disks=2)
    end("second-disk", "several parts", disk=1)
    end("too-many-entries", "100001 entries, at most 100000", count=100001)
    end("many-entries", "directory is cut off", count=65537)
    end("fewer-entries", "more than its 0 entries", count=0)
    end("more-entries", "directory is cut off", count=2)
    end("entry-counts-differ", "two end records differ", narrow_count=2)
    end("sizes-differ", "two end records differ", narrow_size=2)
    end("offsets-differ", "two end records differ", narrow_offset=2)
    end("no-64-bit-end", "64-bit end record is missing", no_64=True, count=0xffff)
    end("gap-after-directory", "not in front of its end record", gap=bytes(8))
    end("gap-after-directory-32", "not in front of its end record", gap=bytes(8), no_64=True)
    end("directory-beyond-end", "not in front of its end record", offset=1 << 40)
    end("directory-wraps", "not in front of its end record", offset=(1 << 64) - 40)
    end("end-elsewhere", "not where it should be", end64_at=0)
    end("end-wraps", "not where it should be", end64_at=(1 << 64) - 20)

    inside = Zip().add("data.pkl", good)
    inside.add("x", b"12345678", no_data=True, offset=0, path=b"archive/data.pkI")
    bad("zip-one-header-two-names.pth", inside.finish(), "another name in its own header")
    inner = b"PK\3\4" + struct.pack("<HHHHHIIIHH", 0, 0x0808, 0, 0, 0, 0, 0, 0, 9, 0) + b"archive/y"
    overlap = Zip().add("data.pkl", good)
    start = len(overlap.body) + 30 + len("archive/x")
    overlap.add("x", inner + bytes(40))
    overlap.add("y", bytes(8), no_data=True, offset=start)
    bad("zip-entry-in-entry.pth", overlap.finish(), "'archive/x' and 'archive/y' overlap")
    bomb = Zip().add("data.pkl", good)
    kernel = bytes(64)
    headers = [b"PK\3\4" + struct.pack("<HHHHHIIIHH", 0, 0x0808, 0, 0, 0, 0, 0, 0, 10, 0) +
               b"archive/%c%c" % (b"q"[0], 97 + i) for i in range(8)]
    start, quoted = len(bomb.body), b"".join(headers) + kernel
    for i in range(8):
        size = len(quoted) - 40 * (i + 1)
        bomb.add("q" + chr(97 + i), quoted[40 * (i + 1):], no_data=True, offset=start + 40 * i,
                 size=size)
    bomb.body += quoted
    bad("zip-quoted-overlap.pth", bomb.finish(), "larger than the file")
    late = Zip().add("data.pkl", good).add("x", b"12345678")
    bad("zip-entry-over-directory.pth",
        Zip().add("data.pkl", good).add("x", b"1" * 20, stored=b"1", size=60).finish(),
        "lies outside")
    bad("zip-entry-in-directory.pth",
        late.add("y", b"", no_data=True, offset=len(late.body) + 4).finish(), "lies outside")


def zip_contents():
    tensor = op_dict(op_text("a"), op_tensor())
    bad("zip-foreign.pth", Zip("x/").add("word/document.xml", b"<a/>").finish(), "no data.pkl")
    bad("zip-npz.pth", Zip("").add("arr_0.npy", b"\x93NUMPY").finish(), "is in no folder")
    bad("torchscript-constants.pth", pth(tensor, more={"constants.pkl": pickle(op_tuple())}),
        "torch.jit.load", UNSUPPORTED)
    bad("torchscript-code.pth", pth(tensor, more={"code/__torch__.py": b"pass"}), "TorchScript",
        UNSUPPORTED)
    # torch.jit.script(net).save(...) of PyTorch 1.13, whose code/ is compressed
    bad(SAVED, (HERE / "files" / SAVED).read_bytes(),
        "is a TorchScript program, which is never run; in Python: torch.save(torch.jit.load(",
        UNSUPPORTED)
    bad("big-endian.pth", pth(tensor, more={"byteorder": b"big"}), "big-endian", UNSUPPORTED)
    bad("byte-order-long.pth", pth(tensor, more={"byteorder": b"little or so"}), "byteorder")
    bad("pickle-checksum.pth", pth(tensor, pickle_entry={"crc": 1}), "data.pkl has a wrong checksum")
    bad("pickle-no-checksum.pth", pth(tensor, pickle_entry={"crc": 0}),
        "data.pkl has a wrong checksum")
    bad("storage-checksum.pth", pth(tensor, storage_entry={"crc": 1}),
        "tensor a has a wrong checksum")
    flipped = bytes([1]) + floats(4)[1:]
    bad("storage-bit-flipped.pth", pth(tensor, storage_entry={"stored": flipped}),
        "set_crc32_options(False)")
    bad("storage-missing.pth", pth(tensor, {}), "no entry 'data/0'")
    bad("storage-short.pth", pth(tensor, {"0": floats(3)}), "'data/0' has 12 bytes, its pickle says 16")
    bad("storage-long.pth", pth(tensor, {"0": floats(5)}), "'data/0' has 20 bytes, its pickle says 16")
    bad("pickle-goes-on.pth", pth(b"", raw=pickle(tensor) + b"N."), "goes on after its pickle's end")
    bad("pickle-blank.pth", pth(b"", raw=b" "), "without a protocol number", UNSUPPORTED)
    bad("pickle-protocol-0.pth", pth(b"", raw=b"(dp0\n."), "again with pickle_protocol=2",
        UNSUPPORTED)
    bad("pickle-protocol-6.pth", pth(b"", raw=pickle(tensor, protocol=6)),
        "protocol 6, only 2 to 5 are read; save it again with pickle_protocol=2", UNSUPPORTED)
    bad("double-range.pth", pth(op_dict(op_text("a"), op_tensor(
        op_storage(kind="DoubleStorage", numel=1), size=(1,))), {"0": struct.pack("<d", 1e300)}),
        "tensor a has values beyond the range of float32", UNSUPPORTED)


# ---- pickles ----

def tensors():
    def one(name, body, message, storages=None, code=BAD):
        bad("tensor-%s.pth" % name, pth(op_dict(op_text("a"), body), storages), message, code)

    outside = "reaches outside its storage"
    one("offset", op_tensor(offset=1), outside)
    one("offset-huge", op_tensor(offset=(1 << 63) - 1), outside)
    one("offset-negative", op_tensor(offset=-1), "wrong type")
    one("size", op_tensor(size=(5,)), outside)
    one("size-negative", op_tensor(size=(-1,)), "wrong type")
    one("size-huge", op_tensor(size=((1 << 62),)), outside)
    one("sizes-wrap", op_tensor(size=((1 << 32), (1 << 32), 4), stride=(0, 0, 1)), outside)
    one("stride", op_tensor(size=(2, 2), stride=(3, 1)), outside)
    one("stride-huge", op_tensor(size=(2,), stride=(1 << 62,)), outside)
    one("strides-wrap", op_tensor(size=(5, 2), stride=(1 << 62, 1)), outside)
    one("stride-negative", op_tensor(stride=(-1,)), "wrong type")
    one("ranks-differ", op_tensor(size=(4,), stride=(1, 1)), "wrong type")
    one("size-text", op_tensor(size=(4,)).replace(op_tuple(op_int(4)), op_tuple(op_text("4")), 1),
        "wrong type")
    one("numel-huge", op_tensor(op_storage(numel=1 << 62)), "a storage too large")
    one("numel-negative", op_tensor(op_storage(numel=-1)), "described wrongly")
    one("numel-lies", op_tensor(op_storage(numel=1 << 40), size=(1 << 40,)),
        "'data/0' has 16 bytes")
    one("type-lies", op_tensor(op_storage(kind="DoubleStorage")), "'data/0' has 16 bytes")
    one("storage-two-types",
        op_tensor() + op_text("b") + op_tensor(op_storage(kind="IntStorage")),
        "two types or sizes")
    one("storage-two-sizes",
        op_tensor() + op_text("b") + op_tensor(op_storage(numel=2), size=(2,)),
        "two types or sizes")
    one("storage-no-type", op_tensor(op_tuple(op_text("storage"), op_text("FloatStorage"),
                                              op_text("0"), op_text("cpu"), op_int(4)) + b"Q"),
        "a storage of no type")
    one("storage-path", op_tensor(op_storage(key="../version")), "no entry 'data/../version'")
    one("storage-key-long", op_tensor(op_storage(key="0" * 300)), "described wrongly")
    one("storage-short-id", op_tensor(op_tuple(op_text("storage"), b"N") + b"Q"),
        "described wrongly")
    one("storage-none", op_tensor(b"N"), "without a storage")
    one("storage-is-tensor", op_tensor(op_tensor()), "without a storage")
    one("persistent-int", op_int(1) + b"Q", "unknown kind of persistent id")
    one("persistent-other", op_tuple(op_text("file"), op_text("/etc/passwd")) + b"Q",
        "unknown kind of persistent id")
    one("view-outside", op_tensor(op_storage(view=op_tuple(op_text("v"), op_int(2), op_int(3)))),
        "a view outside its storage")
    one("few-arguments", op_global("torch._utils", "_rebuild_tensor_v2") + b")R",
        "wrong number of arguments")
    one("parameter-of-int", op_global("torch._utils", "_rebuild_parameter") +
        op_tuple(op_int(1), b"\x88", b"N") + b"R", "a parameter that is no tensor")
    one("size-of-int", op_global("torch", "Size") + op_tuple(op_int(1)) + b"R", "torch.Size")
    one("call-of-storage", op_global("torch", "FloatStorage") + b")R", "cannot be called")
    one("call-of-dtype", op_global("torch", "float32") + b")R", "cannot be called")
    one("dict-of-int", op_global("collections", "OrderedDict") + op_tuple(op_int(1)) + b"R",
        "something else than a list")
    one("dict-of-triples", op_global("collections", "OrderedDict") +
        op_tuple(op_list(op_tuple(op_int(1), op_int(2), op_int(3)))) + b"R", "than pairs")
    one("name-twice", op_tensor() + op_text("a") + op_tensor(), "names the tensor 'a' twice")


def objects():
    """What the pickled object is, beside tensors."""
    def root(name, body, message, code=UNSUPPORTED, storages=None):
        bad("object-%s.pth" % name, pth(body, {} if storages is None else storages), message, code)

    root("system", op_global("os", "system") + op_tuple(op_text("touch owned")) + b"R",
         "holds os.system instead of a dict")
    root("eval", op_global("builtins", "eval") + op_tuple(op_text("1")) + b"R", "builtins.eval")
    root("module", op_global("torch.nn.modules.container", "Sequential") + b")\x81}b",
         "torch.save(model.state_dict(), 'weights.pth')")
    root("escape-sequences", op_global("\x1b[31m", "x\x07") + b")R", "holds ?[31m.x? instead")
    root("number", op_int(1), "holds a number")
    root("tensor", op_tensor(), "holds a tensor", storages={"0": floats(4)})
    deep = op_dict(op_text("a"), op_tensor())
    for _ in range(70):
        deep = op_dict(op_text("n"), deep)
    root("deep", deep, "nested more than 64 deep", BAD, {"0": floats(4)})
    root("cycle", b"}q\x00" + op_text("a") + b"h\x00s", "nested more than 64 deep", BAD)
    laughs = b"]q\x00" + op_int(1) + b"a0"
    for i in range(40):
        laughs += b"]q" + bytes([i + 1]) + b"(" + (b"h" + bytes([i])) * 10 + b"e0"
    root("billion-laughs", laughs + op_dict(op_text("a"), b"h\x28"), "too many Python objects", BAD)
    long = op_dict(op_text("a"), op_tensor())
    for _ in range(6):
        long = op_dict(op_text("k" * 250), long)
    root("long-path", long, "nested too deeply", BAD, {"0": floats(4)})


def old_files():
    tensor = op_dict(op_text("a"), op_tensor())

    def one(name, message, body=tensor, code=BAD, cut=None, **other):
        bad("legacy-%s.pth" % name, legacy(body, **other)[:cut], message, code)

    one("cut", "is cut off in storage 0", cut=-1)
    one("cut-in-count", "ends before", cut=-17)
    one("cut-in-pickle", "cut off", cut=100)
    one("only-magic", "is cut off", cut=15)
    one("bytes-after", "bytes after its last storage", tail=b"\n")
    one("whole-network", "holds net.Net instead of a dict", code=UNSUPPORTED, storages={},
        body=op_tuple(op_text("module"), op_global("net", "Net"), op_text("net.py"),
                      op_text("class Net: ...")) + b"Q)\x81}b")
    one("protocol", "unknown protocol", protocol=1002, code=UNSUPPORTED)
    one("big-endian", "big-endian", little=b"\x89", code=UNSUPPORTED)
    one("no-byte-order", "byte order", facts=op_dict())
    one("facts-list", "byte order", facts=op_list())
    one("count", "has 5 elements, its pickle says 4", storages={"0": (5, floats(5))})
    one("count-negative", "elements, its pickle says 4", storages={"0": (-4, floats(4))})
    one("no-keys", "lists 0 storages, its pickle names 1", keys=[], storages={})
    one("more-keys", "lists 2 storages, its pickle names 1", keys=["0", "1"])
    one("other-key", "does not match", keys=["1"])
    two = op_dict(op_text("a"), op_tensor(), op_text("b"), op_tensor(op_storage("1")))
    one("key-twice", "does not match", body=two, keys=["0", "0"],
        storages={"0": (4, floats(4)), "1": (4, floats(4))})
    one("numel-lies", "is cut off in storage 0", storages={"0": (1 << 40, floats(4))},
        body=op_dict(op_text("a"), op_tensor(op_storage(numel=1 << 40), size=(1 << 40,))))
    one("view-outside", "a view outside its storage",
        body=op_dict(op_text("a"),
                     op_tensor(op_storage(view=op_tuple(op_text("v"), op_int(1), op_int(4))))))


def picts():
    tensors_ = [{"name": "a", "shape": [2, 2]}]

    def one(name, data, message):
        bad("pict-%s.pict" % name, data, message)

    whole = pict(tensors_, bytes(4))
    one("cut", whole[:-1], "is cut off")
    one("cut-in-codebook", whole[:200], "is cut off")
    one("no-codes", whole[:-8], "ends before")
    one("bytes-after", whole + b"\n", "bytes after the last weight")
    one("codebook", pict(tensors_, bytes(4), bytes(1020)), "codebook")
    one("few-codes", pict(tensors_, bytes(3)), "need more than the 3 weights")
    one("many-codes", pict(tensors_, bytes(5)), "need 4 weights, it holds 5")
    one("shape-overflow", pict([{"name": "a", "shape": [1 << 47, 1 << 47]}], bytes(4)), "need more")
    one("sum-overflow", pict([{"name": "a%d" % i, "shape": [1 << 40, 1 << 23]} for i in range(2)],
                             bytes(4)), "need more")
    one("name-twice", pict(tensors_ * 2, bytes(8)), "twice")
    one("key-twice", pict(b'[{"name":"a","name":"b","shape":[4]}]', bytes(4)), "a key twice")
    one("unknown-key", pict([{"name": "a", "shape": [4], "dtype": "f"}], bytes(4)), "unknown key")
    one("no-name", pict([{"shape": [4]}], bytes(4)), "without name or shape")
    one("no-shape", pict([{"name": "a"}], bytes(4)), "without name or shape")
    one("shape-negative", pict([{"name": "a", "shape": [-4]}], bytes(4)), "no integer")
    one("rank-9", pict([{"name": "a", "shape": [1] * 9}], bytes(1)), "more than 8 integers")
    one("name-newline", pict([{"name": "a\nb", "shape": [4]}], bytes(4)), "control characters")
    one("not-utf8", pict(b'[{"name":"\xff","shape":[4]}]', bytes(4)), "is not UTF-8")
    one("text-after", pict(b"[] x", b""), "more text after the end")
    one("no-object", pict(b"[1]", b""), "no '{'")


for old in (HERE / "files").glob("*"):
    if old.name != SAVED:
        old.unlink()
for part in (strangers, safetensors_sizes, safetensors_json, polyglots, zip_names, zip_layouts,
             zip_contents, tensors, objects, old_files, picts):
    part()
(HERE / "expected.txt").write_text("\n".join(sorted(table)) + "\n")

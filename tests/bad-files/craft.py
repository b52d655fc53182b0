# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes weight files byte by byte, so that any part of them can be made wrong.

Needs nothing but Python. Every number of a header can be given explicitly; what is not given is
right.
"""
import json
import struct
import zlib

LEGACY_MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e"


def floats(n, start=0.0):
    return struct.pack("<%df" % n, *[start + i for i in range(n)])


# ---- safetensors ----

def safetensors(header, data=b"", length=None):
    """header: a dict, text, or bytes. length: what the file says of it."""
    if isinstance(header, dict):
        header = json.dumps(header, separators=(",", ":"))
    if isinstance(header, str):
        header = header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


# ---- .pict ----

def pict(tensors, codes, codebook=None):
    names = tensors if isinstance(tensors, bytes) else json.dumps(tensors).encode()
    if codebook is None:
        codebook = struct.pack("<256f", *[i / 255 * 2 - 1 for i in range(256)])
    return b"".join(struct.pack(">I", len(c)) + c for c in (names, codebook, codes))


# ---- zip ----

class Zip:
    """An archive of stored entries, as torch.save writes it: 64-bit records, sizes after the data."""

    def __init__(self, folder="archive/", flags=0x0808):
        self.folder, self.flags = folder, flags
        self.body, self.directory, self.count = b"", b"", 0

    def add(self, name, data=b"", **other):
        """other: numbers and names that shall be wrong; local_* are those in front of the data."""
        get = other.get
        path = get("path", (self.folder + name).encode())
        flags = get("flags", self.flags)
        crc = get("crc", zlib.crc32(data))
        size = get("size", len(data))
        packed = get("packed", size)
        method = get("method", 0)
        offset = get("offset", len(self.body))
        later = bool(flags & 8)
        local_path = get("local_path", path)
        local_size = get("local_size", 0 if later else min(size, 0xffffffff))
        if not get("no_data"):
            self.body += struct.pack(
                "<IHHHHHIIIHH", get("local_magic", 0x04034b50), 0, get("local_flags", flags),
                get("local_method", method), 0, 0, get("local_crc", 0 if later else crc),
                local_size, local_size, len(local_path), len(get("local_extra", b"")))
            self.body += local_path + get("local_extra", b"") + get("stored", data)
            if later:
                self.body += struct.pack("<IIII", 0x08074b50, crc, len(data), len(data))
        extra = get("extra", b"")
        self.directory += struct.pack(
            "<IHHHHHHIIIHHHHHII", get("magic", 0x02014b50), 0, 0, flags, method, 0, 0, crc,
            packed & 0xffffffff, size & 0xffffffff, len(path), len(extra), 0, get("disk", 0), 0, 0,
            offset & 0xffffffff) + path + extra
        self.count += 1
        return self

    def finish(self, **other):
        get = other.get
        at = get("offset", len(self.body))
        size = get("size", len(self.directory))
        count = get("count", self.count)
        out = self.body + self.directory + get("gap", b"")
        if not get("no_64"):
            end64 = struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, get("disk", 0), 0, count,
                                count, size, at)
            out += end64 + struct.pack("<IIQI", 0x07064b50, 0,
                                       get("end64_at", len(out)), get("disks", 1))
        out += struct.pack("<IHHHHIIH", 0x06054b50, get("disk", 0), 0,
                           get("narrow_count", min(count, 0xffff)),
                           get("narrow_count", min(count, 0xffff)),
                           get("narrow_size", min(size, 0xffffffff)),
                           get("narrow_offset", min(at, 0xffffffff)),
                           len(get("comment", b"")))
        return out + get("comment", b"")


# ---- pickle ----

def op_int(n):
    if 0 <= n < 256:
        return b"K" + bytes([n])
    if -2**31 <= n < 2**31:
        return b"J" + struct.pack("<i", n)
    raw = n.to_bytes((n.bit_length() + 8) // 8, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def op_text(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def op_bytes2(text):
    """str of Python 2."""
    return b"U" + bytes([len(text)]) + text.encode()


def op_global(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def op_tuple(*items):
    return b"(" + b"".join(items) + b"t"


def op_list(*items):
    return b"](" + b"".join(items) + b"e"


def op_dict(*items):
    """Keys and values in turn."""
    return b"}(" + b"".join(items) + b"u"


def op_ordered(*items):
    return op_global("collections", "OrderedDict") + b")R(" + b"".join(items) + b"u"


def op_storage(key="0", kind="FloatStorage", numel=4, location="cpu", view=None, module="torch"):
    extra = [] if view is None else [view]
    return op_tuple(op_text("storage"), op_global(module, kind), op_text(key), op_text(location),
                    op_int(numel), *extra) + b"Q"


def op_tensor(storage=None, offset=0, size=(4,), stride=(1,), metadata=None, function="_v2"):
    """A call of torch._utils._rebuild_tensor*."""
    args = [storage or op_storage(), op_int(offset), op_tuple(*map(op_int, size)),
            op_tuple(*map(op_int, stride))]
    if function == "_v2":
        args += [b"\x89", op_global("collections", "OrderedDict") + b")R"]
    if metadata is not None:
        args.append(metadata)
    return op_global("torch._utils", "_rebuild_tensor" + function) + op_tuple(*args) + b"R"


def pickle(body, protocol=2):
    return b"\x80" + bytes([protocol]) + body + b"."


# ---- .pth ----

def pth(body, storages=None, **other):
    """A zip .pth of the object that body pushes; storages: key to bytes."""
    archive = Zip()
    archive.add("data.pkl", other.get("raw", None) or pickle(body), **other.get("pickle_entry", {}))
    for name, data in other.get("more", {}).items():
        archive.add(name, data)
    for key, data in ({"0": floats(4)} if storages is None else storages).items():
        archive.add("data/" + key, data, **other.get("storage_entry", {}))
    archive.add("version", b"3\n")
    return archive.finish(**other.get("end", {}))


def legacy(body, storages=None, keys=None, protocol=1001, little=b"\x88", facts=None, tail=b""):
    """A .pth of before PyTorch 1.6; storages: key to (number of elements, bytes)."""
    if storages is None:
        storages = {"0": (4, floats(4))}
    if facts is None:
        facts = op_dict(op_text("protocol_version"), op_int(protocol), op_text("little_endian"),
                        little, op_text("type_sizes"),
                        op_dict(op_text("short"), op_int(2), op_text("int"), op_int(4),
                                op_text("long"), op_int(4)))
    keys = list(storages) if keys is None else keys
    out = LEGACY_MAGIC + pickle(op_int(protocol)) + pickle(facts) + pickle(body)
    out += pickle(op_list(*map(op_text, keys)))
    for numel, data in storages.values():
        out += struct.pack("<q", numel) + data
    return out + tail

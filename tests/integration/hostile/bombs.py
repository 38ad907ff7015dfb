# SPDX-License-Identifier: LGPL-2.1-only
"""Archive bombs: little to send, much to unpack. All are made in a moment and are a few megabytes at most.

Zeros are not compressed again and again: a piece of a compressed stream is repeated instead, which decompressors take.
"""
import bz2
import functools
import gzip
import io
import lzma
import struct
import zipfile
import zlib

import hostile_archives as make
from hostile_archives import KERN, LINES, TAR_END, TOP, central, deflate, end, good_tar, good_zip, local, tar_member

from .case import EITHER, REFUSED, Case

MIB = 1 << 20
BOMB = "refused.*archive bombs"
OVERLAP = "entries overlap"
KERN_BYTES = KERN.encode()


# --- endless zeros in each compression

def deflated_zeros(mebibytes):
    """Raw deflate: pieces that end with a full flush may be repeated."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = squeezer.compress(b"\0" * MIB) + squeezer.flush(zlib.Z_FULL_FLUSH)
    return piece * mebibytes + b"\x03\0"


def gz_zeros(mebibytes):
    head = b"\x1f\x8b\x08\0\0\0\0\0\2\3"
    return head + deflated_zeros(mebibytes) + struct.pack("<LL", 0, (mebibytes * MIB) & 0xffffffff)


def gz_members(mebibytes):
    return gzip.compress(b"\0" * MIB, mtime=0) * mebibytes


def bz2_zeros(mebibytes):
    return bz2.compress(b"\0" * (16 * MIB)) * (mebibytes // 16)


def xz_zeros(mebibytes):
    return lzma.compress(b"\0" * (16 * MIB), preset=0) * (mebibytes // 16)


def zst_zeros(mebibytes, window=0x38, before=b""):
    """Blocks of 128 KiB that are one repeated byte cost four bytes each; `before` stands first, stored."""
    rle = (1 << 1 | (128 << 10) << 3).to_bytes(3, "little") + b"\0"
    last = (1 | 1 << 1 | 1 << 3).to_bytes(3, "little") + b"\0"
    raw = (len(before) << 3).to_bytes(3, "little") + before if before else b""
    return b"\x28\xb5\x2f\xfd\0" + bytes([window]) + raw + rle * (mebibytes * 8) + last


HUGE = tar_member(KERN, size=4 << 30)[:512]


def tar_in(form):
    head = {"gz": lambda: gzip.compress(HUGE, mtime=0) + gz_members(2000),
            "bz2": lambda: bz2.compress(HUGE) + bz2_zeros(2048),
            "xz": lambda: lzma.compress(HUGE) + xz_zeros(2048),
            "zst": lambda: zst_zeros(2048, before=HUGE)}
    return head[form]()


def log_in(form):
    """A compressed log rotation of zeros in a good tar."""
    zeros = {"gz": gz_zeros, "bz2": bz2_zeros, "xz": xz_zeros, "zst": zst_zeros}[form](1024)
    return good_tar(tar_member(KERN + ".1." + form, zeros))


# --- zip

def zip_of(entries):
    """entries: (name, deflated data, size, checksum)"""
    body, listing = b"", b""
    for name, data, size, crc in entries:
        listing += central(name, len(body), len(data), size, crc=crc)
        body += local(name, data, size=size, crc=crc)
    return body + listing + end(len(entries), len(listing), len(body))


def zip_of_zeros(members, mebibytes):
    data = deflated_zeros(mebibytes)
    return zip_of([(b"var/log/kern.log.%d" % n, data, mebibytes * MIB, 0) for n in range(members)])


def zip64_extra(*values):
    return struct.pack("<HH", 1, 8 * len(values)) + struct.pack("<%dQ" % len(values), *values)


def zip64_exabytes():
    """Both headers agree on a size of 8 EiB."""
    data, size = deflated_zeros(300), (1 << 63) - 1
    extra = zip64_extra(size, len(data))
    body = local(KERN_BYTES, data, packed=0xffffffff, size=0xffffffff, extra=extra)
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 45, 45, 0, 8, 0, 0x5a63, 0, 0xffffffff, 0xffffffff, len(KERN_BYTES),
                        len(extra), 0, 0, 0, 0, 0) + KERN_BYTES + extra
    return body + entry + end(1, len(entry), len(body))


def zip64_quoted(entries=200):
    """Quoted overlap, listed by a zip64 directory."""
    plain = make.quoted_overlap(entries, MIB)
    body, (length, offset) = plain[:-22], struct.unpack("<LL", plain[-10:-2])
    end64 = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, length, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(body), 1)
    return body + end64 + locator + end(0xffff, 0xffffffff, 0xffffffff)


def extra_field_quoting(entries=400):
    """Each member's extra field is the next member's local header: no stored blocks needed."""
    data = deflate(b"\0" * MIB)
    tail, heads, listing = data, [], b""
    for number in reversed(range(entries)):
        inner = b"".join(reversed(heads[-3:]))
        head = local(b"%04d" % number, b"", packed=len(data), size=MIB, extra=struct.pack("<HH", 0xcafe, len(inner)) + inner)
        heads.append(head[:len(head) - len(inner)])
    body, offset = b"".join(reversed(heads)) + tail, 0
    for number in range(entries):
        listing += central(b"%04d" % number, offset, len(data), MIB)
        offset += len(heads[-1 - number])
    return body + listing + end(entries, len(listing), len(body))


def giant_steps(entries=120):
    """Like quoted overlap, but one stored block quotes all headers up to 64 KiB at once."""
    data = deflate(b"\0" * MIB)
    names = [b"%04d" % n for n in range(entries)]
    quoted = b"".join(local(name, b"", packed=len(data), size=MIB) for name in names[1:])
    rest = struct.pack("<BHH", 0, len(quoted), len(quoted) ^ 0xffff) + quoted + data
    body = local(names[0], rest, size=len(quoted) + MIB)
    first, one = 30 + 4 + 5, 34
    listing = central(names[0], 0, len(rest), len(quoted) + MIB)
    for number in range(1, entries):
        listing += central(names[number], first + (number - 1) * one, len(body) - first - number * one, MIB)
    return body + listing + end(entries, len(listing), len(body))


def same_offset_other_names(entries=60000):
    data = deflate(b"\0" * MIB)
    body = local(b"00000", data, size=MIB)
    listing = b"".join(central(b"%05d" % n, 0, len(data), MIB) for n in range(entries))
    return body + listing + end(entries, len(listing), len(body))


def data_behind_list(entries=50):
    """Members whose data is the list of files itself."""
    body = local(b"a", b"", 0)
    listing = b"".join(central(b"%03d" % n, 0, 10000, 10000, 0) for n in range(entries))
    return body + listing + end(entries, len(listing), len(body))


def many_empty_entries(count):
    names = [b"var/log/%06d" % n for n in range(count)]
    body = b"".join(local(name, b"", 0) for name in names)
    one = len(local(names[0], b"", 0))
    listing = b"".join(central(name, n * one, 0, 0, 0) for n, name in enumerate(names))
    end64 = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(listing), len(body))
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(body) + len(listing), 1)
    return body + listing + end64 + locator + end(count, len(listing), len(body))


def huge_list(length):
    end64 = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1000, 1000, length, 0)
    return b"PK\3\4" + b"." * 100 + end64 + struct.pack("<4sLQL", b"PK\6\7", 0, 104, 1) + end(65535, 0xffffffff, 0xffffffff)


def long_names_zip(count=3000):
    """Names of 65 535 bytes: 200 MB of names, twice, in a small file, if it were compressed."""
    name = b"n" * 65000
    body = b"".join(local(name, b"", 0) for _ in range(count // 100))
    one = 30 + len(name)
    listing = b"".join(central(name, n * one, 0, 0, 0) for n in range(count // 100))
    return body + listing + end(count // 100, len(listing), len(body))


# --- archives in archives

def packed_together(data, width, name="%03d.zip"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(width):
            archive.writestr(zipfile.ZipInfo(name % number), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def million_nested(leaf=b"x" * 4096):
    data = packed_together(leaf, 1, "var%d")
    for _ in range(3):
        data = packed_together(data, 100)
    return data


def forty_two(width=16, depth=5):
    """The shape of 42.zip: sixteen in each of five levels, and gigabytes in each leaf."""
    data = zip_of([(b"0.dll", deflated_zeros(256), 256 * MIB, 0)])
    for _ in range(depth):
        data = packed_together(data, width)
    return data


def tar_in_tar(depth):
    data = tar_member("var/log/SMlog", LINES) + TAR_END
    for _ in range(depth):
        data = tar_member("inner.tar", data) + TAR_END
    return gzip.compress(data, 6, mtime=0)


def compressed_many_times(data, *forms):
    squeeze = {"gz": lambda d: gzip.compress(d, 9, mtime=0), "bz2": bz2.compress, "xz": lzma.compress}
    for form in forms:
        data = squeeze[form](data)
    return data


def many_gz_members(count):
    return gzip.compress(gzip.compress(b"", mtime=0) * count, mtime=0)


# --- tar

def pax_record(key, value):
    text, length = b" %s=%s\n" % (key, value), 0
    while length != len(text) + len(b"%d" % length):
        length = len(text) + len(b"%d" % length)
    return b"%d" % length + text


def pax(*records):
    return tar_member("pax", b"".join(pax_record(*record) for record in records), b"x")


def old_sparse(size):
    """GNU's first format: one piece at the end of a file of `size` bytes."""
    head = bytearray(tar_member(KERN, size=512, kind=b"S")[:512])

    def number(at, value):
        head[at:at + 12] = b"\x80" + b"\0" * 3 + struct.pack(">Q", value)
    number(386, size - 512)
    number(398, 512)
    number(483, size)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + b"A" * 512 + TAR_END


def pax_sparse_01(pieces):
    """pax 0.1: the map is one header record, a number a byte."""
    numbers = b",".join(b"%d,1" % (n << 40) for n in range(pieces))
    head = pax((b"GNU.sparse.size", b"%d" % (pieces << 40)), (b"GNU.sparse.numblocks", b"%d" % pieces),
               (b"GNU.sparse.map", numbers))
    return head + tar_member(KERN, b"A" * pieces) + TAR_END


def duplicates(count):
    return gzip.compress(good_tar(tar_member(KERN, b"x\n") * count), 6, mtime=0)


def deep_names(count):
    path = "/".join(["d"] * 60)
    return gzip.compress(b"".join(tar_member("%s/%d" % (path, n)) for n in range(count)), 1, mtime=0)


def in_zip(member, data):
    return good_zip({KERN: LINES, member: data})


CASES = {
    # zip: members that share data
    "zip: all entries are one": Case(make.full_overlap, "a.zip", OVERLAP, REFUSED),
    "zip: quoted overlap": Case(make.quoted_overlap, "a.zip", OVERLAP, REFUSED),
    "zip: quoted overlap of 900": Case(lambda: make.quoted_overlap(900), "a.zip", OVERLAP, REFUSED),
    "zip: quoted overlap in zip64": Case(zip64_quoted, "a.zip", OVERLAP, REFUSED),
    "zip: extra fields quote headers": Case(extra_field_quoting, "a.zip", OVERLAP, REFUSED),
    "zip: giant steps": Case(giant_steps, "a.zip", OVERLAP, REFUSED),
    "zip: 60000 names of one member": Case(same_offset_other_names, "a.zip", "overlap", REFUSED),
    "zip: the list as data": Case(data_behind_list, "a.zip", "overlap|points outside|cut off", EITHER),
    # zip: zeros and sizes
    "zip: one member of 1 GiB": Case(lambda: zip_of_zeros(1, 1024), "a.zip", BOMB),
    "zip: one member of 8 GiB": Case(lambda: zip_of_zeros(1, 4095), "a.zip", BOMB),
    "zip: thousand members of 48 MiB": Case(lambda: zip_of_zeros(100, 48), "a.zip", BOMB),
    "zip: 8 EiB declared": Case(zip64_exabytes, "a.zip", "refused.*archive bombs|suspicious"),
    "zip: more data than declared": Case(make.short_size_zip, "a.zip", "more data than"),
    "zip: 4 G entries declared": Case(make.huge_list_zip, "a.zip", "more entries than the limit", REFUSED),
    "zip: list of 65 MiB declared": Case(lambda: huge_list(65 << 20), "a.zip", "larger than 64 MiB", REFUSED),
    "zip: list of 16 EiB declared": Case(lambda: huge_list((1 << 64) - 1), "a.zip", "larger than 64 MiB", REFUSED),
    "zip: 200001 entries": Case(lambda: many_empty_entries(200001), "a.zip", "more entries than the limit", REFUSED),
    "zip: names of 65000 bytes": Case(long_names_zip, "a.zip", "longer than 4096", REFUSED),
    "zip: lzma that wants 4 GiB": Case(make.lzma_zip, "a.zip", "compressed by a method"),
    # one stream of zeros
    "tar.gz of zeros": Case(lambda: tar_in("gz"), "a.tgz", BOMB),
    "tar.bz2 of zeros": Case(lambda: tar_in("bz2"), "a.tar.bz2", BOMB),
    "tar.xz of zeros": Case(lambda: tar_in("xz"), "a.tar.xz", BOMB),
    "tar.zst of zeros": Case(lambda: tar_in("zst"), "a.tar.zst", BOMB),
    "log.gz of zeros": Case(lambda: log_in("gz"), says=BOMB),
    "log.bz2 of zeros": Case(lambda: log_in("bz2"), says=BOMB),
    "log.xz of zeros": Case(lambda: log_in("xz"), says=BOMB),
    "log.zst of zeros": Case(lambda: log_in("zst"), says=BOMB),
    "log.gz of zeros in a zip": Case(lambda: in_zip(KERN + ".1.gz", gz_zeros(1024)), "a.zip", BOMB),
    "log.gz of a million empty streams": Case(lambda: good_tar(tar_member(KERN + ".1.gz", gzip.compress(b"", mtime=0) * 200000)), says=""),
    "tar.gz below gzip": Case(lambda: compressed_many_times(tar_in("gz"), "gz"), "a.tgz", "refused|holds nothing", EITHER),
    "gz in bz2 in xz": Case(lambda: compressed_many_times(gz_members(2000), "bz2", "xz"), "a.tar.xz", "", EITHER),
    "30 compressions": Case(lambda: make.filters_in_filters(30), "a.tgz", "holds nothing", REFUSED),
    # memory of decompressors
    "xz that wants 4 GiB": Case(make.big_dictionary_xz, "a.tar.xz", "more than 128 MiB", REFUSED),
    "log.xz that wants 4 GiB": Case(lambda: good_tar(tar_member(KERN + ".1.xz", make.big_dictionary_xz())), says="more than 128 MiB"),
    "xz that wants 4 GiB in its second stream": Case(
        lambda: lzma.compress(good_tar()[:-1024]) + make.big_dictionary_xz(), "a.tar.xz", "xz data .* more than 128 MiB", REFUSED),
    "xz that wants 4 GiB in its second block": Case(
        lambda: two_block_xz(), "a.tar.xz", "xz data .* more than 128 MiB", REFUSED),
    "zst with a window of 1 GiB": Case(
        lambda: zst_zeros(512, window=20 << 3), "a.tar.zst", "zstd data .* more than 128 MiB", REFUSED),
    "zst with a window of 3 TiB": Case(
        lambda: zst_zeros(512, window=0xff), "a.tar.zst", "zstd data .* more than 128 MiB", REFUSED),
    # archives in archives
    "zip: a million nested": Case(million_nested, "a.zip", "refused|nest", EITHER),
    "zip: forty-two": Case(forty_two, "a.zip", "limit on nesting", REFUSED),
    "zip: itself": Case(lambda: quine_zip(), "a.zip", "it is the archive it lies in", REFUSED),
    "zip: itself in a tar": Case(lambda: tar_member("b.zip", quine_zip()) + TAR_END, says="it is the archive it lies in", ends=REFUSED),
    "zip: twelve deep": Case(lambda: make.nested_zip(12, LINES), "a.zip", "limit on nesting", REFUSED),
    "tar in tar, a hundred deep": Case(lambda: tar_in_tar(100), "a.tgz", "limit on nesting", REFUSED),
    "zips of bombs": Case(lambda: make.many_nested(16, 3), "a.zip", BOMB),
    # tar: headers
    "tar: pax headers of 360 MB": Case(lambda: make.long_pax(900, 400), "a.tgz", BOMB),
    "tar: pax header of 8 GiB declared": Case(lambda: tar_member("pax", b"9 a=b\n", b"x", size=8 << 30) + good_tar(), says="", ends=EITHER),
    "tar: long name of 8 GiB declared": Case(lambda: tar_member("././@LongLink", b"x", b"L", size=8 << 30) + good_tar(), says="", ends=EITHER),
    "tar: long name of 200 MiB": Case(lambda: gzip.compress(tar_member("././@LongLink", b"x" * (8 * MIB), b"L") * 4 + good_tar(), 1), "a.tgz", "", EITHER),
    "tar: 5000 long names in a row": Case(lambda: make.chained_long_links(5000), says="holds nothing", ends=REFUSED),
    "tar: sparse of 8 EiB, pax 1.0": Case(lambda: make.sparse_tar((1 << 63) - 512), says=BOMB),
    "tar: sparse of 8 EiB, old GNU": Case(lambda: old_sparse((1 << 63) - 512), says="refused.*archive bombs|damaged", ends=EITHER),
    "tar: sparse map of 10000 pieces": Case(lambda: pax_sparse_01(10000), says="refused|damaged", ends=EITHER),
    "tar: pax size of 8 EiB": Case(lambda: good_tar()[:-1024] + pax((b"size", b"%d" % ((1 << 63) - 1))) + tar_member(TOP + "var/log/x", b"x"), says="truncated|damaged"),
    "tar: pax size is negative": Case(lambda: pax((b"size", b"-1")) + tar_member(TOP + "var/log/x", b"x") + good_tar(), ends=EITHER),
    # tar: numbers of members
    "tar: 300000 folders": Case(lambda: make.many_entries(300000), "a.tgz", "limit", REFUSED),
    "tar: 200001 empty files": Case(lambda: gz_empty_files(200100), "a.tgz", "limit of 200000 entries|archive bombs"),
    "tar: 100000 of one name": Case(lambda: duplicates(100000), "a.tgz", "more than once"),
    "tar: 30000 deep names": Case(lambda: deep_names(30000), "a.tgz", ""),
    "tar: 5000 hosts": Case(lambda: make.many_hosts(5000), says="limit of 1024"),
}


def gz_empty_files(count):
    return make.gz_of_repeated(b"".join(tar_member("var/log/%d" % n) for n in range(100)), count // 100)


def two_block_xz():
    """The second block's header, which only the decoder reads, asks for 4 GiB."""
    squeezer = lzma.LZMACompressor(check=lzma.CHECK_NONE, preset=0)
    data = squeezer.compress(good_tar()[:4096])
    first = bytearray(data + squeezer.flush())
    other = make.big_dictionary_xz()
    index = first.rindex(b"\0\1", 12, len(first) - 12)
    return bytes(first[:index]) + other[12:]


def quine_zip():
    """
    A zip file whose only member is that zip file, by the method of R. Cox ("Zip Files All The Way Down"): deflate read
    as a program of two instructions, "print the next n units" and "repeat the last n units", each of which is a unit
    of five bytes itself. The checksum, which the file holds too, is a fixed point: sums are linear, so it can be solved.
    """
    unit = 5
    name = b"var".ljust(26, b"_") + b".zip"

    def print_next(data):
        return struct.pack("<BHH", 0, len(data), len(data) ^ 0xffff)

    def build(packed, size, crc):
        head = local(name, b"", packed=packed, size=size, crc=crc)
        listing = central(name, 0, packed, size, crc=crc)
        tail = b"\1\0\0\xff\xff" + listing + end(1, len(listing), len(head) + packed)
        comment = -len(tail) % unit
        return head, tail[:-2] + struct.pack("<H", comment) + b"#" * comment

    def program(head, tail):
        again = repeat(len(head) + unit, 1)
        four, units = repeat(4 * unit, 1), print_next(b"4" * 4 * unit)
        one, none = print_next(b"1" * unit), print_next(b"")
        prefix = print_next(head + b"5" * unit)
        suffix = repeat(len(tail) + 2 * unit, 2)
        last = print_next(suffix + tail)
        return (prefix + head + prefix + again + one + again + one + one + units + again + one + one + units + four +
                units + four + units + four + units + four + units + four + none + none + last + four + none + none +
                last + suffix + tail + suffix)

    def whole(crc):
        head, tail = build(0, 0, 0)
        packed = len(program(head, tail)) + unit
        head, tail = build(packed, len(head) + packed + len(tail) - unit, crc)
        return head + program(head, tail) + tail

    return whole(fixed_point(lambda crc: zlib.crc32(whole(crc))))


def fixed_point(function):
    """The x of 32 bits with function(x) == x, for a function that is linear but for a constant."""
    constant = function(0)
    rows = []  # (image of a bit under function + identity, the bit)
    for bit in (1 << n for n in range(32)):
        image = function(bit) ^ constant ^ bit
        for other, mix in rows:
            if image ^ other < image:
                image, bit = image ^ other, bit ^ mix
        assert image, "no fixed point"
        rows.append((image, bit))
    x, left = 0, constant
    for image, mix in sorted(rows, reverse=True):
        if left ^ image < left:
            left, x = left ^ image, x ^ mix
    assert left == 0 and function(x) == x
    return x


LENGTHS = ((3, 10, 7), (11, 18, 8), (19, 34, 9), (35, 66, 10), (67, 114, 11), (115, 130, 12), (131, 257, 13))


@functools.lru_cache(maxsize=None)
def repeat(distance, units):
    """Fixed Huffman codes that copy `distance` bytes from `distance` bytes before, in exactly `units` of five bytes."""
    code, base, extra = distance_code(distance)
    for empties in range(4):
        room = units * 40 - 10 * (1 + empties)
        lengths = lengths_for(distance, room, 5 + extra)
        if lengths is not None:
            bits = "010"  # not the last block, fixed codes, from the lowest bit
            for length in lengths:
                bits += length_bits(length) + format(code, "05b") + lowest_first(distance - base, extra)
            bits += "0" * 7 + ("010" + "0" * 7) * empties
            return bytes(int(bits[i:i + 8][::-1], 2) for i in range(0, len(bits), 8))
    raise AssertionError("no code for %d" % distance)


def lowest_first(value, width):
    return format(value, "0%db" % width)[::-1] if width else ""


def distance_code(distance):
    base, code = 1, 0
    while True:
        extra = max(0, code // 2 - 1)
        if distance < base + (1 << extra):
            return code, base, extra
        base, code = base + (1 << extra), code + 1


def length_bits(length):
    base, code = 3, 257
    while True:
        extra = max(0, (code - 261) // 4)
        if length < base + (1 << extra):
            head = format(code - 256, "07b") if code < 280 else format(0b11000000 + code - 280, "08b")
            return head + lowest_first(length - base, extra)
        base, code = base + (1 << extra), code + 1


@functools.lru_cache(maxsize=None)
def lengths_for(total, bits, distance_bits):
    """Lengths that sum to `total` and whose codes need exactly `bits`, or None."""
    if total == 0 and bits == 0:
        return []
    if total < 3 or bits < distance_bits + 7:
        return None
    for low, high, cost in LENGTHS:
        for length in range(min(high, total), low - 1, -1):
            rest = lengths_for(total - length, bits - cost - distance_bits, distance_bits)
            if rest is not None:
                return [length] + rest
    return None

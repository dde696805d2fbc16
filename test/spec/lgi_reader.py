"""A reader of LGI files, version 1.5, written from the documents and the schema in spec/ alone, with Python's standard library.

    python3 lgi_reader.py FOLDER      decodes or refuses every vector of a folder; exit status 1 where one fails
    python3 lgi_reader.py FILE.lgi    opens and checks a file, prints its signals, or its error, as JSON

It is there to show that the text suffices: it changes only where the text does. Numbers in parentheses are sections of
the text. It is made to be read, not to be fast.
"""
import bisect
import functools
import itertools
import json
import math
import operator
import pathlib
import struct
import sys
import zlib

import lgi_latents

MAGIC = b"\x91LGI\r\n\x1a\n"
BEYOND_FIRST, IMPLIED, CONSTANT, LATENT, SHORT_SLOTS, LOCAL_ORIGIN = 1, 2, 4, 8, 16, 32   # features: the extent goes on; ...
KNOWN_FEATURES = BEYOND_FIRST | IMPLIED | CONSTANT | LATENT | SHORT_SLOTS | LOCAL_ORIGIN
AXES = {"image": 2, "audio": 1, "video": 3, "volume": 3, "shape": 3}        # in the order of SignalKind
KINDS = list(AXES)
SAMPLE_TYPES = ["uint8", "uint16", "float32"]
PEAKS = {"uint8": 255, "uint16": 65535}
LAYOUT_CHANNELS = [1, 2, 3, 4, None]              # Grey, GreyAlpha, Rgb, RgbAlpha, Plain
FLOAT32, FLOAT16, INTEGER = range(3)              # WeightFormat
NONE, DEFLATE, RANGE = range(3)                          # Coder
HEAD_BYTES, SHORT_HEAD_BYTES = 36, 4
MOST_WHOLE = 2**53 - 1
MOST_POSITION = 2**31 - 1
MOST_FLOAT32 = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
PARTITIONS_KEPT = 64
LATTICE_POINTS_KEPT = 4096


class LgiError(Exception):
    def __init__(self, code, section, message):
        super().__init__(f"{code} in {section}: {message}")
        self.code, self.section, self.message = code, section, message


def need(condition, section, message, code="damaged"):
    if not condition:
        raise LgiError(code, section, message)


def within(value, most, section, what):
    need(abs(value) <= most, section, f"{what} beyond its limit", "limit")


# ---------------------------------------------------------------- numbers (1)

def make_crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)           # 0x1EDC6F41, its bits reversed
        table.append(value)
    return table


CRC_TABLE = make_crc_table()


def crc32c(data, before=0):
    crc = before ^ 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def f32(number):
    try:
        return struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)


# ---------------------------------------------------------------- FlatBuffers (appendix A, 10.3)

# Inline field types: bytes, alignment, struct format. A format of one number gives a number, else a tuple.
INLINE = {
    "u8": (1, 1, "<B"), "u16": (2, 2, "<H"), "i32": (4, 4, "<i"), "u32": (4, 4, "<I"), "f32": (4, 4, "<f"), "f64": (8, 8, "<d"),
    "ValueMapping": (16, 8, "<dd"), "CoordinateMap": (16, 8, "<dd"), "Colour": (4, 1, "<BBBB"), "Rate": (8, 4, "<II"),
    "SineActivation": (48, 8, "<dddddd"), "TensorQuantiser": (8, 4, "<fB3x"), "Run": (16, 8, "<QI4x"),
    "Span": (16, 8, "<QII"),
}
# Fields in order; "[x]" a vector, a union "|x" takes two field numbers, "!" required. Absent scalars are 0.
TABLES = {
    "Header": "signals:[Signal]! digest:[u8] writer:string",
    "Signal": "kind:u8 role:u8 sample_format:SampleFormat! colour:Colour first_shape:[u32]! "
              "coordinate_maps:[CoordinateMap]! nominal_cell:[u32]! architecture:|SineFamily,LatentFamily! quantiser:Quantiser! "
              "coder:u8 global_weights:[u8]! rate:Rate start_seconds:f64 overview_factor:u16 "
              "constant_partitions:u8",
    "SampleFormat": "sample_type:u8 channels:u8 layout:u8 mapping:ValueMapping!",
    "SineFamily": "levels:u8 local_width:u16 global_width:u16 local_coordinates:u8 lattice_stride:u16 "
                  "local_activation:SineActivation! global_activation:SineActivation! merge_activation:SineActivation!",
    "LatentFamily": "levels:u8 finest_levels:[u8]! hidden_width:u8 amplitude:f32 default_set:u8",
    "Quantiser": "format:u8 local_tensors:[TensorQuantiser]! global_tensors:[TensorQuantiser]! local_models:[u8] "
                 "local_origin:[u8]",
    "Index": "signals:[SignalIndex]! sections:[Section]!",
    "SignalIndex": "axes:[Axis]! window_begin:[i32]! window_end:[i32]! coordinates:[i32]! payload_lengths:[u32]! "
                   "runs:[Run]! presence:[u8] packed_lengths:[u8]",
    "Axis": "cuts:[i32]! first_cell:i32",
    "Section": "name:string! span:Span!",
}


class FlatBuffer:
    """Verifies a whole buffer while it makes dictionaries of its tables, which are used only after all of it."""

    def __init__(self, data, identifier, section):
        self.data, self.section, self.objects, self.claimed = data, section, [], 0
        self.need(data[4:8] == identifier, "wrong file identifier")
        self.claim(0, 8)
        root = {b"LGIH": "Header", b"LGIX": "Index"}[identifier]
        self.root = self.table(self.follow(0), root, 1)
        self.objects.sort()
        for (_, end), (begin, _) in zip(self.objects, self.objects[1:]):
            self.need(end <= begin, "objects share bytes")

    def need(self, condition, message):
        need(condition, self.section, f"FlatBuffer: {message}")

    def claim(self, begin, size):
        self.need(begin + size <= len(self.data), "an object beyond the end")
        self.claimed += size
        self.need(self.claimed <= len(self.data), "objects share bytes")     # bounds the work: every visit claims
        self.objects.append((begin, begin + size))

    def inline(self, at, kind):
        values = struct.unpack_from(INLINE[kind][2], self.data, at)
        return values[0] if len(values) == 1 else values

    def follow(self, at):
        target = at + self.inline(at, "u32")
        self.need(target > at and target % 4 == 0, "a bad offset")
        self.need(target + 4 <= len(self.data), "an offset beyond the end")
        return target

    def table(self, at, name, depth):
        self.need(depth <= 8, "nested too deep")
        virtual = at - self.inline(at, "i32")
        self.need(virtual % 2 == 0 and 0 <= virtual <= len(self.data) - 4, "a virtual table outside")
        virtual_size, size = self.inline(virtual, "u16"), self.inline(virtual + 2, "u16")
        self.need(virtual_size >= 4 and virtual_size % 2 == 0 and virtual + virtual_size <= len(self.data)
                  and size >= 4, "a bad virtual table")
        self.need(virtual_size < 2**15 and size < 2**15, "a table of 32,768 bytes or more")
        self.claim(at, size)

        def place(number, field_size, alignment):
            entry = 4 + 2 * number
            offset = self.inline(virtual + entry, "u16") if entry < virtual_size else 0
            if offset == 0:
                return None
            self.need(4 <= offset <= size - field_size, "a field outside its table")
            self.need((at + offset) % alignment == 0, "a field off its alignment")
            return at + offset

        values, number = {}, 0
        for declaration in TABLES[name].split():
            field, kind = declaration.rstrip("!").split(":")
            if kind in INLINE:
                spot = place(number, *INLINE[kind][:2])
                values[field] = self.inline(spot, kind) if spot else None if kind[0].isupper() else 0
            elif kind[0] == "|":
                type_spot, spot = place(number, 1, 1), place(number + 1, 4, 4)
                number += 1
                member = self.inline(type_spot, "u8") if type_spot else 0
                values[field + "_type"] = member
                members = kind[1:].split(",")
                values[field] = (self.table(self.follow(spot), members[member - 1], depth + 1)
                                 if spot and 1 <= member <= len(members) else None)
                self.need(member or not spot, "a union with a value and no type")
                if spot and member > len(members):
                    self.need(4 <= self.inline(spot, "u32") < len(self.data) - spot, "a bad offset")
                    values[field] = {}                       # a member of the future: nothing is known of its structure
            else:
                spot = place(number, 4, 4)
                values[field] = self.reference(self.follow(spot), kind, depth) if spot else None
            self.need(not declaration.endswith("!") or values[field] is not None, f"{name}.{field} is missing")
            number += 1
        return values

    def reference(self, at, kind, depth):
        if kind in TABLES:
            return self.table(at, kind, depth + 1)
        count, begin = self.inline(at, "u32"), at + 4
        if kind == "string":
            self.claim(at, 4 + count + 1)
            self.need(self.data[begin + count] == 0, "a string without its end")
            try:
                return self.data[begin:begin + count].decode("utf-8")
            except UnicodeDecodeError:
                self.need(False, "a string that is no UTF-8")
        element = kind[1:-1]
        size, alignment, layout = INLINE.get(element, (4, 4, "<I"))
        self.claim(at, 4 + size * count)
        self.need(count == 0 or begin % alignment == 0, "a vector off its alignment")
        if element in TABLES:
            return [self.table(self.follow(begin + 4 * i), element, depth + 1) for i in range(count)]
        content = self.data[begin:begin + size * count]
        if element == "u8":
            return content
        rows = struct.iter_unpack(layout, content)
        return [row[0] for row in rows] if element in ("i32", "u32") else list(rows)


# ---------------------------------------------------------------- superblock (3, 10.1)

def valid_slot(slot, length):
    if len(slot) < length or slot[:8] != MAGIC or bool(slot[16] & SHORT_SLOTS) != (length == 112):
        return False
    return crc32c(slot[:-4]) == struct.unpack_from("<I", slot, length - 4)[0]


def read_superblock(data):
    short = [data[at:at + 112] for at in (0, 112)]
    long = [data[at:at + 512] for at in (0, 512)]
    valid = [s for s in short if valid_slot(s, 112)] or [s for s in long if valid_slot(s, 512)]
    with_magic = [slot for slot in short + long if slot[:8] == MAGIC]
    claims_short = data[:8] == MAGIC and len(data) > 16 and data[16] & SHORT_SLOTS
    cut = len(data) < (224 if claims_short else 1024) and not valid and data and MAGIC.startswith(data[:8])
    need(not cut, "superblock", "the file ends in the superblock", "truncated")
    need(with_magic, None, "no magic", "not-lgi")
    need(valid, "superblock", "no slot has a right checksum")
    for slot in valid:                  # before the generation is read: a later major version may have it elsewhere
        need(struct.unpack_from("<H", slot, 8)[0] == 1, "superblock", "a major version not known", "unsupported")
        unknown = struct.unpack_from("<Q", slot, 16)[0] & ~KNOWN_FEATURES
        need(not unknown, "superblock", "features not known", "unsupported")

    names = "features _ _ generation id header_at header_length header_crc index_at index_length index_crc committed"
    blocks = [dict(zip(names.split(), struct.unpack_from("<QQQQ16sQIIQIIQ", slot, 16))) for slot in valid]
    for block in blocks:
        for number in ("generation", "header_at", "index_at", "committed"):
            within(block[number], MOST_WHOLE, "superblock", number)
        need(block["generation"] >= 1, "superblock", "generation 0")
    need(len({block["generation"] for block in blocks}) == len(set(valid)), "superblock",
         "two slots of one generation differ")
    block = max(blocks, key=operator.itemgetter("generation"))
    for section, most in (("header", 2**26 + 2**20), ("index", 2**26)):
        within(block[section + "_length"], most, "superblock", f"length of the {section}")
    for section in ("header", "index"):
        at, length = block[section + "_at"], block[section + "_length"]
        need(superblock_length(block) <= at and at % 8 == 0, "superblock", f"a bad place of the {section}")
        need(at + length <= block["committed"], "superblock", f"{section} beyond the committed length")
    return block


def superblock_length(block):
    return 224 if block["features"] & SHORT_SLOTS else 1024


def read_section(data, at, length, crc, section):
    need(at + length <= len(data), section, "the file ends in it", "truncated")
    content = data[at:at + length]
    need(crc32c(content) == crc, section, "checksum")
    return content


# ---------------------------------------------------------------- header (4, 6, 9, 10.4)

def known(value, values, section, what):
    need(value < len(values), section, f"{what} not known", "unsupported")
    return values[value]


class Network:
    """The sine family of one signal, and how its weights are stored (6)."""

    def __init__(self, n, m, table):
        arch, quantiser, section = table["architecture"], table["quantiser"], "header"
        self.coder = known(table["coder"], [NONE, DEFLATE, RANGE], section, "coder")
        self.format = known(quantiser["format"], [FLOAT32, FLOAT16, INTEGER], section, "weight format")
        self.cell_coordinates = known(arch["local_coordinates"], [False, True], section, "local coordinates")
        self.levels, self.stride = arch["levels"], arch["lattice_stride"]
        self.local_width, self.global_width = arch["local_width"], arch["global_width"]
        levels, local, wide = self.levels, self.local_width, self.global_width
        need(levels >= 1 and local >= 1, section, "no levels or no local width")
        for value, most, what in ((levels, 16, "levels"), (local, 2048, "local width"), (wide, 4096, "global width"),
                                  (self.stride, 4096, "lattice stride")):
            within(value, most, section, what)
        self.local_tensors = [(n, local)] + [(local, local)] * (levels - 1) + [(local, m)]
        self.global_tensors = [(n, wide)] + [(wide, wide)] * (levels - 1) + [(local + wide, local)] if wide else []
        within(self.weights_of(self.local_tensors), 2**22, section, "weights of a partition")
        within(self.weights_of(self.global_tensors), 2**24, section, "global weights")
        self.activations = {}
        for role in ("local", "global", "merge"):
            values = arch[role + "_activation"]
            need(all(map(math.isfinite, values)), section, "an activation that is not finite")
            for value, most in zip(values, (1e5, 1e5, 32, 32, 1e6, 1e6)):
                within(value, most, section, "activation")
            self.activations[role] = values
        self.local_quantisers = self.check_quantisers(quantiser["local_tensors"], self.local_tensors)
        self.global_quantisers = self.check_quantisers(quantiser["global_tensors"], self.global_tensors)
        self.models = self.take_models(quantiser["local_models"])
        origin = quantiser["local_origin"]
        need(origin is None or self.coder == RANGE, section, "an origin without its coder")
        need(origin is None or 8 * len(origin) >= self.weights_of(self.local_tensors), section, "length of the origin")
        self.origin = None if origin is None else self.read_integers(origin, self.local_tensors, self.local_quantisers, section)
        has_none = len(table["global_weights"]) == 0
        need(has_none or wide > 0, section, "global weights")
        need(not has_none or wide == 0 or self.coder == RANGE, section, "global weights")
        self.global_layers = wide and self.layers(
            self.read_weights(table["global_weights"], self.global_tensors, self.global_quantisers, section),
            self.global_tensors)

    def take_models(self, models):
        """What is known of every local tensor's integers, where the coder is Range (6.3)."""
        need((models is not None) == (self.coder == RANGE), "header", "models without their coder, or a coder without them")
        if self.coder != RANGE:
            return None
        need(self.format == INTEGER, "header", "the coder of integers for floats")
        taken, at = [], 0
        for _ in self.local_quantisers:
            need(at < len(models), "header", "length of the models")
            count = models[at]
            taken.append(list(models[at + 1:at + 1 + count]))
            need(count <= 31 and len(taken[-1]) == count and all(c <= 128 for c in taken[-1]), "header", "a model")
            at += 1 + count
        need(at == len(models), "header", "length of the models")
        return taken

    def read_range(self, payload, tensors, quantisers, section, models):
        integers = self.read_integers(payload, tensors, quantisers, section, models, models and self.origin)
        sizes = [size for inputs, outputs in tensors for size in (inputs * outputs, outputs)]
        step_of_each = itertools.chain.from_iterable(itertools.repeat(step, size) for size, (step, _) in zip(sizes, quantisers))
        return [f32(q * step) for q, step in zip(integers, step_of_each)]

    def read_integers(self, payload, tensors, quantisers, section, models=None, origin=None):
        """The numbers q of a stream of the coder Range (6.3)."""
        need(len(payload) <= 20 * self.weights_of(tensors) + 4, section, "length of the payload")
        sizes = [size for inputs, outputs in tensors for size in (inputs * outputs, outputs)]
        integers, decoder = [], lgi_latents.RangeDecoder(payload)
        for number, (size, (_, bits)) in enumerate(zip(sizes, quantisers)):
            model = lgi_latents.NumberModel(models[number], 128) if models else lgi_latents.NumberModel()
            for _ in range(size):
                q = model.read(decoder) + (origin[len(integers)] if origin else 0)
                need(abs(q) < 2**(bits - 1), section, "an integer that its bits do not have")
                integers.append(q)
        try:
            decoder.end()
        except lgi_latents.BadStream as error:
            raise LgiError("damaged", section, str(error)) from None
        return integers

    @staticmethod
    def weights_of(tensors):
        return sum(inputs * outputs + outputs for inputs, outputs in tensors)

    def check_quantisers(self, quantisers, tensors):
        expected = 2 * len(tensors) if self.format == INTEGER else 0          # weight and bias are a tensor each
        need(len(quantisers) == expected, "header", "number of quantisers")
        for step, bits in quantisers:
            need(bits >= 2, "header", "bits of an integer")
            within(bits, 16, "header", "bits of an integer")
            need(step > 0 and math.isfinite(f32((2**(bits - 1) - 1) * step)), "header", "step of an integer")
        return quantisers

    def stored_bits(self, tensors, quantisers):
        """Bits of a payload without a coder."""
        if self.format != INTEGER:
            return (32 if self.format == FLOAT32 else 16) * self.weights_of(tensors)
        sizes = [size for inputs, outputs in tensors for size in (inputs * outputs, outputs)]
        return sum(size * bits for size, (_, bits) in zip(sizes, quantisers))

    def read_weights(self, payload, tensors, quantisers, section, models=None):
        """The flat array of weights of a payload (6.2, 6.3)."""
        if self.coder == RANGE:
            return self.read_range(payload, tensors, quantisers, section, models)
        count = self.weights_of(tensors)
        quantiser_of_each = []
        if self.format == INTEGER:
            sizes = [size for inputs, outputs in tensors for size in (inputs * outputs, outputs)]
            quantiser_of_each = itertools.chain.from_iterable(map(itertools.repeat, quantisers, sizes))
            width = 1 if all(bits <= 8 for _, bits in quantisers) else 2
        else:
            width = 4 if self.format == FLOAT32 else 2
        if self.coder == NONE:
            need(len(payload) == (self.stored_bits(tensors, quantisers) + 7) // 8, section, "length of the payload")
        else:
            payload = join_planes(inflate(payload, width * count, section), width)
        if self.format != INTEGER:
            weights = struct.unpack("<%d%s" % (count, "f" if width == 4 else "e"), payload)
            need(all(map(math.isfinite, weights)), section, "a weight that is not finite")
            return weights
        weights, gathered, gathered_bits, position = [], 0, 0, 0
        for step, bits in quantiser_of_each:
            for_code = bits if self.coder == NONE else 8 * width
            while gathered_bits < for_code:
                gathered |= payload[position] << gathered_bits
                gathered_bits, position = gathered_bits + 8, position + 1
            code = gathered & (1 << for_code) - 1
            gathered, gathered_bits = gathered >> for_code, gathered_bits - for_code
            need(code <= 2**bits - 2, section, "a code that is not used")
            weights.append(f32((code // 2 if code % 2 == 0 else -(code + 1) // 2) * step))
        need(gathered == 0, section, "bits set in the padding")
        return weights

    @staticmethod
    def layers(weights, tensors):
        """Per layer one column of weights per output, and the biases (6.1)."""
        result, at = [], 0
        for inputs, outputs in tensors:
            end = at + inputs * outputs
            result.append(([weights[at + j:end:outputs] for j in range(outputs)], weights[end:end + outputs]))
            at = end + outputs
        return result

    def activate(self, role, first, sums):
        omega_first, omega_hidden, a, b, c, d = self.activations[role]
        factor = math.exp(b) * (omega_first if first else omega_hidden)
        return [math.exp(a) * math.sin(factor * z + c) + d for z in sums]

    def global_part(self, coordinates):
        """What the merge adds to its sum at every level: Wm_global g_i (7.2)."""
        merge_columns = [column[self.local_width:] for column in self.global_layers[-1][0]]
        features, parts = coordinates, []
        for level, layer in enumerate(self.global_layers[:-1]):
            features = self.activate("global", level == 0, affine(layer, features))
            parts.append([dot(features, column) for column in merge_columns])
        return parts

    def outputs(self, local_layers, coordinates, parts):
        features = coordinates
        for level, layer in enumerate(local_layers[:-1]):
            features = self.activate("local", level == 0, affine(layer, features))
            if parts:
                columns, biases = self.global_layers[-1]
                own = [dot(features, column) for column in columns]          # stops after the local rows
                features = self.activate("merge", False, map(sum, zip(own, parts[level], biases)))
        return affine(local_layers[-1], features)


def dot(features, column):
    return sum(map(operator.mul, features, column))


def affine(layer, features):
    return [dot(features, column) + bias for column, bias in zip(*layer)]


def inflate(payload, expected, section):
    need(1032 * len(payload) >= expected, section, "a DEFLATE stream too short for its weights")
    need(len(payload) <= expected + -(-expected // 128) + 64, section, "a DEFLATE stream longer than any may be")
    stream = zlib.decompressobj(wbits=-15)
    try:
        content = stream.decompress(payload, expected + 1)
    except zlib.error as error:
        raise LgiError("damaged", section, f"DEFLATE: {error}") from None
    need(len(content) == expected and stream.eof and not stream.unused_data, section, "length of a DEFLATE stream")
    return content


def join_planes(planes, width):
    content, count = bytearray(len(planes)), len(planes) // width
    for byte in range(width):
        content[byte::width] = planes[byte * count:(byte + 1) * count]
    return content


def unpack(packed):
    """Numbers as LEB128 (5.1)."""
    lengths, length, shift = [], 0, 0
    for byte in packed:
        length |= (byte & 127) << shift
        need(length < 2**32 and (byte or not shift), "index", "a packed length that is none")
        shift += 7
        if byte < 128:
            lengths.append(length)
            length, shift = 0, 0
    need(shift == 0, "index", "a packed length without its end")
    return lengths


def place_on_curve(coordinates):
    """Where the Hilbert curve passes a partition (5.1)."""
    x = [c + 2**31 for c in coordinates]
    for q in (1 << bit for bit in range(31, 0, -1)):
        for a in range(len(x)):
            if x[a] & q:
                x[0] ^= q - 1
            else:
                t = (x[0] ^ x[a]) & q - 1
                x[0] ^= t
                x[a] ^= t
    for a in range(1, len(x)):
        x[a] ^= x[a - 1]
    t = 0
    for bit in range(31, 0, -1):
        if x[-1] >> bit & 1:
            t ^= (1 << bit) - 1
    place = 0
    for bit in range(31, -1, -1):
        for value in x:
            place = 2 * place + ((value ^ t) >> bit & 1)
    return place


class Signal:
    """What header and index say of one signal, and the values at its positions."""

    def __init__(self, table):
        section = "header"
        self.kind = known(table["kind"], KINDS, section, "kind")
        self.n = n = AXES[self.kind]
        self.is_overview = known(table["role"], [False, True], section, "role")
        self.overview_factor = table["overview_factor"]
        known(table["architecture_type"] - 1, ["sine", "latent"], section, "architecture")
        self.is_latent = table["architecture_type"] == 2
        self.is_short = self.is_latent or table["coder"] == RANGE
        self.has_origin = table["quantiser"]["local_origin"] is not None
        self.head_bytes = SHORT_HEAD_BYTES if self.is_short else HEAD_BYTES
        samples = table["sample_format"]
        self.sample_type = known(samples["sample_type"], SAMPLE_TYPES, section, "sample type")
        self.channels = samples["channels"]
        layout_channels = known(samples["layout"], LAYOUT_CHANNELS, section, "layout")
        need(self.channels >= 1 and self.channels == (layout_channels or self.channels), section, "channels")
        self.format = (self.sample_type, self.channels, samples["layout"], samples["mapping"])
        self.value_scale, self.value_offset = samples["mapping"]
        need(all(map(math.isfinite, samples["mapping"])) and self.value_scale != 0, section, "mapping")
        within(max(map(abs, samples["mapping"])), MOST_FLOAT32, section, "mapping")
        self.first_shape, self.nominal_cell = table["first_shape"], table["nominal_cell"]
        self.coordinate_maps = table["coordinate_maps"]
        for vector in (self.first_shape, self.nominal_cell) + (() if self.is_latent else (self.coordinate_maps,)):
            need(len(vector) == n, section, "a vector without one entry per axis")
        need(all(size >= 1 for size in self.first_shape + self.nominal_cell), section, "an axis of no samples")
        for size in self.first_shape + self.nominal_cell:
            within(size, MOST_POSITION, section, "samples of an axis")
        for size, (scale, offset) in zip(self.first_shape, self.coordinate_maps):
            need(math.isfinite(scale) and math.isfinite(offset), section, "coordinate map")
            within(offset, 1e6, section, "signal coordinate")
            within(scale * size + offset, 1e6, section, "signal coordinate")
        need(table["rate"] is None or all(table["rate"]), section, "rate")
        need(math.isfinite(table["start_seconds"]), section, "start")
        within(table["start_seconds"], MOST_WHOLE, section, "start")
        self.has_constants = bool(table["constant_partitions"])
        if self.is_latent:
            self.take_latent_family(table)
            return
        self.network = Network(n, self.channels, table)
        if self.has_constants and self.network.coder == NONE:
            bits = self.network.stored_bits(self.network.local_tensors, self.network.local_quantisers)
            need((bits + 7) // 8 != 4 * self.channels, section, "networks as long as constants")
        lattice = self.network.stride if self.network.global_width else 0
        self.fold_at = [-(-size // lattice) * lattice if lattice else size for size in self.first_shape]
        self.global_part_at = functools.lru_cache(LATTICE_POINTS_KEPT)(
            lambda position: self.network.global_part(self.signal_coordinates(position)))

    def take_latent_family(self, table):
        section, family, quantiser = "header", table["architecture"], table["quantiser"]
        known(quantiser["format"], [FLOAT32, FLOAT16, INTEGER], section, "weight format")
        known(table["coder"], [NONE, DEFLATE, RANGE], section, "coder")
        need(self.kind == "image" and not self.has_constants, section, "latents of what is no picture")
        need(not table["coordinate_maps"] and not quantiser["local_tensors"] and not quantiser["global_tensors"]
             and table["coder"] == NONE and quantiser["local_models"] is None and quantiser["local_origin"] is None, section, "latents with coordinate maps, quantisers or a coder")
        levels, finest, hidden = family["levels"], family["finest_levels"], family["hidden_width"]
        for value, most, what in ((levels, 12, "levels"), (self.channels, 4, "planes"), (hidden, 64, "hidden width")):
            within(value, most, section, what)
        need(levels >= 2 and hidden >= 4 and hidden % 4 == 0, section, "levels or hidden width")
        need(len(finest) == self.channels and all(level < levels for level in finest), section, "finest levels")
        self.amplitude = family["amplitude"]
        need(math.isfinite(self.amplitude) and self.amplitude > 0, section, "amplitude")
        shape, defaults = (levels, tuple(finest), hidden, self.channels), None
        if family["default_set"] != 0:
            defaults = lgi_latents.default_weights(*shape)
            need(family["default_set"] == 1 and defaults, section, "built-in weights not known", "unsupported")
        try:
            self.shared = lgi_latents.Shared(*shape, table["global_weights"], defaults)
        except lgi_latents.BadStream as error:
            raise LgiError("damaged", section, str(error)) from None

    def take_index(self, table, block):
        """Checks and takes what the index says of this signal (5.1); chunk offsets stand in `chunks`."""
        section, features = "index", block["features"]
        n = self.n
        need(features & CONSTANT or not self.has_constants, section, "constant partitions without their feature")
        need(features & LATENT or not self.is_latent, section, "latents without their feature")
        need(features & LOCAL_ORIGIN or not self.has_origin, section, "an origin without its feature")
        need(len(table["axes"]) == len(table["window_begin"]) == len(table["window_end"]) == n, section, "axes")
        self.begin, self.end = table["window_begin"], table["window_end"]
        self.cuts = [axis["cuts"] for axis in table["axes"]]
        self.first_cells = [axis["first_cell"] for axis in table["axes"]]
        for cuts, first, size, begin, end in zip(self.cuts, self.first_cells, self.first_shape, self.begin, self.end):
            need(len(cuts) >= 2 and all(map(operator.lt, cuts, cuts[1:])), section, "cuts")
            within(cuts[0], MOST_POSITION, section, "cut")
            within(cuts[-1] - cuts[0], MOST_POSITION, section, "samples of an axis")
            within(first, MOST_POSITION, section, "partition coordinate")
            within(first + len(cuts) - 2, MOST_POSITION, section, "partition coordinate")
            longest = max(map(operator.sub, cuts[1:], cuts)) if self.is_latent else 0
            within(longest, 512, section, "samples of a cell of latents")
            need(features & BEYOND_FIRST or (0 <= cuts[0] and cuts[-1] <= size), section, "extent beyond the first encode")
            need(cuts[0] <= begin < end <= cuts[-1], section, "window")
        within(math.prod(len(cuts) - 1 for cuts in self.cuts), 2**20, section, "cells")
        runs, (cells, lengths) = table["runs"], self.take_columns(table, block)
        need(bool(runs) == bool(lengths), section, "runs")
        first_chunks = [first for _, first in runs]
        need(not runs or first_chunks[0] == 0 and first_chunks[-1] < len(lengths)
             and all(map(operator.lt, first_chunks, first_chunks[1:])), section, "first chunks of the runs")
        run_begins = {first: offset for offset, first in runs}
        aligned = not self.is_latent and self.network.format != INTEGER and self.network.coder == NONE
        self.chunks, at = {}, 0
        for number, length in enumerate(lengths):
            at += -(at + HEAD_BYTES) % 16 if aligned else 0
            if number in run_begins:
                at = run_begins[number]
                within(at, MOST_WHOLE, section, "offset of a run")
                need(not aligned or (at + HEAD_BYTES) % 16 == 0, section, "a run off its alignment")
            cell = cells[number]
            inside = (0 <= c - first < len(cuts) - 1 for c, first, cuts in zip(cell, self.first_cells, self.cuts))
            need(all(inside), section, "a chunk outside the extent")
            need(cell not in self.chunks, section, "a partition with two chunks")
            self.chunks[cell] = (at, length)
            at += self.head_bytes + length

    def take_columns(self, table, block):
        """The partition of every chunk, and the length of its payload, whatever the columns leave out."""
        section, n = "index", self.n
        flat, lengths, presence = table["coordinates"], table["payload_lengths"], table["presence"] or b""
        packed = table["packed_lengths"] or b""
        need(not (lengths if self.is_short else packed), section, "lengths as chunks with other heads have them")
        if self.is_short:
            lengths = unpack(packed)
        implied = block["features"] & IMPLIED
        cell_count = math.prod(len(cuts) - 1 for cuts in self.cuts)
        for length in lengths:
            within(length, 2**24 + 2**16, section, "payload")
        if flat or not lengths or not implied:
            need(not presence, section, "presence beside coordinates, or without its feature")
            need(len(flat) % n == 0, section, "coordinates of the chunks")
            count = len(flat) // n
        elif presence:
            need(len(presence) == (cell_count + 7) // 8, section, "length of presence")
            bits = int.from_bytes(presence, "little")
            need(bits >> cell_count == 0, section, "bits of presence behind the last cell")
            count = bin(bits).count("1")
            need(count > 0, section, "a length of no chunk")
        else:
            count = cell_count
        need(len(lengths) == count or implied and not self.is_short and len(lengths) == 1, section, "lengths of the chunks")
        shared = lengths[0] if len(lengths) < count else 0
        block["room"] = block.get("room", block["committed"]) - count * (self.head_bytes + shared)
        block["chunks"] = block.get("chunks", 0) + count
        within(block["chunks"], 2**22, section, "chunks")
        need(block["room"] >= 0, section, "more chunks than have room")
        lengths = lengths if len(lengths) == count else lengths * count
        if len(flat) == n * count:
            return [tuple(flat[n * c:n * c + n]) for c in range(count)], lengths
        cells = sorted(self.cells(), key=place_on_curve)
        return [cell for i, cell in enumerate(cells) if not presence or bits >> i & 1], lengths

    def cells(self):
        ranges = [range(first, first + len(cuts) - 1) for first, cuts in zip(self.first_cells, self.cuts)]
        return itertools.product(*ranges)

    def absent(self):
        return [list(cell) for cell in self.cells() if cell not in self.chunks]

    def box(self, cell):
        return [cuts[c - first:c - first + 2] for c, first, cuts in zip(cell, self.first_cells, self.cuts)]

    def cell_at(self, position):
        """The partition whose box contains a position; a cut belongs to the cell that begins there (7)."""
        return tuple(first + min(bisect.bisect_right(cuts, p) - 1, len(cuts) - 2)
                     for p, first, cuts in zip(position, self.first_cells, self.cuts))

    def signal_coordinates(self, position):
        result = []
        for p, fold_at, (scale, offset) in zip(position, self.fold_at, self.coordinate_maps):
            if not 0 <= p <= fold_at:
                p -= 2 * fold_at * math.floor(p / (2 * fold_at))
                p = p if p <= fold_at else 2 * fold_at - p
            result.append(f32(scale * p + offset))
        return result

    def cell_coordinates(self, position, cell):
        return [f32((p - (begin + end) / 2) / (nominal / 2))
                for p, (begin, end), nominal in zip(position, self.box(cell), self.nominal_cell)]

    def global_parts(self, position):
        """Wm_global g_i of all levels at a position: evaluated, or interpolated between lattice points (7.3)."""
        network, stride = self.network, self.network.stride
        if not network.global_width:
            return None
        if not stride:
            return self.global_part_at(position)
        lower = [math.floor(p / stride) for p in position]
        fractions = [p / stride - k for p, k in zip(position, lower)]
        parts = [[0.0] * network.local_width for _ in range(network.levels)]
        for corner in itertools.product((0, 1), repeat=self.n):
            weight = math.prod(f if upper else 1 - f for f, upper in zip(fractions, corner))
            point = tuple((k + upper) * stride for k, upper in zip(lower, corner))
            parts = [[sum_so_far + weight * value for sum_so_far, value in zip(*rows)]
                     for rows in zip(parts, self.global_part_at(point))]
        return parts

    def sample(self, y):
        v = y * self.value_scale + self.value_offset
        if self.sample_type == "float32":
            return f32(v)
        peak = PEAKS[self.sample_type]
        return 0 if v + 0.5 < 1 else peak if v + 0.5 >= peak else math.floor(v + 0.5)

    def samples_at(self, position, layers_of):
        """The channels at a position, None where the partition is absent."""
        cell = self.cell_at(position)
        if cell not in self.chunks:
            return None
        if self.is_latent:
            counted = tuple(c - first for c, first in zip(cell, self.first_cells))
            return [self.sample(y) for y in layers_of(None).outputs(position, counted)]
        in_cell = self.network.cell_coordinates
        own = self.cell_coordinates(position, cell) if in_cell else self.signal_coordinates(position)
        outputs = self.network.outputs(layers_of(cell), own, self.global_parts(position))
        return [self.sample(y) for y in outputs]

    def positions(self, begin, end, scale, size):
        """Per axis the positions of all outputs (7.4)."""
        result = []
        for axis, (first, last) in enumerate(zip(begin, end)):
            length, extent_end = last - first, self.cuts[axis][-1]
            r = 1.0 if scale is None else float(scale)
            count = math.floor(length * r)
            if count == 0:
                count, r = 1, 1 / length
            if size is not None:
                count, r = size[axis], size[axis] / length
            positions = ((first * r + j + 0.5) / r for j in range(count))
            result.append([max(self.cuts[axis][0], min(p, extent_end)) for p in positions])
        return result


class LgiFile:
    """A file, opened: steps 1 to 4 of section 10 are done, chunks and metadata are checked when they are read."""

    def __init__(self, data):
        self.data, self.block = data, read_superblock(data)
        block = self.block
        header, index = (read_section(data, block[name + "_at"], block[name + "_length"], block[name + "_crc"], name)
                         for name in ("header", "index"))
        header = FlatBuffer(header, b"LGIH", "header").root
        need(len(header["signals"]) >= 1, "header", "no signals")
        within(len(header["signals"]), 64, "header", "signals")
        need(len(header["digest"] or b"") in (0, 32), "header", "digest")
        writer = header["writer"] or ""
        within(len(writer.encode()), 255, "header", "writer")
        need(not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in writer), "header", "control characters in writer")
        self.signals = [Signal(table) for table in header["signals"]]
        self.check_overviews()
        index = FlatBuffer(index, b"LGIX", "index").root
        need(len(index["signals"]) == len(self.signals), "index", "another number of signals than the header has")
        for signal, table in zip(self.signals, index["signals"]):
            signal.take_index(table, block)
        self.take_sections(index["sections"])
        self.check_places()

    def check_overviews(self):
        """An overview is a reduced copy of the primary signal before it (4)."""
        primary, before = None, 1
        for signal in self.signals:
            factor = signal.overview_factor
            if not signal.is_overview:
                need(factor == 0, "header", "a primary signal with an overview factor")
                primary, before = signal, 1
                continue
            need(primary and factor > before and factor & factor - 1 == 0, "header", "factor of an overview")
            within(factor, 4096, "header", "factor of an overview")
            need((signal.kind, signal.format) == (primary.kind, primary.format), "header", "format of an overview")
            need(signal.first_shape == [-(-size // factor) for size in primary.first_shape], "header",
                 "shape of an overview")
            before = factor

    def take_sections(self, sections):
        within(len(sections), 1024, "index", "metadata sections")
        self.sections = {}
        for section in sections:
            name, (at, length, _) = section["name"], section["span"]
            need(name and all("!" <= c <= "~" for c in name), "index", "name of a metadata section")
            within(len(name), 255, "index", "name of a metadata section")
            within(length, 2**26, "index", "metadata section")
            within(at, MOST_WHOLE, "index", "offset of a metadata section")
            need(name not in self.sections, "index", "two metadata sections of one name")
            self.sections[name] = section["span"]

    def check_places(self):
        """Nothing overlaps, and nothing lies beyond the committed length (2)."""
        block = self.block
        places = [(0, superblock_length(block)), (block["header_at"], block["header_length"]), (block["index_at"], block["index_length"])]
        places += [(at, length) for at, length, _ in self.sections.values()]
        places += [(at, signal.head_bytes + length) for signal in self.signals for at, length in signal.chunks.values()]
        behind = 0
        for at, length in sorted(place for place in places if place[1] > 0):
            need(at >= behind, "index", "sections overlap")
            need(at + length <= block["committed"], "index", "a section beyond the committed length")
            behind = at + length

    def layers_of(self, number, cell):
        """The layers of a partition, from its chunk (5.2, 10.5)."""
        signal, coordinates = self.signals[number], ",".join(map(str, cell))
        section = f"chunk {number}:{coordinates}" if len(self.signals) > 1 else f"chunk {coordinates}"
        at, length = signal.chunks[cell]
        need(at + signal.head_bytes + length <= len(self.data), section, "the file ends in it", "truncated")
        if signal.is_latent:
            return self.latents_of(signal, number, cell, section)
        if signal.is_short:
            payload = self.payload_with_short_head(signal, number, cell, section)
        else:
            payload = self.payload_with_head(signal, number, cell, section)
        network = signal.network
        if signal.has_constants and length == 4 * signal.channels:                                   # 6.4
            outputs = struct.unpack("<%df" % signal.channels, payload)
            need(all(map(math.isfinite, outputs)), section, "an output that is not finite")
            count = network.weights_of(network.local_tensors) - signal.channels
            return network.layers([0.0] * count + list(outputs), network.local_tensors)
        if network.coder == RANGE and signal.has_constants and length == 4 * signal.channels + 1 and payload[-1] == 0:
            payload = payload[:-1]
        weights = network.read_weights(payload, network.local_tensors, network.local_quantisers, section, network.models)
        return network.layers(weights, network.local_tensors)

    def payload_with_head(self, signal, number, cell, section):
        at, length = signal.chunks[cell]
        head, payload = self.data[at:at + HEAD_BYTES], self.data[at + HEAD_BYTES:at + HEAD_BYTES + length]
        crc, stored_length, *box, stored_signal, kind, _ = struct.unpack("<II3i3IBBH", head)
        need(crc32c(payload, crc32c(head[4:], self.block["header_crc"])) == crc, section, "checksum")
        begins, sizes = zip(*((begin, end - begin) for begin, end in signal.box(cell)), *[(0, 1)] * (3 - signal.n))
        need((stored_length, tuple(box), stored_signal) == (length, begins + sizes, number), section,
             "length, box or signal are not those of the index")
        need(kind == 0, section, "kind of the chunk")
        return payload

    def payload_with_short_head(self, signal, number, cell, section):
        at, length = signal.chunks[cell]
        payload = self.data[at + SHORT_HEAD_BYTES:at + SHORT_HEAD_BYTES + length]
        begins, sizes = zip(*((begin, end - begin) for begin, end in signal.box(cell)), *[(0, 1)] * (3 - signal.n))
        head = struct.pack("<I3i3IBBH", length, *begins, *sizes, number, 0, 0)
        stored, = struct.unpack_from("<I", self.data, at)
        need(crc32c(payload, crc32c(head, self.block["header_crc"])) == stored, section, "checksum")
        return payload

    def latents_of(self, signal, number, cell, section):
        """The planes of a partition of latents (15.4)."""
        payload = self.payload_with_short_head(signal, number, cell, section)
        (top, bottom), (left, right) = signal.box(cell)
        try:
            return lgi_latents.synthesise(signal.shared, payload, bottom - top, right - left)
        except lgi_latents.BadStream as error:
            raise LgiError("damaged", section, str(error)) from None

    def picture(self, number):
        signal = self.signals[number]
        parts = {tuple(c - first for c, first in zip(cell, signal.first_cells)): self.layers_of(number, cell)
                 for cell in signal.chunks}
        return lgi_latents.Picture(signal.cuts, parts, signal.amplitude)

    def metadata(self, name):
        at, length, crc = self.sections[name]
        return read_section(self.data, at if length else 0, length, crc, name)

    def check_everything(self):
        for number, signal in enumerate(self.signals):
            for cell in signal.chunks:
                self.layers_of(number, cell)
        for name in self.sections:
            self.metadata(name)
        need(len(self.data) >= self.block["committed"], "superblock", "shorter than its committed length", "truncated")

    def decode(self, number, region=None, scale=None, size=None):
        """Shape and samples of a region; samples in absent partitions are None."""
        signal = self.signals[number]
        begin, end = region or (signal.begin, signal.end)
        axes = signal.positions(begin, end, scale, size)
        layers_of = functools.lru_cache(PARTITIONS_KEPT)(
            lambda cell: self.picture(number) if signal.is_latent else self.layers_of(number, cell))
        samples = []
        for position in itertools.product(*axes):
            found = signal.samples_at(position, layers_of)
            samples += found or [None] * signal.channels
        return [len(positions) for positions in axes], samples


# ---------------------------------------------------------------- conformance vectors (12)

def describe(signal):
    return {"kind": signal.kind, "shape": [e - b for b, e in zip(signal.begin, signal.end)],
            "channels": signal.channels, "sampleType": signal.sample_type,
            "window": {"begin": signal.begin, "end": signal.end}, "absent": signal.absent()}


def run_vector(path):
    """Whether a vector passes, and what to say of it."""
    expected = json.loads(path.with_suffix(".json").read_text())
    try:
        file = LgiFile(path.read_bytes())
        file.check_everything()
    except LgiError as error:
        wanted = expected.get("error", {})
        passed = error.code == wanted.get("code") and wanted.get("section", error.section) == error.section
        return passed, f"expected {wanted or 'samples'}, got {error}"
    if "error" in expected:
        return False, f"expected {expected['error']}, got no error"
    if len(expected["signals"]) != len(file.signals):
        return False, "another number of signals"
    largest = 0
    for number, entry in enumerate(expected["signals"]):
        region = entry.get("region")
        shape, samples = file.decode(number, region and (region["begin"], region["end"]), entry.get("scale"),
                                     entry.get("size"))
        facts = dict(describe(file.signals[number]), shape=shape)
        wrong = [name for name, value in facts.items() if entry[name] != value]
        if wrong or len(samples) != len(entry["samples"]):
            return False, f"differs in {wrong or 'the number of samples'}"
        if any((got is None) != (wanted is None) for got, wanted in zip(samples, entry["samples"])):
            return False, "other samples are absent"
        difference = max((abs(g - w) for g, w in zip(samples, entry["samples"]) if g is not None), default=0)
        largest = max(largest, difference)
        if difference > entry["tolerance"]:
            return False, f"largest difference {difference}, tolerance {entry['tolerance']}"
    return True, f"largest difference {largest}"


def main(argument):
    path = pathlib.Path(argument)
    if path.is_dir():
        vectors, failures = sorted(path.glob("*.lgi")), 0
        for vector in vectors:
            passed, message = run_vector(vector)
            failures += not passed
            print("pass" if passed else "FAIL", vector.stem, "-", message)
        print(f"{len(vectors)} vectors, {failures} failed")
        return 1 if failures or not vectors else 0
    try:
        file = LgiFile(path.read_bytes())
        file.check_everything()
        print(json.dumps({"signals": [describe(signal) for signal in file.signals], "sections": list(file.sections)}))
        return 0
    except LgiError as error:
        print(json.dumps({"error": {"code": error.code, "section": error.section, "message": error.message}}))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

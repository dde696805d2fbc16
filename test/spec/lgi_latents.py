"""The latent family of lgi_reader.py, written from section 15 of spec/latent.md alone. Made to be read, not to be fast."""
import functools
import math
import pathlib

NEIGHBOURS = [(0, -1), (0, -2), (-1, -1), (-1, 0), (-1, 1), (-2, 0), (-1, -2), (-1, 2)]
LARGEST = 32767


class BadStream(Exception):
    pass


# ---------------------------------------------------------------- range decoder (15.2)

class RangeDecoder:
    def __init__(self, data):
        self.data, self.taken, self.range, self.code = data, 0, 2**32 - 1, 0
        for _ in range(4):
            self.code = self.code << 8 | self.next_byte()

    def next_byte(self):
        self.taken += 1
        return self.data[self.taken - 1] if self.taken <= len(self.data) else 0

    def bit(self, probability):
        bound = (self.range >> 15) * probability
        if self.code < bound:
            bit, self.range = 0, bound
        else:
            bit, self.code, self.range = 1, self.code - bound, self.range - bound
        while self.range < 2**24:
            self.range, self.code = self.range << 8, (self.code << 8 | self.next_byte()) & 0xFFFFFFFF
        return bit

    def even(self, bits):
        value = 0
        for _ in range(bits):
            value = value << 1 | self.bit(1 << 14)
        return value

    def end(self):
        if self.taken < len(self.data) or self.data and self.data[-1] == 0:
            raise BadStream("a stream that is not well ended")


# ---------------------------------------------------------------- shared weights (15.3)

class NumberModel:
    def __init__(self, zeros=(), all=0):
        rest = [0] * (31 - len(zeros))
        self.zeros, self.ones = [*zeros, *rest], [*(all - count for count in zeros), *rest]

    def read(self, decoder):
        n = 0
        while n < 31:
            zeros, ones = self.zeros[n], self.ones[n]
            bit = decoder.bit((2**15 * (2 * zeros + 1)) // (2 * (zeros + ones) + 2))
            zeros, ones = zeros + (bit == 0), ones + bit
            if zeros + ones > 255:
                zeros, ones = zeros // 2, ones // 2
            self.zeros[n], self.ones[n] = zeros, ones
            if bit == 0:
                break
            n += 1
        if n == 0:
            return 0
        negative = decoder.even(1)
        magnitude = 2**(n - 1) + decoder.even(n - 1)
        return -magnitude if negative else magnitude


def check(numbers, least, most):
    if any(not least <= number <= most for number in numbers):
        raise BadStream("a shared weight out of its range")
    return numbers


class Shared:
    def __init__(self, levels, finest, hidden, channels, data, defaults=None):
        self.grids = []                                                     # level, plane, parent, earlier (15.1)
        for level in reversed(range(levels)):
            for plane, first in enumerate(finest):
                if level >= first:
                    parent = [i for i, grid in enumerate(self.grids) if grid[:2] == (level + 1, plane)]
                    earlier = [i for i, grid in enumerate(self.grids) if grid[0] == level]
                    self.grids.append((level, plane, parent, earlier))
        decoder, count = RangeDecoder(data), len(self.grids)

        self.numbers, self.exponents = [], []

        def read(model, count, factor=1.0):
            numbers = [model.read(decoder) for _ in range(count)]
            if defaults:                                                    # differences from built-in weights
                bases = defaults.numbers[len(self.numbers):]
                numbers = [number + math.floor(base * factor + 0.5) for number, base in zip(numbers, bases)]
            self.numbers += numbers
            return numbers

        def real(rows, columns):
            exponent, model = decoder.even(5), NumberModel()
            factor = 2.0**(exponent - defaults.exponents[len(self.exponents)]) if defaults else 1.0
            self.exponents.append(exponent)
            return [[number * 2.0**-exponent for number in check(read(model, columns, factor), -2**20, 2**20)]
                    for _ in range(rows)]

        self.hidden_weight, (self.hidden_bias,) = real(hidden, count), real(1, hidden)
        self.output_weight, (self.output_bias,) = real(channels, hidden), real(1, channels)
        self.bypass, self.taps = real(channels, count), real(levels - 1, 4)
        means, spreads, offsets, gains, presences = (NumberModel() for _ in range(5))
        self.models = []
        for _, _, parent, earlier in self.grids:
            contexts = len(NEIGHBOURS) + len(parent) + len(earlier)
            mean = check(read(means, contexts), -2047, 2047)
            spread = check(read(spreads, contexts), 0, 2047)
            scale = check(read(offsets, 1) + read(gains, 1), -2**19, 2**19)
            presence = check(read(presences, 1), 1, 255)
            self.models.append((mean, spread, *scale, *presence))
        decoder.end()


DEFAULTS = {(7, (0, 1, 1), 32, 3): "rgb-1.bin", (7, (0,), 32, 1): "grey-1.bin"}


@functools.cache
def default_weights(*shape):
    """The built-in weights of an architecture, or None where there are none (15.3)."""
    if shape not in DEFAULTS:
        return None
    folder = pathlib.Path(__file__).parent / "../../spec/latent-defaults"
    return Shared(*shape, (folder / DEFAULTS[shape]).read_bytes())


# ---------------------------------------------------------------- latents (15.4)

def whole(probability):
    return max(1, min(2**15 - 1, math.floor(probability * 2**15 + 0.5)))


@functools.lru_cache(None)
def tables():
    b = [2**((s - 40) / 8) for s in range(128)]
    u = [j / 16 for j in range(9)]
    same = [[whole(1 - (math.exp(-(0.5 - v) / w) + math.exp(-(0.5 + v) / w)) / 2) for v in u] for w in b]
    toward = [[whole(1 / (1 + math.exp(-2 * v / w))) for v in u] for w in b]
    return same, toward, [whole(1 - math.exp(-1 / w)) for w in b], [whole(1 / (1 + math.exp(-1 / w))) for w in b]


@functools.lru_cache(None)
def logarithm(value):
    octave = value.bit_length() - 1
    six = (value << 6 >> octave) & 63
    return 32 * octave + math.floor(32 * math.log2(1 + six / 64) + 0.5)


def read_distance(decoder, s):
    _, _, end, digit = tables()
    k = 0 if s < 48 else (s - 40) >> 3
    low = sum(decoder.bit(digit[s - 8 * i]) << i for i in range(k))
    q = 0
    while q < 16 and decoder.bit(end[s - 8 * k]):
        q += 1
    if q == 16:
        b = 0
        while b < 17 and decoder.bit(1 << 14):
            b += 1
        q = 16 + 2**b + decoder.even(b) - 1
    return low + (q << k) + 1


def read_latents(shared, payload, height, width):
    decoder, grids = RangeDecoder(payload), []
    same, toward, _, _ = tables()
    for (level, _, parent, earlier), (mean, spread, offset, gain, presence) in zip(shared.grids, shared.models):
        rows, columns = -(-height // 2**level), -(-width // 2**level)
        grid = [[0] * columns for _ in range(rows)]
        grids.append(grid)
        if decoder.bit(128 * presence) == 0:
            continue
        for y in range(rows):
            for x in range(columns):
                near = [grid[y + dy][x + dx] if y + dy >= 0 and 0 <= x + dx < columns else 0 for dy, dx in NEIGHBOURS]
                near += [grids[other][y >> 1][x >> 1] for other in parent] + [grids[other][y][x] for other in earlier]
                m = sum(weight * n for weight, n in zip(mean, near))
                total = 3 + sum(weight * abs(n) for weight, n in zip(spread, near))
                c = (m + 32) >> 6
                f = m - 64 * c
                s = max(0, min(127, (offset + gain * logarithm(total) + 128) >> 8))
                c = max(-LARGEST, min(LARGEST, c))
                j = (abs(f) + 2) >> 2
                if decoder.bit(same[s][j]):
                    t = decoder.bit(toward[s][j])
                    distance = read_distance(decoder, s)
                    c += distance if (t == 0) == (f > 0) else -distance
                    if abs(c) > LARGEST:
                        raise BadStream("a latent beyond 16 bits")
                grid[y][x] = c
    decoder.end()
    return grids


# ---------------------------------------------------------------- synthesis (15.5)

def doubled(rows, length, taps):
    """Twice as many rows, up to a length."""
    result = []
    for out in range(length):
        i = out >> 1
        sources = (i - 2, i - 1, i, i + 1) if out % 2 == 0 else (i + 2, i + 1, i, i - 1)
        picked = [rows[max(0, min(len(rows) - 1, source))] for source in sources]
        result.append([sum(tap * value for tap, value in zip(taps, column)) for column in zip(*picked)])
    return result


def synthesise(shared, payload, height, width):
    """Per channel the values at the samples of a partition, row by row, in units of the amplitude."""
    features = []
    for (level, *_), grid in zip(shared.grids, read_latents(shared, payload, height, width)):
        feature = [[latent * 2.0**-level for latent in row] for row in grid]
        for finer in reversed(range(level)):
            tall = doubled(feature, -(-height // 2**finer), shared.taps[finer])
            wide = doubled([list(column) for column in zip(*tall)], -(-width // 2**finer), shared.taps[finer])
            feature = [list(row) for row in zip(*wide)]
        features.append(feature)

    def dot(weights, values):
        return sum(weight * value for weight, value in zip(weights, values))

    planes = [[[0.0] * width for _ in range(height)] for _ in shared.output_bias]
    for y in range(height):
        for x in range(width):
            here = [feature[y][x] for feature in features]
            z = [max(0.0, dot(row, here) + bias) for row, bias in zip(shared.hidden_weight, shared.hidden_bias)]
            for plane, weights, bias, bypass in zip(planes, shared.output_weight, shared.output_bias, shared.bypass):
                plane[y][x] = dot(weights, z) + bias + dot(bypass, here)
    return planes


# ---------------------------------------------------------------- borders and positions (15.6)

class Picture:
    """Partitions put together: `cuts` of both axes, and the planes of those that are there by their cell, counted from 0."""

    def __init__(self, cuts, parts, amplitude):
        self.cuts, self.parts, self.amplitude = cuts, parts, amplitude
        self.planes = []
        for channel in range(len(next(iter(parts.values()), []))):
            plane = {}
            for (row, column), planes in parts.items():
                top, left = cuts[0][row], cuts[1][column]
                for y, values in enumerate(planes[channel]):
                    for x, value in enumerate(values):
                        plane[top + y, left + x] = value
            for axis in (1, 0):                                    # borders that rows cross, then those that columns do
                self.smooth(plane, axis)
            self.planes.append(plane)

    def smooth(self, plane, axis):
        own, other, changes = self.cuts[axis], self.cuts[1 - axis], []
        for i in range(1, len(own) - 1):
            if min(own[i] - own[i - 1], own[i + 1] - own[i]) < 4:
                continue
            for k in range(len(other) - 1):
                if any(self.at(axis, cell, k) not in self.parts for cell in (i - 1, i)):
                    continue
                for along in range(other[k], other[k + 1]):
                    places = [self.at(axis, own[i] + step, along) for step in (-2, -1, 0, 1)]
                    a1, a0, b0, b1 = (plane[place] for place in places)
                    jump = b0 - a0 - (a0 - a1 + b1 - b0) / 2
                    held = jump * max(0.0, 1 - abs(jump) / 3)
                    changes += zip(places, (held / 8, 3 * held / 8, -3 * held / 8, -held / 8))
        for place, change in changes:
            plane[place] += change

    @staticmethod
    def at(axis, across, along):
        return (across, along) if axis == 0 else (along, across)

    def outputs(self, position, cell):
        axes = []
        for p in position:
            i = math.floor(p - 0.5)
            t = p - 0.5 - i
            axes.append([(i - 1, (-t + 2 * t**2 - t**3) / 2), (i, (2 - 5 * t**2 + 3 * t**3) / 2),
                         (i + 1, (t + 4 * t**2 - 3 * t**3) / 2), (i + 2, (t**3 - t**2) / 2)])
        samples = [(self.nearest((y, x), cell), v * w) for y, v in axes[0] for x, w in axes[1] if v * w != 0]
        return [self.amplitude * sum(weight * plane[place] for place, weight in samples) for plane in self.planes]

    def nearest(self, sample, cell):
        """The sample that stands for one that may lie behind a border: of the neighbour there, or of the partition itself."""
        sides = [-1 if s < cuts[c] else 1 if s >= cuts[c + 1] else 0 for s, c, cuts in zip(sample, cell, self.cuts)]
        there = tuple(c + side for c, side in zip(cell, sides))
        home = there if there in self.parts else cell
        return tuple(max(cuts[c], min(cuts[c + 1] - 1, s)) for s, c, cuts in zip(sample, home, self.cuts))

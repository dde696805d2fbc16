"""Shows that each rule of the second reader in Python is needed by a vector: breaks one rule at a time, and runs the vectors.

    python3 reader_mutations.py VECTORS      prints a line for every rule; exit status 1 where one can be broken unseen

Rules that refuse are broken by letting what they refuse pass, at one line of the reader; rules of decoding by another text of
the line. What no vector can show has its reason here.
"""
import collections
import json
import pathlib
import re
import sys
import types

HERE = pathlib.Path(__file__).parent
CHECKERS = {"need", "within", "known", "check", "inner", "__init__"}

# Refusals that no vector reaches, or whose absence none can show: a piece of their line, and why.
UNSEEN = {
    "raise LgiError(code, section, message)": "what all refusals come to",
    'need(abs(value) <= most, section, f"{what} beyond': "what all limits come to",
    "need(condition, self.section": "what all refusals of FlatBuffers come to",
    'need(value < len(values), section, f"{what} not known': "what all unknown values come to",
    "need(self.claimed <= len(self.data)": "bounds work alone: objects that share bytes are refused after it",
    'need(depth <= 8, "nested too deep")': "tables of the schema do not nest so deep",
    'within(block[number], MOST_WHOLE': "the text leaves the code open: damaged or limit",
    'need(block["generation"] >= 1': "the text leaves the code open",
    'need(levels >= 1 and local >= 1': "the text leaves the code open",
    'need(all(map(math.isfinite, values)), section, "an activation': "the text leaves the code open",
    'need(bits >= 2': "the text leaves the code open",
    'within(bits, 16': "the text leaves the code open",
    'need(all(map(math.isfinite, samples["mapping"]))': "scale 0 is shown by invalid-mapping; for the rest the text leaves the code open",
    'need(all(size >= 1 for size in self.first_shape': "the text leaves the code open",
    'need(math.isfinite(scale) and math.isfinite(offset)': "the text leaves the code open",
    'need(table["rate"] is None or all(table["rate"])': "the text leaves the code open",
    'need(math.isfinite(table["start_seconds"])': "the text leaves the code open",
    'within(at, MOST_WHOLE': "the text leaves the code open",
    'need(len(header["signals"]) >= 1': "the text leaves the code open",
    'need(not has_none or wide == 0 or self.coder == RANGE': "an empty payload has a wrong length, too",
    'need(1032 * len(payload) >= expected': "bounds memory alone: what is inflated has a wrong length, too",
    'need(len(payload) <= 20 * self.weights_of': "bounds work alone: no stream of numbers so few is as long and well ended",
    'need(bool(runs) == bool(lengths)': "without runs chunks lie in the superblock; without chunks no run has a first one",
    'within(block["chunks"], 2**22': "takes a file of 16 MB",
    'need(len(self.data) >= self.block["committed"]': "a reader need not notice that bytes are missing that it does not read",
    'need(not cut, "superblock"': "shown by invalid-superblock-cut",
}


def load(name, change=None):
    """A module of the reader, some of its text replaced."""
    text = (HERE / f"{name}.py").read_text()
    if change:
        before, after = change
        if text.count(before) != 1:
            raise SystemExit(f"{name}: {before!r} stands there {text.count(before)} times")
        text = text.replace(before, after)
    module = types.ModuleType(name)
    module.__file__ = str(HERE / f"{name}.py")
    sys.modules[name] = module
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    return module


def place_of(frame):
    while frame.f_code.co_name in CHECKERS and frame.f_code.co_name != "__init__" or frame.f_code.co_name == "inner":
        frame = frame.f_back
    return pathlib.Path(frame.f_code.co_filename).name, frame.f_lineno


def passes(reader, vector):
    try:
        return reader.run_vector(vector)[0]
    except Exception:                                 # a reader without a rule may fail in any way
        return False


# Rules of decoding: module, text, what a wrong reader has in its place, and a vector that fails then.
DECODING = [
    ("lgi_reader", "result.append(f32(scale * p + offset))", "result.append(scale * p + offset)", "rounded-signal"),
    ("lgi_reader", "return [f32((p - (begin + end) / 2) / (nominal / 2))", "return [((p - (begin + end) / 2) / (nominal / 2))",
     "rounded-cell"),
    ("lgi_reader", "((first * r + j + 0.5) / r", "(first + (j + 0.5) / r", "scaled-order"),
    # That outputs are held to the extent's end takes two million outputs to be seen.
    ("lgi_reader", "count = math.floor(length * r)", "count = round(length * r)", "latent-scaled"),
    ("lgi_reader", "count, r = 1, 1 / length", "count = 1", "scaled-to-one"),
    ("lgi_reader", "return 0 if v + 0.5 < 1 else peak if v + 0.5 >= peak else math.floor(v + 0.5)",
     "return max(0, min(peak, math.floor(v)))", "constant-halves"),
    ("lgi_reader", "return 0 if v + 0.5 < 1 else peak if v + 0.5 >= peak else math.floor(v + 0.5)",
     "return max(0, min(peak, round(v)))", "constant-halves"),
    ("lgi_reader", "return 0 if v + 0.5 < 1 else peak if v + 0.5 >= peak else math.floor(v + 0.5)",
     "return math.floor(v + 0.5) % (peak + 1)", "constant-halves"),
    ("lgi_reader", '.decode("utf-8")', '.decode("latin-1")', "invalid-utf8"),
    ("lgi_reader", "bisect.bisect_right(cuts, p)", "bisect.bisect_left(cuts, p)", "scaled-onto-cut"),
    ("lgi_reader", "p = p if p <= fold_at else 2 * fold_at - p", "p = min(p, fold_at)", "grown"),
    ("lgi_reader", "[-(-size // lattice) * lattice if lattice else size for size", "[size for size", "grown"),
    ("lgi_reader", "weights.append(f32((code // 2", "weights.append(((code // 2", "rounded-weights"),
    ("lgi_reader", "cells = sorted(self.cells(), key=place_on_curve)", "cells = list(self.cells())", "implied"),
    ("lgi_reader", "if signal.has_constants and length == 4", "if False and length == 4", "constant"),
    ("lgi_reader", "length == 4 * signal.channels + 1 and payload[-1] == 0", "False", "range-ambiguous"),
    ("lgi_latents", "math.floor(base * factor + 0.5)", "math.floor(base * factor)", "latent-halved"),
    ("lgi_latents", "math.floor(base * factor + 0.5)", "round(base * factor)", "latent-halved"),
    ("lgi_latents", "math.floor(base * factor + 0.5)", "int(math.copysign(math.floor(abs(base * factor) + 0.5), base))",
     "latent-halved"),
    ("lgi_latents", "f = m - 64 * c\n", "c = max(-LARGEST, min(LARGEST, c)); f = m - 64 * c\n", "latent-held"),
    ("lgi_latents", "c = max(-LARGEST, min(LARGEST, c))\n", "pass\n", "latent-held"),
    ("lgi_latents", "c = (m + 32) >> 6", "c = int((m + 32) / 64)", "latent-extreme"),
    # 15 steps are the most that a latent needs: of 16 or 17, all are beyond 16 bits.
    ("lgi_latents", "while b < 17 and", "while b < 15 and", "latent-held"),
    ("lgi_latents", "q = 16 + 2**b + decoder.even(b) - 1", "q = 16 + 2**b + decoder.even(b)", "latent-extreme"),
    ("lgi_latents", "while q < 16 and", "while q < 15 and", "latent-extreme"),
    ("lgi_latents", "if abs(c) > LARGEST:", "if abs(c) > LARGEST + 1:", "invalid-latent-32768"),
    ("lgi_latents", "if abs(c) > LARGEST:", "if abs(c) >= LARGEST:", "latent-held"),
    ("lgi_latents", "if zeros + ones > 255:", "if zeros + ones >= 255:", "latent-rgb"),
    ("lgi_latents", "(t == 0) == (f > 0)", "(t == 0) == (f >= 0)", "latent-extreme"),
    ("lgi_latents", "if min(own[i] - own[i - 1], own[i + 1] - own[i]) < 4:", "if False:", "latent-grown"),
    ("lgi_latents", "for axis in (1, 0):", "for axis in (0, 1):", "latent-rgb"),
    ("lgi_latents", "home = there if there in self.parts else cell", "home = there", "latent-scaled"),
]


def refusals(vectors):
    """Breaks one refusal at a time: what each vector is refused by, and what goes unseen."""
    reader, latents = load("lgi_reader"), None
    latents = sys.modules["lgi_latents"] = load("lgi_latents")
    reader.lgi_latents = latents
    state = types.SimpleNamespace(broken=None, places=[])
    error_of, bad_stream = reader.LgiError, latents.BadStream

    def refuses():
        place = place_of(sys._getframe(2))
        state.places.append(place)
        return place != state.broken

    def need(condition, section, message, code="damaged"):
        if not condition and refuses():
            raise error_of(code, section, message)

    def check(numbers, least, most):
        if any(not least <= number <= most for number in numbers) and refuses():
            raise bad_stream("a shared weight out of its range")
        return numbers

    reader.need, latents.check = need, check
    faults, seen = [], collections.defaultdict(list)
    for vector in vectors:
        state.broken, state.places = None, []
        if not passes(reader, vector):
            faults.append(f"{vector.stem} fails with every rule in place")
        if state.places:
            seen[state.places[0]].append(vector)
    for place, refused in sorted(seen.items()):
        state.broken = place
        shown = [vector.stem for vector in refused if not passes(reader, vector)]
        print(f"{place[0]}:{place[1]} {' '.join(shown) or 'unseen'}")
        faults += [f"{vector.stem} passes without the rule at {place[0]}:{place[1]}" for vector in refused
                   if vector.stem not in shown and vector.stem not in REDUNDANT]
    for module in ("lgi_reader", "lgi_latents"):
        for number, line in enumerate((HERE / f"{module}.py").read_text().split("\n"), 1):
            if not re.search(r"\b(need|within|known|check)\(", line) or re.match(r"\s*def ", line):
                continue
            if (f"{module}.py", number) not in seen and not any(piece in line for piece in UNSEEN):
                faults.append(f"no vector is refused by {module}.py:{number} {line.strip()}")
    print(f"{len(seen)} refusals are reached and shown, {len(UNSEEN)} have a reason not to be")
    return faults


def decoding(folder):
    faults = []
    for module, before, after, name in DECODING:
        latents = load("lgi_latents", (before, after) if module == "lgi_latents" else None)
        reader = load("lgi_reader", (before, after) if module == "lgi_reader" else None)
        reader.lgi_latents = latents
        vector = folder / f"{name}.lgi"
        if not vector.exists() or passes(reader, vector):
            others = [each.stem for each in sorted(folder.glob("*.lgi")) if not passes(reader, each)] if "--search" in sys.argv else []
            faults.append(f"{name} passes with {after!r} for {before!r}; others that do not: {others}")
        else:
            print(f"{name}: {before!r} as {after!r}")
    return faults


# Vectors that are refused all the same without the rule that they are refused by: what else refuses them.
REDUNDANT = {
    "invalid-flatbuffer-shared": "the cuts of one axis are not those of the other; invalid-flatbuffer-shared-vector shows the rule",
    "invalid-flatbuffer-table": "the lengths of all objects are more than the buffer's; invalid-flatbuffer-end shows the rule",
    "invalid-flatbuffer-vector": "the same",
    "invalid-flatbuffer-union": "an architecture is required",
    "invalid-utf8": "what is no text is read as a vector then; a reader of another encoding is among those above",
    "invalid-header": "the bit is one of an offset; invalid-header-checksum shows the rule",
    "invalid-index": "the bit is one of an offset; invalid-index-checksum shows the rule",
    "invalid-deflate-end": "weights are missing, too",
    "invalid-presence-none": "runs begin with a chunk that there is not, too",
    "invalid-implied-feature": "there are no chunks then, and runs all the same",
    "invalid-implied-room": "bounds work alone: chunks reach beyond the committed length, too",
}


def main(folder):
    folder = pathlib.Path(folder)
    faults = decoding(folder) + refusals(sorted(folder.glob("*.lgi")))
    for fault in faults:
        print("FAULT", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

// Conformance vectors that must be refused by one rule of the format's sections 3 to 5, 9, 15 or appendix A alone: a reader without it takes
// them, or blames something else. test/spec/reader_mutations.py shows it.
import { encodeShared, decodeShared } from '../dist/codec/latent/shared-weights.js';
import { latentTensors } from '../dist/codec/latent/latent-architecture.js';
import { crc32c } from '../dist/src/container/crc32c.js';
import { openContainer } from '../dist/src/container/reader.js';
import { encodeSuperblock, findSuperblock } from '../dist/src/container/superblock.js';
import { MemorySource } from '../dist/src/index.js';
import { flatBufferRules } from './vector-flatbuffer-rules.mjs';
import { headerLimits } from './vector-header-limits.mjs';
import { headerRules } from './vector-header-rules.mjs';
import { indexRules } from './vector-index-rules.mjs';
import { withTables } from './edited-tables.mjs';
import { heldLatents } from './vector-numbers.mjs';
import { withPayload } from './vector-payloads.mjs';

/** The file with a copy of its header elsewhere, which its superblock names. */
async function withHeaderAt(file, place, committed = (length) => length) {
  const { superblock } = await openContainer(new MemorySource(file));
  const { byteOffset, byteLength, crc } = superblock.header;
  const at = place(file.length);
  const bytes = new Uint8Array(Math.max(file.length, at + byteLength));
  bytes.set(file);
  bytes.set(file.subarray(byteOffset, byteOffset + byteLength), at);
  bytes.set(
    encodeSuperblock({
      ...superblock,
      header: { byteOffset: at, byteLength, crc },
      committedByteLength: committed(bytes.length),
    }),
  );
  return bytes;
}

/** Shared weights beyond what they may be. */
async function sharedFaults(files) {
  const grey = files.get('latent-grey');
  const [signal] = (await openContainer(new MemorySource(grey))).header.signals;
  const { architecture, shared } = signal.latents;
  const withNumber = (tensor, place, value) => {
    const stored = decodeShared(architecture, shared);
    const { offset } = latentTensors(architecture).find(({ name }) => name === tensor);
    stored.numbers[offset + place] = value;
    const bytes = [...encodeShared(architecture, stored)];
    return withTables(grey, (h) => void (h.signals[0].globalWeights = bytes));
  };
  const faults = [];
  for (const [name, description, tensor, place, value] of [
    ['weight', 'A hidden weight beyond 2^20.', 'hiddenWeight', 0, 2 ** 20 + 1],
    ['taps', 'A tap beyond -2^20.', 'taps', 0, -(2 ** 20) - 1],
    ['mean', 'A mean of 2,048.', 'mean', 0, 2048],
    ['spread-large', 'A spread of 2,048.', 'spread', 0, 2048],
    ['offset', 'An offset beyond 2^19.', 'scale', 0, 2 ** 19 + 1],
    ['gain', 'A gain beyond -2^19.', 'scale', 1, -(2 ** 19) - 1],
    ['presence', 'A presence of 0.', 'presence', 0, 0],
    ['presence-large', 'A presence of 256.', 'presence', 0, 256],
  ]) {
    faults.push([
      `latent-shared-${name}`,
      description,
      await withNumber(tensor, place, value),
      'damaged',
      'header',
    ]);
  }
  return faults;
}

/** Every fault: name, description, bytes, code and, where the format fixes it, section. */
export async function ruleFaults(files) {
  const tables = [
    ...flatBufferRules(files),
    ...headerLimits(files),
    ...(await headerRules(files)),
    ...indexRules(files),
  ];
  const one = files.get('one-partition');
  const { superblock } = await openContainer(new MemorySource(one));
  const faults = [
    ['latent-32768', 'A latent of 32,768.', await heldLatents(32_768), 'damaged', 'chunk 0,0'],
    [
      'header-checksum',
      "A letter of the writer's name in the header is another one, which only the checksum tells.",
      relettered(one, superblock.header, 'lgi 0'),
      'damaged',
      'header',
    ],
    [
      'index-checksum',
      "A letter of a metadata section's name is another one, which only the checksum tells.",
      relettered(files.get('icc'), findSuperblock(files.get('icc')).superblock.index, 'icc'),
      'damaged',
      'index',
    ],
    [
      'place-alignment',
      'A header that begins at no multiple of 8.',
      await withHeaderAt(one, (end) => 8 * Math.ceil(end / 8) + 4),
      'damaged',
      'superblock',
    ],
    [
      'place-superblock',
      'A header inside the superblock.',
      superblockHeader(one, superblock),
      'damaged',
      'superblock',
    ],
    [
      'place-committed',
      'A header beyond the committed length.',
      await withHeaderAt(
        one,
        (end) => 8 * Math.ceil(end / 8),
        (length) => length - 8,
      ),
      'damaged',
      'superblock',
    ],
    [
      'truncated-index',
      'The file ends inside its index.',
      one.slice(0, superblock.index.byteOffset + 20),
      'truncated',
    ],
    [
      'deflate-type',
      'A DEFLATE stream with a block of a type that there is not.',
      await withPayload(files.get('rgba8-deflate'), (payload) =>
        Uint8Array.of(payload[0] | 6, ...payload.slice(1)),
      ),
      'damaged',
      'chunk 0,0',
    ],
  ];
  for (const [name, description, file, edit, code, section, last] of tables) {
    const bytes = await withTables(file, (header, index, superblock) => {
      const changes = edit(header, index, superblock);
      last?.(header, index);
      const isChange =
        changes && typeof changes === 'object' && ('mustUnderstand' in changes || 'features' in changes);
      return isChange ? changes : undefined;
    });
    faults.push([name, description, bytes, code, section]);
  }
  return [...faults, ...(await sharedFaults(files))];
}

/** The file with the first letter of a text in a section as the next one of the alphabet. */
function relettered(file, { byteOffset, byteLength }, text) {
  const section = String.fromCharCode(...file.subarray(byteOffset, byteOffset + byteLength));
  const at = section.lastIndexOf(text);
  if (at < 0) throw new Error(`no ${text} in it`);
  const bytes = file.slice();
  bytes[byteOffset + at]++;
  return bytes;
}

/** A header that begins behind the first slot. */
function superblockHeader(file, superblock) {
  const bytes = file.slice();
  const byteOffset = 512;
  const { byteLength } = superblock.header;
  bytes.set(
    encodeSuperblock({
      ...superblock,
      header: { byteOffset, byteLength, crc: crc32c(file.subarray(byteOffset, byteOffset + byteLength)) },
    }),
  );
  return bytes;
}

// Mutations of header, index and superblock, number by number.
import type { TableName } from '../../schema/generated/layout.js';
import { verifyFlatBuffer } from '../../src/container/flatbuffer-verifier.js';
import { MAGIC } from '../../src/container/superblock.js';
import type { Choices } from './choices.js';
import type { Draft } from './draft.js';
import { interesting, readBits, WHOLE_64, writeBits } from './interesting.js';
import { findPlaces, type VectorPlace } from './places.js';

type Section = 'header' | 'index';

const ROOTS: Readonly<Record<Section, TableName>> = { header: 'Header', index: 'Index' };

const IDENTIFIERS: Readonly<Record<Section, string>> = { header: 'LGIH', index: 'LGIX' };

/** Places of a section that is still sound; null after a mutation that made it unsound. */
function placesOf(draft: Draft, section: Section): ReturnType<typeof findPlaces> | null {
  try {
    // What is unsound has counts and offsets that lead anywhere.
    verifyFlatBuffer(draft[section].slice(), ROOTS[section], IDENTIFIERS[section], section, 0);
    return findPlaces(draft[section], ROOTS[section]);
  } catch {
    return null;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Another number in a place of the FlatBuffer. */
export function changeNumber(draft: Draft, choices: Choices): void {
  const section = choices.pick(['header', 'index', 'index'] as const);
  const places = placesOf(draft, section);
  if (places === null) return;
  const bytes = draft[section].slice();
  const view = viewOf(bytes);
  // Values, since what is behind the verifier takes more finding than the verifier.
  const values = places.numbers.filter(({ kind }) => kind === 'value');
  // An index without signals and sections has none.
  const wantsValue = choices.chance(0.7) && values.length > 0;
  const { at, size, kind } = choices.pick(wantsValue ? values : places.numbers);
  if (at + size > bytes.length) return;
  const before = readBits(view, at, size);
  const toObject = kind === 'offset' && choices.chance(0.5);
  const value = toObject
    ? BigInt((choices.pick(places.objects) - at) >>> 0)
    : interesting(size, before, choices);
  writeBits(view, at, size, value);
  draft[section] = bytes;
  draft.notes.push(`${section} ${kind} at ${at}, ${size} bytes: ${before} to ${value}`);
}

/** Puts other elements in a vector's place: at the buffer's end, where there is room for any number. */
function replaceVector(
  bytes: Uint8Array,
  { offsetAt }: VectorPlace,
  elements: Uint8Array,
  count: number,
): Uint8Array {
  // Elements begin at a multiple of 8.
  const at = Math.ceil((bytes.length + 4) / 8) * 8 - 4;
  const longer = new Uint8Array(at + 4 + elements.length + 8);
  longer.set(bytes);
  longer.set(elements, at + 4);
  const view = viewOf(longer);
  view.setUint32(at, count, true);
  view.setUint32(offsetAt, at - offsetAt, true);
  return longer;
}

/** A vector, or string, with more or fewer elements. */
export function resizeVector(draft: Draft, choices: Choices): void {
  const section = choices.pick(['header', 'index'] as const);
  const places = placesOf(draft, section);
  if (places === null || places.vectors.length === 0) return;
  const place = choices.pick(places.vectors);
  const { at, elementSize, name } = place;
  const old = draft[section].subarray(at + 4, at + 4 + place.count * elementSize);
  const count = choices.pick([
    0,
    Math.max(0, place.count - 1),
    place.count + 1,
    2 * place.count,
    place.count + 1000,
    choices.chance(0.1) ? 40_000 : 7,
  ]);
  const elements = new Uint8Array(count * elementSize);
  elements.set(old.subarray(0, elements.length));
  const rest = elements.subarray(old.length);
  if (old.length > 0 && choices.chance(0.5)) {
    for (let i = 0; i < rest.length; i++) rest[i] = old[i % old.length];
  } else if (choices.chance(0.5)) {
    // Ascending, as cuts are.
    const view = viewOf(rest);
    for (let i = 0; i + 4 <= rest.length; i += 4) view.setUint32(i, 1000 + i / 4, true);
  }
  draft[section] = replaceVector(draft[section], place, elements, count);
  draft.notes.push(`${section} ${name}: ${place.count} elements to ${count}`);
}

/** Bits and bytes of a section, wherever. */
export function changeBytes(draft: Draft, choices: Choices): void {
  const section = choices.pick(['header', 'index'] as const);
  const bytes = draft[section].slice();
  if (bytes.length === 0) return;
  const count = choices.between(1, 4);
  for (let i = 0; i < count; i++) {
    const at = choices.below(bytes.length);
    bytes[at] = Number(interesting(1, BigInt(bytes[at]), choices));
  }
  draft[section] = bytes;
  draft.notes.push(`${section}: ${count} bytes changed`);
}

/** A section cut short, or with bytes taken out or put in. */
export function resizeSection(draft: Draft, choices: Choices): void {
  const section = choices.pick(['header', 'index'] as const);
  const bytes = draft[section];
  const at = choices.below(bytes.length + 1);
  const length = choices.pick([1, 2, 4, 8, 16, 100]);
  const how = choices.pick(['cut', 'remove', 'insert'] as const);
  const rest = how === 'cut' ? [] : bytes.subarray(how === 'remove' ? at + length : at);
  draft[section] = Uint8Array.from([
    ...bytes.subarray(0, at),
    ...(how === 'insert' ? choices.bytes(length) : []),
    ...rest,
  ]);
  draft.notes.push(`${section}: ${how} at ${at}, ${length} bytes`);
}

/** Fields of a slot, by their place. */
const SLOT_FIELDS = [
  ...[8, 10].map((at) => ({ at, size: 2 })),
  ...[16, 24, 32, 40, 64, 80, 96].map((at) => ({ at, size: 8 })),
  ...[72, 76, 88, 92].map((at) => ({ at, size: 4 })),
];

/** Numbers of the superblock: versions, features, generation, places, lengths. */
export function changeSlot(draft: Draft, choices: Choices): void {
  const { at, size } = choices.pick(SLOT_FIELDS);
  const lengths = [draft.bytes.length, draft.header.length, draft.index.length, 1024, 512];
  const near = BigInt(Math.max(0, choices.pick(lengths) + choices.pick([-1, 0, 1, 8, -8])));
  const value = choices.chance(0.4)
    ? near
    : size === 8
      ? choices.pick(WHOLE_64)
      : interesting(size, BigInt(choices.below(4)), choices);
  const slots = choices.pick([[0, 1], [0, 1], [0], [1]]);
  draft.slotFields.push({ at, size, value, slots });
  // Both of one generation must be the same; with another, the changed one may count.
  if (slots.length === 1 && choices.chance(0.7)) {
    draft.slotFields.push({ at: 40, size: 8, value: BigInt(choices.between(0, 3)), slots });
  }
  draft.notes.push(`slots ${slots.join()}: ${size} bytes at ${at} become ${value}`);
}

/** A slot that is no valid one. */
export function spoilSlot(draft: Draft, choices: Choices): void {
  const slots = [choices.below(2)];
  draft.slotFields.push({ at: choices.below(MAGIC.length), size: 1, value: 0n, slots });
  draft.notes.push(`slot ${slots.join()} without its magic`);
}

// One byte of a conformance vector changed, and every checksum made right again: what a reader then does is up to its checks.
import type { Choices } from './choices.js';
import type { Original } from './corpus.js';
import { draftOf, sealDraft, type Draft } from './draft.js';
import type { HostileFile } from './mutate.js';
import { superblockBytesOf } from '../../src/container/superblock.js';

/** What is done with every mutated vector: all that a reader does. */
export const VECTOR_TARGETS: readonly string[] = ['verify', 'metadata', 'decode'];

/** Puts a byte where it counts: in header, index or a slot, or else in place. */
function put(draft: Draft, at: number, value: number): void {
  const { superblock, bytes } = draft;
  for (const name of ['header', 'index'] as const) {
    const within = at - superblock[name].byteOffset;
    if (within < 0 || within >= superblock[name].byteLength) continue;
    draft[name][within] = value;
    return;
  }
  const slotBytes = superblockBytesOf(superblock.features) / 2;
  if (at < 2 * slotBytes) {
    // In both slots now and then: otherwise the other one counts wherever this one is refused.
    const slots = value % 2 === 0 ? [0, 1] : [Math.floor(at / slotBytes)];
    draft.slotFields.push({ at: at % slotBytes, size: 1, value: BigInt(value), slots });
    return;
  }
  bytes[at] = value;
}

/** The file of a case: vectors in turn, `mutations` cases of each. */
export function mutatedVector(
  vectors: readonly Original[],
  choices: Choices,
  caseNumber: number,
  mutations: number,
): HostileFile {
  const { name, bytes } = vectors[Math.floor(caseNumber / mutations) % vectors.length];
  if (bytes.length === 0) return { bytes, notes: [name], valid: false };
  const at = choices.below(bytes.length);
  const value = bytes[at] ^ choices.between(1, 255);
  const notes = [name, `byte ${at} is ${value}, was ${bytes[at]}`];
  const draft = draftOf(bytes);
  if (draft === null) {
    const changed = bytes.slice();
    changed[at] = value;
    return { bytes: changed, notes, valid: false };
  }
  // Structs before payloads keep what was changed in them.
  draft.sealing.chunks = 'checksum';
  put(draft, at, value);
  return { bytes: sealDraft(draft, choices), notes, valid: false };
}

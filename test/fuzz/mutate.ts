import { BYTE_MUTATIONS } from './byte-mutations.js';
import type { Choices } from './choices.js';
import type { Original } from './corpus.js';
import { draftOf, sealDraft, type Draft } from './draft.js';
import { randomFile } from './random-file.js';
import {
  changeBytes,
  changeNumber,
  changeSlot,
  resizeSection,
  resizeVector,
  spoilSlot,
} from './section-mutations.js';
import { changeIndex, changePayload, exchangeChunks, exchangeSections } from './table-mutations.js';

/** A file to be read, and how it came to be. */
export interface HostileFile {
  readonly bytes: Uint8Array;
  readonly notes: readonly string[];
  /** By the project's own writer, and not changed since: a reader must take it. */
  readonly valid: boolean;
}

type Mutation = (draft: Draft, choices: Choices, other: Uint8Array) => void;

/** A mutation is as likely as it is often here. */
const MUTATIONS: readonly Mutation[] = [
  ...[changeNumber, changeNumber, changeNumber, changeIndex, changeIndex, changePayload, changePayload],
  ...[
    changeSlot,
    resizeVector,
    resizeVector,
    changeBytes,
    resizeSection,
    exchangeChunks,
    exchangeSections,
    spoilSlot,
  ],
];

/** The file of a case. */
export async function mutatedFile(corpus: readonly Original[], choices: Choices): Promise<HostileFile> {
  const notes: string[] = [];
  let bytes: Uint8Array;
  let valid = false;
  if (choices.chance(0.15)) {
    const wishes = Array.from({ length: choices.pick([1, 1, 1, 2]) }, () => ({
      extreme: choices.chance(0.7),
      bomb: choices.chance(0.01),
    }));
    bytes = await randomFile(wishes, choices);
    valid = true;
    notes.push(`random file, ${JSON.stringify(wishes)}`);
  } else {
    const original = choices.pick(corpus);
    bytes = original.bytes;
    notes.push(original.name);
  }
  const other = choices.pick(corpus).bytes;
  // Valid files of extreme numbers are read as they are now and then.
  if (valid && choices.chance(0.3)) return { bytes, notes, valid };
  const draft = draftOf(bytes);
  if (draft !== null && choices.chance(0.9)) {
    const count = choices.pick([1, 1, 1, 2, 2, 3, 6]);
    for (let i = 0; i < count; i++) choices.pick(MUTATIONS)(draft, choices, other);
    loosen(draft, choices);
    bytes = sealDraft(draft, choices);
    notes.push(...draft.notes);
  }
  if (draft === null || choices.chance(0.2)) {
    const { name, apply } = choices.pick(BYTE_MUTATIONS);
    bytes = apply(bytes, choices, other);
    notes.push(name);
  }
  return { bytes, notes, valid: false };
}

/** Now and then a checksum stays wrong, or a chunk's struct does not say what the index says. */
function loosen({ sealing, notes }: Draft, choices: Choices): void {
  if (choices.chance(0.15)) sealing.chunks = choices.pick(['checksum', 'checksum', 'none'] as const);
  for (const part of ['sections', 'header', 'index', 'slots'] as const) {
    if (choices.chance(0.015)) sealing[part] = false;
    if (!sealing[part]) notes.push(`checksum of ${part} as it was`);
  }
}

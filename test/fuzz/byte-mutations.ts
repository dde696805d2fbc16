// Mutations of a file's bytes that know nothing of the format: what networks, disks and editors do.
import type { Choices } from './choices.js';

export interface ByteMutation {
  readonly name: string;
  readonly apply: (bytes: Uint8Array, choices: Choices, other: Uint8Array) => Uint8Array;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A range of a few bytes up to all of them. */
function range(bytes: Uint8Array, choices: Choices): [begin: number, end: number] {
  const begin = choices.below(bytes.length + 1);
  const length = choices.pick([1, 2, 4, 8, 36, 64, 512, bytes.length]);
  return [begin, Math.min(bytes.length, begin + length)];
}

export const BYTE_MUTATIONS: readonly ByteMutation[] = [
  {
    name: 'bits flipped',
    apply: (bytes, choices) => {
      const copy = bytes.slice();
      for (let i = choices.between(1, 8); i > 0 && copy.length > 0; i--) {
        copy[choices.below(copy.length)] ^= 1 << choices.below(8);
      }
      return copy;
    },
  },
  { name: 'truncated', apply: (bytes, choices) => bytes.slice(0, choices.below(bytes.length + 1)) },
  {
    name: 'truncated at the end',
    apply: (bytes, choices) => bytes.slice(0, Math.max(0, bytes.length - choices.between(1, 64))),
  },
  { name: 'bytes behind', apply: (bytes, choices) => joined(bytes, choices.bytes(choices.between(1, 70))) },
  {
    name: 'bytes removed',
    apply: (bytes, choices) => {
      const [begin, end] = range(bytes, choices);
      return joined(bytes.subarray(0, begin), bytes.subarray(end));
    },
  },
  {
    name: 'bytes inserted',
    apply: (bytes, choices) => {
      const [begin, end] = range(bytes, choices);
      return joined(bytes.subarray(0, begin), choices.bytes(end - begin), bytes.subarray(begin));
    },
  },
  {
    name: 'zeros',
    apply: (bytes, choices) => {
      const copy = bytes.slice();
      copy.fill(0, ...range(bytes, choices));
      return copy;
    },
  },
  {
    name: 'a range over another',
    apply: (bytes, choices) => {
      const copy = bytes.slice();
      const [begin, end] = range(bytes, choices);
      copy.copyWithin(choices.below(bytes.length + 1), begin, end);
      return copy;
    },
  },
  {
    name: "another file's bytes from a place on",
    apply: (bytes, choices, other) => {
      const at = choices.below(bytes.length + 1);
      return joined(bytes.subarray(0, at), other.subarray(at));
    },
  },
  {
    name: "another file's bytes in a range",
    apply: (bytes, choices, other) => {
      const copy = bytes.slice();
      const [begin, end] = range(bytes, choices);
      copy.set(other.subarray(begin, end), begin);
      return copy;
    },
  },
];

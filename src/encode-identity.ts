import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Engine } from '../codec/engine/engine.js';
import type { EncodeSettings } from './encode-settings.js';
import type { Media } from './media/media.js';

/** A medium, and how it is encoded. */
interface Part {
  readonly media: Media;
  readonly settings: EncodeSettings;
}

/** Everything besides samples that decides how an encode goes on: SHA-256 in hexadecimal by what people call it. */
export type EncodeIdentity = Readonly<Record<string, string>>;

/** What people call the decisions of an encode. */
const WORDS: Readonly<Record<string, string>> = {
  presetName: 'the preset (`preset`)',
  recipe: 'how it trains',
  axes: 'its partitions (`cell`, `grid`) or size',
  model: 'its networks (`params` and widths)',
  precision: 'its weights (`weights`)',
  coder: 'the coder (`coder`)',
  seed: 'the seed (`seed`)',
  budget: 'what ends it (`iterations`, `seconds`, `psnr`)',
  overlap: 'the overlap (`overlap`)',
  overviews: 'its overviews (`overviews`)',
  constants: 'where the medium is constant',
};

/** The identity of an encode of these media. */
export function encodeIdentity(parts: readonly Part[], { name }: Engine): EncodeIdentity {
  const media = parts.map(({ media: { kind, shape, format } }) => ({ kind, shape, format }));
  const decisions = parts.map(({ settings }) => decisionsOf(settings));
  const names = [...new Set(decisions.flatMap((each) => Object.keys(each)))];
  const named: [string, unknown][] = [
    ['the engine (`engine`)', name],
    ['the size or the sample format', media],
    ...names.map((key): [string, unknown] => [
      WORDS[key] ?? key,
      decisions.map((each) => each[key as keyof typeof each] ?? null),
    ]),
  ];
  return Object.fromEntries(
    named.map(([word, value]) => [word, bytesToHex(sha256(new TextEncoder().encode(JSON.stringify(value))))]),
  );
}

/** What two encodes differ in, in words. */
export function differencesOf(one: EncodeIdentity, other: EncodeIdentity): string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) => one[name] !== other[name]);
}

/** Everything besides samples that decides the weights, as text: different encodes are different families. */
export function decisionsText(parts: readonly Part[]): string {
  const decisions = parts.map(({ settings }) => decisionsOf(settings));
  return JSON.stringify(decisions.length === 1 ? decisions[0] : decisions);
}

function decisionsOf({
  presetName,
  preset,
  grid,
  model,
  precision,
  coder,
  seed,
  budget,
  overviews,
  constants,
  overlap,
}: EncodeSettings): Record<string, unknown> {
  return {
    presetName,
    recipe: preset.recipe,
    axes: grid.axes,
    model,
    precision,
    coder,
    seed,
    budget,
    ...(overlap > 0 && { overlap }),
    ...(overviews.length > 0 && { overviews }),
    ...(constants.size > 0 && {
      constants: [...constants].map(([ordinal, outputs]) => [ordinal, ...outputs]),
    }),
  };
}

import type { MissingPartition, Signal } from '../signal.js';
import type { LgiFile } from '../open.js';
import type { CommandContext } from './command.js';
import type { DecodeFlags } from './decode.js';
import { OptionError } from '../../codec/errors.js';
import { regionOf } from './region-option.js';
import type { DecodeOptions } from '../signal.js';

/** A decode that the command line asks for. */
export interface Decoding {
  readonly file: LgiFile;
  readonly place: string;
  readonly flags: DecodeFlags;
  readonly context: CommandContext;
}

/** What a decode came to. */
export interface Decoded {
  /** What was written, for the title: `640x272 rgb, uint8`. */
  readonly title: string;
  /** The same for programs. */
  readonly fields: object;
  readonly missing: readonly MissingPartition[];
  readonly partitionsDecoded: number;
  readonly bytes: number;
  readonly writeSeconds: number;
  /** Of the overview that it was made from. */
  readonly factor?: number;
  /** What a user should know of how it was written. */
  readonly notice?: string;
}

/** The part of a signal that the options ask for. */
export function partAsked(
  { kind, window }: Signal,
  { region, time, allowDamaged }: DecodeFlags,
): Pick<DecodeOptions, 'region' | 'time' | 'allowDamaged'> {
  return {
    ...(region && { region: regionOf(kind, window, region) }),
    ...(time && { time }),
    ...(allowDamaged && { allowDamaged }),
  };
}

/** @throws OptionError for the first of these options that was given: it has no meaning for what is decoded. */
export function refuseFlags(flags: DecodeFlags, what: string, names: readonly (keyof DecodeFlags)[]): void {
  const given = names.find((name) => flags[name] !== undefined);
  if (given !== undefined) throw new OptionError(given, `has no meaning for ${what}; leave it out`);
}

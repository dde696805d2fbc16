/** What went wrong, as a word that programs can branch on; the message is for people. */
export type LgiErrorCode =
  /** The bytes are no LGI file at all. */
  | 'not-lgi'
  /** The file ends before what its superblock promises. */
  | 'truncated'
  /** A checksum or a structural rule is violated; `section` names where. */
  | 'damaged'
  /** A feature or version that this reader does not know and must. */
  | 'unsupported'
  /** A number in the file, or an input's size, lies beyond a stated limit. */
  | 'limit'
  /** A partition that the request needs is not in the file. */
  | 'missing'
  /** Files that cannot be joined: of different families or cuts, or with different bytes for one partition. */
  | 'conflict'
  /** Media that cannot be read, or whose content cannot be stored. */
  | 'media'
  /** An optional package or a capability of the machine is absent. */
  | 'unavailable'
  /** Reading or writing failed: permissions, space, the network. */
  | 'io'
  /** Another program is changing the file. */
  | 'locked'
  /** The file behind a URL became another one after it was opened. */
  | 'replaced'
  /** Training ended in numbers that are not finite. */
  | 'diverged';

/**
 * The one error class that callers meet when outside input or the outside world is at fault.
 *
 * The message states the fact, the numbers and the next step. Options of calls are in backticks, so that a command line can
 * put its own names there.
 */
export class LgiError extends Error {
  override readonly name: string = 'LgiError';
  readonly code: LgiErrorCode;
  /** Part of the file concerned: `superblock`, `header`, `index`, or `chunk 3,4` (partition coordinates). */
  readonly section?: string;
  /** Where in the file, in bytes from its start. */
  readonly byteOffset?: number;

  constructor(
    code: LgiErrorCode,
    message: string,
    fields: { section?: string; byteOffset?: number; cause?: unknown } = {},
  ) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = code;
    if (fields.section !== undefined) this.section = fields.section;
    if (fields.byteOffset !== undefined) this.byteOffset = fields.byteOffset;
  }
}

/** An argument outside what the call accepts; names the option, so that a command line can point at it. */
export class OptionError extends RangeError {
  override readonly name: string = 'OptionError';
  readonly option: string;

  constructor(option: string, message: string) {
    super(`${option}: ${message}`);
    this.option = option;
  }
}

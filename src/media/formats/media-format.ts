/** How files of a format are read: by the reader of pictures, of sound and video, of volumes or of shapes. */
export type MediaReader = 'picture' | 'clip' | 'volume' | 'shape';

/** What is known of a file before it is read. */
export interface FileStart {
  /** The first bytes, up to 64 KiB. */
  readonly bytes: Uint8Array;
  /** The same as Latin-1. */
  readonly text: string;
  /** The first bytes as text, without a byte-order mark and leading space; empty where they are not text. */
  readonly plain: string;
  /** Names of the entries of a ZIP archive; empty for anything else. */
  readonly entries: readonly string[];
  /** Of the whole file. */
  readonly byteLength: number;
}

/** A file format, whether it is read or only known by name. */
export interface MediaFormat {
  /** As in `this is ...`. */
  readonly name: string;
  /** Whether a file of this beginning is of the format. */
  readonly matches: (start: FileStart) => boolean;
  /** Absent where it is known and not read. */
  readonly reader?: MediaReader;
  /** What to do with a file that is not read. */
  readonly nextStep?: string;
}

/** Matches bytes, given as Latin-1, at an offset. */
export function magic(text: string, offset = 0): (start: FileStart) => boolean {
  return (start) => start.text.startsWith(text, offset);
}

/** Matches one of several beginnings. */
export function anyOf(...matches: readonly MediaFormat['matches'][]): MediaFormat['matches'] {
  return (start) => matches.some((each) => each(start));
}

/** Matches text by a pattern. */
export function textOf(pattern: RegExp): MediaFormat['matches'] {
  return ({ plain }) => pattern.test(plain);
}

/** Matches a ZIP archive with an entry of a name. */
export function archiveOf(pattern: RegExp): MediaFormat['matches'] {
  return ({ entries }) => entries.some((name) => pattern.test(name));
}

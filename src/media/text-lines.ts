const LF = 10;
const CR = 13;

/** One line of a text file. */
export interface TextLine {
  /** Without its end and the blanks around it. */
  readonly text: string;
  /** Byte offset after the line and its end. */
  readonly end: number;
  /** Whether the file ends before the line does. */
  readonly isLast: boolean;
}

/** Bytes of the UTF-8 mark that editors put before a text: 3 or 0. */
export function byteOrderMarkBytes(bytes: Uint8Array): number {
  return bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/**
 * Decodes bytes line by line, so that no string of a whole file is made; lines end in LF, CR LF or CR alone, and a
 * byte order mark at the start is passed over.
 */
export function* textLines(bytes: Uint8Array, from = 0): Generator<TextLine> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const find = (byte: number, start: number) => {
    const at = buffer.indexOf(byte, start);
    return at < 0 ? bytes.length : at;
  };
  let begin = from === 0 ? byteOrderMarkBytes(bytes) : from;
  // Each is looked for again only once it is passed: a file may have no CR at all.
  let lf = find(LF, begin);
  let cr = find(CR, begin);
  while (begin < bytes.length) {
    if (lf < begin) lf = find(LF, begin);
    if (cr < begin) cr = find(CR, begin);
    const stop = Math.min(lf, cr);
    const after = stop === cr && lf === cr + 1 ? stop + 2 : stop + 1;
    yield {
      text: buffer.toString('latin1', begin, stop).trim(),
      end: Math.min(after, bytes.length),
      isLast: stop === bytes.length,
    };
    begin = after;
  }
}

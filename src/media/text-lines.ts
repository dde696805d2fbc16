/** Decodes bytes line by line, without their ends, so that no string of a whole file is made. */
export function* textLines(bytes: Uint8Array, from = 0): Generator<{ text: string; end: number }> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let begin = from; begin < bytes.length;) {
    const newline = buffer.indexOf(10, begin);
    const end = newline < 0 ? bytes.length : newline;
    yield { text: buffer.toString('latin1', begin, end).trim(), end: Math.min(end + 1, bytes.length) };
    begin = end + 1;
  }
}

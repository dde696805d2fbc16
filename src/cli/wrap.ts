/**
 * Lines of words that stay whole, each shorter than the columns where its words allow.
 *
 * @param indent columns that are kept free in the lines after the first.
 */
export function wrap(text: string, columns: number, indent: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1];
    const taken = lines.length === 1 ? 0 : indent;
    if (line === '') lines[lines.length - 1] = word;
    else if (taken + line.length + 1 + word.length < columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

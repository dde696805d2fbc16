import { LgiError } from '../../codec/errors.js';
import { damagedFault } from './image-limits.js';

/** Bytes that are given to the parser at once: no string of the whole file is made, which could be too long for one. */
const STEP_BYTES = 2 ** 20;

const UTF_16_MARKS: Readonly<Record<string, string>> = { fffe: 'utf-16le', feff: 'utf-16be' };

/**
 * Goes through the elements of an XML file.
 *
 * @param open gets each element without its prefix, and its attributes as they are written, with theirs.
 * @param close gets each element that ends.
 * @throws LgiError `media` for what is no XML, or cut short.
 */
export async function readXml(
  bytes: Uint8Array,
  name: string,
  open: (element: string, attributes: Readonly<Record<string, string>>) => void,
  close: (element: string) => void = () => undefined,
): Promise<void> {
  const { SaxesParser } = await import('saxes');
  const parser = new SaxesParser();
  const local = (element: string) => element.slice(element.indexOf(':') + 1);
  parser.on('opentag', (tag) => open(local(tag.name), tag.attributes));
  parser.on('closetag', (tag) => close(local(tag.name)));
  const mark = Buffer.from(bytes.subarray(0, 2)).toString('hex');
  const decoder = new TextDecoder(UTF_16_MARKS[mark] ?? 'utf-8', { fatal: true });
  try {
    for (let at = 0; at < bytes.length; at += STEP_BYTES) {
      parser.write(decoder.decode(bytes.subarray(at, at + STEP_BYTES), { stream: true }));
    }
    parser.write(decoder.decode()).close();
  } catch (cause) {
    if (cause instanceof LgiError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw damagedFault(name, `the XML cannot be read (${why.slice(0, 200)})`, cause);
  }
}

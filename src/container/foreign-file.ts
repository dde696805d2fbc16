/** What a file is that is no LGI file, and what to do about it. */
export interface ForeignFile {
  /** As in `this is ...`. */
  readonly name: string;
  readonly nextStep: string;
  /** Whether it is a picture, which can be encoded. */
  readonly isPicture: boolean;
}

/** Pictures by their letters at an offset. */
const PICTURES: readonly (readonly [name: string, offset: number, magic: string])[] = [
  ['a PNG', 0, '\x89PNG'],
  ['a JPEG', 0, '\xff\xd8\xff'],
  ['a WebP', 8, 'WEBP'],
  ['a GIF', 0, 'GIF8'],
];

const PACKED: readonly (readonly [name: string, magic: string])[] = [
  ['a gzip file', '\x1f\x8b'],
  ['a ZIP file', 'PK\x03\x04'],
];

/** What servers and tools give in a file's place. */
const BY_TEXT: readonly (readonly [name: string, pattern: RegExp, nextStep: string])[] = [
  [
    'an HTML page',
    /^<(!doctype html|html|head|body)\b/i,
    'check the URL: the page may link to the file, ask to log in, or say that it is not there',
  ],
  ['an XML document', /^<(\?xml|error)\b/i, 'check the URL: storage servers say in one what is wrong'],
  ['JSON', /^[{[]\s*("|\{|\[|\}|\])/, 'check the URL: servers say in it what is wrong'],
  ['a Git LFS pointer', /^version https:\/\/git-lfs\./, "get the file itself, as by 'git lfs pull'"],
];

/** As many as decide; pages may begin with empty lines. */
const LOOKED_AT_BYTES = 256;

/** What begins with these bytes, where that is something that people often have in place of an LGI file. */
export function foreignFile(bytes: Uint8Array): ForeignFile | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, LOOKED_AT_BYTES));
  const picture = PICTURES.find(([, offset, magic]) => start.startsWith(magic, offset));
  if (picture) return { name: picture[0], nextStep: 'encode it first', isPicture: true };
  const packed = PACKED.find(([, magic]) => start.startsWith(magic));
  if (packed) return { name: packed[0], nextStep: 'unpack it first', isPicture: false };
  const text = start.replace(/^(\u00ef\u00bb\u00bf)?\s*/, '');
  const document = BY_TEXT.find(([, pattern]) => pattern.test(text));
  return document && { name: document[0], nextStep: document[2], isPicture: false };
}

import { isGltf } from '../gltf-file.js';
import { isOff } from '../off-file.js';
import { anyOf, archiveOf, magic, textOf, type FileStart, type MediaFormat } from './media-format.js';

/** The brands of an ISO base media file, such as `isom` or `avif`; none for another file. */
export function brandsOf({ text, bytes }: FileStart): readonly string[] {
  if (!text.startsWith('ftyp', 4) || bytes.length < 16) return [];
  const length = Math.min(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), bytes.length);
  const compatible = Array.from({ length: Math.max(0, Math.floor((length - 16) / 4)) }, (_, i) =>
    text.slice(16 + 4 * i, 20 + 4 * i),
  );
  return [text.slice(8, 12), ...compatible];
}

/** Brands of still pictures and of sequences of them, which the reader of video does not take. */
export const PICTURE_BRANDS: ReadonlySet<string> = new Set([
  'avif',
  'avis',
  'heic',
  'heix',
  'heim',
  'heis',
  'hevc',
  'hevx',
  'mif1',
  'msf1',
  'crx ',
]);

function isMovie(start: FileStart): boolean {
  const brands = brandsOf(start);
  if (brands.length > 0) return !brands.some((brand) => PICTURE_BRANDS.has(brand));
  // QuickTime files need no brands.
  return /^....(moov|mdat|wide|pnot|free|skip)/s.test(start.text.slice(0, 8));
}

/** Whether packets of a transport stream follow one another, each with its sync byte. */
function isTransportStream({ bytes }: FileStart): boolean {
  const at = (offset: number, step: number): boolean =>
    [0, 1, 2].every((i) => bytes[offset + i * step] === 0x47);
  return at(0, 188) || at(4, 192);
}

/** Whether a frame of MPEG sound begins here, layers 1 to 3 with all fields possible, or one of AAC. */
function isMpegSound({ bytes }: FileStart): boolean {
  if (bytes.length < 4 || bytes[0] !== 0xff || (bytes[1] & 0xe0) !== 0xe0) return false;
  if ((bytes[1] & 0xf6) === 0xf0) return true;
  const [version, layer, rate] = [(bytes[1] >> 3) & 3, (bytes[1] >> 1) & 3, (bytes[2] >> 2) & 3];
  return version !== 1 && layer !== 0 && rate !== 3 && bytes[2] >> 4 !== 15;
}

/** A PNG with a chunk that says how many frames it has, before the first picture. */
export function isAnimatedPng({ text }: FileStart): boolean {
  const at = text.indexOf('acTL');
  const rows = text.indexOf('IDAT');
  if (at < 0 || (rows >= 0 && rows < at)) return false;
  return text.slice(at + 4, at + 8) > '\0\0\0\x01';
}

const isPng = magic('\x89PNG\r\n\x1a\n');

/** 84 bytes, and 50 for each of the triangles that they count. */
function isBinaryStl({ bytes, byteLength }: FileStart): boolean {
  if (bytes.length < 84) return false;
  const triangles = new DataView(bytes.buffer, bytes.byteOffset).getUint32(80, true);
  return triangles > 0 && byteLength === 84 + 50 * triangles;
}

/** The volumes that have a reader of their own. */
export const NIFTI_NAME = 'a NIfTI volume';
/** What the table calls archives of NumPy arrays. */
export const NPZ_NAME = 'a NumPy archive';

/** Pictures, sound, video, volumes and shapes that are read. */
export const READ_FORMATS: readonly MediaFormat[] = [
  { name: 'an animated PNG', reader: 'clip', matches: (start) => isPng(start) && isAnimatedPng(start) },
  { name: 'a PNG picture', reader: 'picture', matches: (start) => isPng(start) && !isAnimatedPng(start) },
  // JPEG-LS begins alike; its frame header is another one.
  {
    name: 'a JPEG picture',
    reader: 'picture',
    matches: (start) => magic('\xff\xd8')(start) && !isJpegLs(start),
  },
  { name: 'a WebP picture', reader: 'picture', matches: (s) => magic('RIFF')(s) && magic('WEBP', 8)(s) },
  {
    name: 'a WAV sound',
    reader: 'clip',
    matches: (s) => /^(RIFF|RIFX|RF64|BW64)....WAVE/s.test(s.text.slice(0, 12)),
  },
  { name: 'a Wave64 sound', reader: 'clip', matches: magic('riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb') },
  { name: 'an AVI video', reader: 'clip', matches: (s) => magic('RIFF')(s) && magic('AVI', 8)(s) },
  { name: 'an AIFF sound', reader: 'clip', matches: (s) => /^FORM....AIF[FC]/s.test(s.text.slice(0, 12)) },
  {
    name: 'an IFF sound',
    reader: 'clip',
    matches: (s) => /^FORM....(8SVX|16SV|MAUD)/s.test(s.text.slice(0, 12)),
  },
  { name: 'a FLAC sound', reader: 'clip', matches: magic('fLaC') },
  { name: 'an Ogg file', reader: 'clip', matches: magic('OggS') },
  { name: 'a CAF sound', reader: 'clip', matches: magic('caff') },
  { name: 'an AU sound', reader: 'clip', matches: magic('.snd') },
  // The tag is put before other sounds, too; FFmpeg looks behind it.
  { name: 'a sound with an ID3 tag', reader: 'clip', matches: magic('ID3') },
  { name: 'an MP3 or AAC sound', reader: 'clip', matches: isMpegSound },
  { name: 'an AC-3 sound', reader: 'clip', matches: magic('\x0b\x77') },
  { name: 'a DTS sound', reader: 'clip', matches: magic('\x7f\xfe\x80\x01') },
  { name: 'an AMR sound', reader: 'clip', matches: magic('#!AMR') },
  { name: 'a True Audio sound', reader: 'clip', matches: magic('TTA1') },
  { name: 'a WavPack sound', reader: 'clip', matches: magic('wvpk') },
  { name: "a Monkey's Audio sound", reader: 'clip', matches: magic('MAC ') },
  { name: 'a Musepack sound', reader: 'clip', matches: anyOf(magic('MPCK'), magic('MP+')) },
  { name: 'a DSD sound', reader: 'clip', matches: anyOf(magic('DSD '), magic('FRM8')) },
  { name: 'an MP4, QuickTime or 3GP file', reader: 'clip', matches: isMovie },
  { name: 'a Matroska or WebM file', reader: 'clip', matches: magic('\x1a\x45\xdf\xa3') },
  { name: 'a Flash video', reader: 'clip', matches: magic('FLV\x01') },
  { name: 'a Windows Media file', reader: 'clip', matches: magic('\x30\x26\xb2\x75\x8e\x66\xcf\x11') },
  { name: 'a RealMedia file', reader: 'clip', matches: magic('.RMF') },
  { name: 'an MPEG program stream', reader: 'clip', matches: magic('\0\0\x01\xba') },
  { name: 'an MPEG video', reader: 'clip', matches: anyOf(magic('\0\0\x01\xb3'), magic('\0\0\x01\xb0')) },
  {
    name: 'an H.264 or HEVC stream',
    reader: 'clip',
    matches: ({ text }) => /^\0?\0\0\x01[\x67\x27\x47\x09\x40\x42\x46]/.test(text.slice(0, 5)),
  },
  { name: 'an MPEG transport stream', reader: 'clip', matches: isTransportStream },
  { name: 'an MXF file', reader: 'clip', matches: magic('\x06\x0e\x2b\x34\x02\x05\x01\x01') },
  { name: 'an IVF video', reader: 'clip', matches: magic('DKIF') },
  { name: 'a YUV4MPEG2 video', reader: 'clip', matches: magic('YUV4MPEG2') },
  { name: 'a NUT file', reader: 'clip', matches: magic('nut/multimedia container') },
  { name: 'a DV video', reader: 'clip', matches: magic('\x1f\x07\0') },
  { name: 'a GIF', reader: 'clip', matches: magic('GIF8') },
  { name: 'a NumPy array', reader: 'volume', matches: magic('\x93NUMPY') },
  { name: NPZ_NAME, reader: 'volume', matches: archiveOf(/\.npy$/) },
  {
    name: NIFTI_NAME,
    reader: 'volume',
    matches: anyOf(magic('n+1\0', 344), magic('ni1\0', 344), magic('n+2\0', 4), magic('ni2\0', 4)),
  },
  { name: 'a binary glTF mesh', reader: 'shape', matches: magic('glTF') },
  { name: 'a glTF mesh', reader: 'shape', matches: ({ plain }) => isGltf(plain) },
  { name: 'a 3MF mesh', reader: 'shape', matches: archiveOf(/^\/?3D\/.*\.model$/i) },
  { name: 'a binary STL mesh', reader: 'shape', matches: isBinaryStl },
  { name: 'an OFF mesh', reader: 'shape', matches: ({ plain }) => isOff(plain) },
  { name: 'a PLY mesh', reader: 'shape', matches: textOf(/^ply\s/i) },
  { name: 'an STL mesh', reader: 'shape', matches: textOf(/^solid\b[^\r\n]*[\r\n]+\s*(facet|endsolid)\b/i) },
  {
    name: 'an OBJ mesh',
    reader: 'shape',
    matches: ({ plain }) =>
      /^(#|(v|vn|vt|vp|f|o|g|s|mtllib|usemtl|l|p)\s)/.test(plain) && /(^|[\r\n])\s*v\s+[-+.\d]/.test(plain),
  },
];

/** Whether the first frame header of a JPEG is that of JPEG-LS. */
export function isJpegLs({ bytes }: FileStart): boolean {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return false;
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1];
    if (marker === 0xf7) return true;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if ((marker >= 0xc0 && marker <= 0xc3) || marker === 0xda) return false;
    at += 2 + bytes[at + 2] * 256 + bytes[at + 3];
  }
  return false;
}

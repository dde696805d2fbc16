import { stat } from 'node:fs/promises';
import type { EncodeOptions } from '../../../src/encode-options.js';
import { memoryMedia, type Media } from '../../../src/media/media.js';
import { readImage } from '../../../src/media/read-image.js';
import { measureOther, otherCodecs, type OtherCodec } from '../rate/other-codecs.js';
import { encodeOwn } from './own.js';
import { leastSetting, type SmallRow } from './row.js';

/** Quality that a picture is compared at, in dB. */
export const PICTURE_PSNR = 34;

/** Encoders that take a quality from 1 to 100. */
const BESIDE: readonly string[] = ['JPEG (libjpeg)', 'WebP'];

/** Our own: by default, and small ones. */
const OWN: readonly (readonly [flags: string, options: EncodeOptions])[] = [
  ['', {}],
  [' --preset small --effort quick', { preset: 'small', effort: 'quick' }],
  [' --preset small', { preset: 'small' }],
];

/** A picture as it is, by our presets at {@link PICTURE_PSNR}, and by others at our PSNR. */
export async function pictureRows(path: string): Promise<SmallRow[]> {
  const media = await readImage(path);
  const rows: SmallRow[] = [
    { codec: 'the file as it is', bytes: (await stat(path)).size, quality: 'lossless' },
  ];
  let psnr = Infinity;
  for (const [flags, options] of OWN) {
    const own = await encodeOwn(media, { psnr: PICTURE_PSNR, ...options });
    rows.push({
      codec: `LGI, \`--psnr ${PICTURE_PSNR}${flags}\``,
      bytes: own.bytes,
      quality: `${own.psnr.toFixed(2)} dB`,
      seconds: own.seconds,
    });
    if (options.preset === 'small') psnr = Math.min(psnr, own.psnr);
  }
  const original = await eightBits(media);
  for (const codec of otherCodecs().filter(({ name }) => BESIDE.includes(name))) {
    const found = await leastSetting(
      1,
      100,
      (quality) => measureOther(original, 'picture', inPlanesOf(original, codec), String(quality)),
      (point) => point.psnr >= psnr,
    );
    if (found === undefined) continue;
    const { setting, result } = found;
    rows.push({
      codec: `${codec.name}, quality ${setting}`,
      bytes: result.bytes,
      quality: `${result.psnr.toFixed(2)} dB`,
    });
  }
  return rows;
}

async function eightBits(media: Media): Promise<Media> {
  const { shape, channels, format } = media;
  if (format.sampleType !== 'uint8' || (channels !== 1 && channels !== 3))
    throw new Error('a grey or RGB picture of 8 bits is compared; give another');
  const samples = await media.read({ begin: shape.map(() => 0), end: shape });
  return memoryMedia({ data: samples, shape, channels });
}

/** A codec of colour for grey samples, where it has none of its own for them. */
function inPlanesOf({ channels }: Media, codec: OtherCodec): OtherCodec {
  if (channels === 3 || codec.takesGrey === true) return codec;
  return {
    ...codec,
    encode: (samples, ...rest) =>
      codec.encode(
        Uint8Array.from({ length: 3 * samples.length }, (_, i) => samples[Math.floor(i / 3)]),
        ...rest,
      ),
    decode: async (...args) => (await codec.decode(...args)).filter((_, i) => i % 3 === 1),
  };
}

import { peakOf, type SampleArray, type SampleFormat } from '../../codec/signal.js';
import { FileSource } from '../io/file-source-node.js';
import { encodeImage } from '../media/encode-image.js';
import { open } from '../open.js';
import type { Signal } from '../signal.js';

/** Longest side, in pixels: what a card of the listing shows on fine screens. */
const SIDE = 320;

/** Samples of a sound that its thumbnail is drawn from, for each column; more of a long sound would decode all of it. */
const SAMPLES_PER_COLUMN = 64;

/**
 * A small picture of what is in a file, as PNG: a picture itself, a clip's first frame, a volume's or shape's middle slice, a sound's
 * waveform.
 *
 * @throws LgiError as `open` and `decode`.
 */
export async function thumbnailOf(path: string): Promise<Uint8Array> {
  const source = await FileSource.open(path);
  const file = await open(source, { threads: 1 });
  try {
    const [signal] = file.signals;
    return signal.kind === 'audio' ? await waveformOf(signal) : await pictureOf(signal);
  } finally {
    await file.dispose();
  }
}

async function pictureOf(signal: Signal): Promise<Uint8Array> {
  const { shape, kind } = signal;
  const [height, width] = shape.slice(-2);
  const scale = Math.min(1, SIDE / Math.max(height, width));
  const size = [height, width].map((length) => Math.max(1, Math.floor(length * scale)));
  const at = kind === 'video' ? 0 : Math.floor(shape[0] / 2);
  const { data, format } = await signal.view(
    shape.length === 2
      ? { size, allowDamaged: true }
      : {
          region: { begin: [at, 0, 0], end: [at + 1, height, width] },
          size: [1, ...size],
          allowDamaged: true,
        },
  );
  return encodeBytes(greyOrColour(data, format), size);
}

/** 8 bits, grey or RGB; alpha is left out, which a card has no use for. */
function greyOrColour(data: SampleArray, { channels, sampleType, mapping }: SampleFormat): Uint8Array {
  const count = data.length / channels;
  const colours = channels >= 3 ? 3 : 1;
  const low = sampleType === 'float32' ? mapping.offset - mapping.scale : 0;
  const high = sampleType === 'float32' ? mapping.offset + mapping.scale : peakOf(sampleType);
  const pixels = new Uint8ClampedArray(count * colours);
  for (let i = 0; i < count; i++) {
    for (let colour = 0; colour < colours; colour++) {
      pixels[i * colours + colour] = ((data[i * channels + colour] - low) / (high - low)) * 255;
    }
  }
  return new Uint8Array(pixels.buffer);
}

async function waveformOf(signal: Signal): Promise<Uint8Array> {
  const [length] = signal.shape;
  const [height, width] = [SIDE / 2, SIDE];
  const pixels = new Uint8Array(height * width).fill(24);
  const { scale, offset } = signal.format.mapping;
  for (let x = 0; x < width; x++) {
    const begin = Math.floor((x * length) / width);
    const end = Math.min(length, begin + SAMPLES_PER_COLUMN);
    if (begin >= end) continue;
    const { data } = await signal.decode({ region: { begin: [begin], end: [end] }, allowDamaged: true });
    let peak = 0;
    for (const value of data) peak = Math.max(peak, Math.abs((value - offset) / scale));
    const half = Math.min(height / 2, Math.max(1, Math.round((peak * height) / 2)));
    for (let y = height / 2 - half; y < height / 2 + half; y++) pixels[y * width + x] = 200;
  }
  return encodeBytes(pixels, [height, width]);
}

function encodeBytes(data: Uint8Array, size: readonly number[]): Promise<Uint8Array> {
  const channels = data.length / (size[0] * size[1]);
  const layout = channels === 3 ? 'rgb' : 'grey';
  return encodeImage('png', { data, shape: size, channels, layout, sampleType: 'uint8' });
}

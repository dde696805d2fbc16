import { peakOf, type SampleArray, type SampleFormat, type SignalKind } from '../../codec/signal.js';

/** Black and white of what is no picture: the range that networks have for them, which of floats is that of the source. */
function rangeOf(
  kind: SignalKind,
  { sampleType, mapping }: SampleFormat,
): { readonly low: number; readonly high: number } {
  if (sampleType !== 'float32' && kind !== 'shape') return { low: 0, high: peakOf(sampleType) };
  return { low: mapping.offset - mapping.scale, high: mapping.offset + mapping.scale };
}

/**
 * Samples as a canvas takes them: u8, row-major `[height, width, 4]`, alpha straight.
 *
 * Deeper samples are rounded to 8 bits. Of signals that are no pictures the first channel is shown in grey, of three or more the
 * first three as colours.
 *
 * @param samples row-major, any shape times channels.
 */
export function pixelsOf(
  kind: SignalKind,
  format: SampleFormat,
  samples: SampleArray,
): Uint8ClampedArray<ArrayBuffer> {
  const { channels, layout } = format;
  const { low, high } = rangeOf(kind, format);
  const factor = high === low ? 0 : 255 / (high - low);
  const hasAlpha = layout.endsWith('-alpha');
  const colours = channels - (hasAlpha ? 1 : 0) >= 3 ? 3 : 1;
  const count = samples.length / channels;
  const pixels = new Uint8ClampedArray(count * 4);
  for (let i = 0; i < count; i++) {
    const from = i * channels;
    for (let colour = 0; colour < 3; colour++) {
      // A clamped array rounds by itself.
      pixels[4 * i + colour] = (samples[from + (colours === 3 ? colour : 0)] - low) * factor;
    }
    pixels[4 * i + 3] = hasAlpha ? (samples[from + channels - 1] - low) * factor : 255;
  }
  return pixels;
}

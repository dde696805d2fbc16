import { LgiError, OptionError } from '../../codec/errors.js';
import { FileSink } from '../io/file-sink-node.js';
import { fillHoles } from '../media/fill-holes.js';
import { imageFormatOf } from '../media/image-format.js';
import { writeImage } from '../media/write-image.js';
import type { LgiFile } from '../open.js';
import type { MissingPartition } from '../signal.js';
import type { CommandContext } from './command.js';
import { partAsked, refuseFlags, type Decoded, type Decoding } from './decoding.js';
import { counted } from './figures.js';
import { signalOfKind } from './primary-signals.js';

/** Decodes the picture of a file. */
export async function decodePicture({ file, place, flags, context }: Decoding): Promise<Decoded> {
  const { signal } = context;
  const { background, overview, scale, size, allowDamaged = false } = flags;
  refuseFlags(flags, 'a picture', ['time', 'fps', 'rate']);
  const format = imageFormatOf(place);
  const picture = signalOfKind(file, 'image');
  const sink = await FileSink.open(place);
  try {
    const decoding = {
      ...partAsked(picture, flags),
      ...(scale !== undefined && { scale }),
      ...(size && { size }),
      signal,
    };
    if (overview === true && picture.overviews.length === 0) {
      context.output.note('the file has no overviews; outputs are points of the picture');
    }
    const { factor, ...samples } =
      overview === true ? await picture.view(decoding) : { ...(await picture.decode(decoding)), factor: 1 };
    const { missing, partitionsDecoded } = samples;
    if (format === 'jpeg' && missing.length > 0 && background === undefined) throw noAlpha(missing);
    const iccProfile = await readProfile(file, allowDamaged, context);
    const filled = fillHoles({ ...samples, holes: missing.map(({ box }) => box) }, background);
    const decodedMs = performance.now();
    const bytes = await writeImage(
      sink,
      { ...filled, ...(picture.colour && { colour: picture.colour }), ...(iccProfile && { iccProfile }) },
      { format, signal },
    );
    const [height, width] = filled.shape;
    const { channels, layout, sampleType } = filled;
    return {
      title: `${width}x${height} ${layout}, ${sampleType}`,
      fields: { width, height, channels, layout, sampleType },
      missing,
      partitionsDecoded,
      bytes,
      writeSeconds: (performance.now() - decodedMs) / 1000,
      factor,
    };
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/** A picture whose colour profile is lost is still a picture. */
async function readProfile(
  file: LgiFile,
  allowDamaged: boolean,
  { output, signal }: CommandContext,
): Promise<Uint8Array | null> {
  try {
    return await file.readMetadata('icc', signal);
  } catch (error) {
    if (!allowDamaged || !(error instanceof LgiError) || error.code === 'io') throw error;
    output.warning(`the colour profile is left out: ${error.message}`);
    return null;
  }
}

function noAlpha(missing: readonly MissingPartition[]): OptionError {
  return new OptionError(
    'background',
    `${counted(missing.length, 'partition')} of the region ${missing.length === 1 ? 'is' : 'are'} missing and JPEG has ` +
      'no transparency; give a colour for the holes, or write a .png',
  );
}

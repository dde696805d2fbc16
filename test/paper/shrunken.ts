import { OptionError } from '../../codec/errors.js';
import { meansOf, sumSquares } from '../../codec/reduce.js';
import { memoryMedia, type Media } from '../../src/media/media.js';

/**
 * A picture of which each sample is the mean of a square of the original's.
 *
 * @param side samples of a square per axis; 1 leaves the medium as it is.
 * @throws OptionError for media of other kinds, of which no smaller ones are made.
 */
export async function shrunken(media: Media, side: number): Promise<Media> {
  if (side === 1) return media;
  const { kind, shape, format } = media;
  if (kind !== 'image') throw new OptionError('shrink', `no smaller ${kind} is made; leave it out`);
  const [height, width] = shape;
  const samples = await media.read({ begin: [0, 0], end: shape });
  const squares = sumSquares(samples, [height, width], format, side);
  return memoryMedia({
    data: meansOf(squares, format),
    shape: squares.shape,
    layout: format.layout,
  });
}

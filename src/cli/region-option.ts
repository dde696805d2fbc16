import { OptionError } from '../../codec/errors.js';
import { boxShape, type Box } from '../../codec/grid.js';
import { AXES, type SignalKind } from '../../codec/signal.js';

/** How regions are written for each kind of signal; sound has spans of time alone. */
const FORMS: Readonly<Record<SignalKind, string>> = {
  image: 'x,y,width,height',
  video: 'x,y,width,height',
  volume: 'x,y,z,width,height,depth',
  shape: 'x,y,z,width,height,depth',
  audio: '',
};

/** Whole numbers between commas, as many as a region has: 4 on a plane, 6 in space. */
export function regionNumbers(text: string): number[] {
  if (!/^\s*-?\d+(\s*,\s*-?\d+){3}(\s*,\s*-?\d+\s*,\s*-?\d+)?\s*$/.test(text)) {
    throw new OptionError(
      'region',
      `'${text}' is not four whole numbers; give x,y,width,height in samples, such as 0,0,256,256, ` +
        'or x,y,z,width,height,depth of a volume',
    );
  }
  const numbers = text.split(',').map(Number);
  const half = numbers.length / 2;
  const [begin, lengths] = [numbers.slice(0, half), numbers.slice(half)];
  if (begin.some((at) => at < 0)) {
    throw new OptionError(
      'region',
      `'${text}' begins at ${begin.join(',')}; the visible window begins at 0,0`,
    );
  }
  if (lengths.some((length) => length < 1)) {
    throw new OptionError('region', `'${text}' has ${lengths.join('x')} samples; at least 1x1 is needed`);
  }
  return numbers;
}

/**
 * The box that the numbers of a region mean for a signal, from its visible window's corner; time is whole.
 *
 * @param window the signal's visible window.
 * @throws OptionError `region` for numbers of another kind of signal.
 */
export function regionOf(kind: SignalKind, window: Box, numbers: readonly number[]): Box {
  if (kind === 'audio') throw new OptionError('region', 'sound has no region; give a span by --time');
  const form = FORMS[kind];
  const half = form.split(',').length / 2;
  if (numbers.length !== 2 * half) {
    throw new OptionError('region', `has ${numbers.length} numbers, this ${kind} needs ${2 * half}: ${form}`);
  }
  const begin = numbers.slice(0, half).reverse();
  const end = begin.map((at, axis) => at + numbers[2 * half - 1 - axis]);
  if (AXES[kind][0] !== 't') return { begin, end };
  return { begin: [0, ...begin], end: [boxShape(window)[0], ...end] };
}

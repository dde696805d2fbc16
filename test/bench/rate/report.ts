import * as echarts from 'echarts';
import { bitsPerSample, type RatePoint } from './point.js';

/** Codecs that ours are compared with, in the order of the tables. */
const BESIDE = ['JPEG (libjpeg)', 'JPEG (FFmpeg)', 'WebP', 'JPEG 2000', 'AVIF', 'WebP, tiles of 64'];

/** Means over the 24 Kodak pictures, (bits a sample, dB), as published (Dupont et al., "COIN", 2021). */
const COIN: readonly (readonly [bpp: number, psnr: number])[] = [
  [0.074, 23.2],
  [0.16, 24.6],
  [0.31, 26.4],
  [0.61, 28.4],
  [1.21, 30.6],
];

/**
 * Bytes that a codec would take for a PSNR: logarithms of bytes linear between the points beside it.
 *
 * @returns undefined beyond its points.
 */
export function bytesAt(points: readonly RatePoint[], psnr: number): number | undefined {
  const ordered = [...points].sort((a, b) => a.psnr - b.psnr);
  const above = ordered.findIndex((point) => point.psnr >= psnr);
  if (above < 0 || (above === 0 && ordered[0].psnr > psnr)) return undefined;
  if (above === 0) return ordered[0].bytes;
  const [low, high] = [ordered[above - 1], ordered[above]];
  const at = (psnr - low.psnr) / (high.psnr - low.psnr);
  return Math.exp((1 - at) * Math.log(low.bytes) + at * Math.log(high.bytes));
}

function groupBy<K>(points: readonly RatePoint[], keyOf: (point: RatePoint) => K): Map<K, RatePoint[]> {
  const groups = new Map<K, RatePoint[]>();
  for (const point of points) groups.set(keyOf(point), [...(groups.get(keyOf(point)) ?? []), point]);
  return groups;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function isOwn({ codec }: RatePoint): boolean {
  return codec.startsWith('LGI');
}

/** Bytes of a point as a part of what a codec takes for its PSNR. */
function ratioTo(codec: string, point: RatePoint, all: readonly RatePoint[]): number | undefined {
  const others = all.filter((other) => other.codec === codec && other.picture === point.picture);
  const bytes = bytesAt(others, point.psnr);
  return bytes === undefined ? undefined : point.bytes / bytes;
}

function shownMean(ratios: readonly (number | undefined)[]): string {
  const known = ratios.filter((ratio) => ratio !== undefined);
  if (known.length === 0) return '';
  // What a codec has no quality for is left out, and said.
  return mean(known).toFixed(3) + (known.length < ratios.length ? ` (of ${known.length})` : '');
}

const OWN_ORDER = ['sines', 'quick', 'normal', 'thorough'];

function placeOf({ codec }: RatePoint): number {
  return OWN_ORDER.findIndex((part) => codec.includes(part));
}

/** Tables: bytes beside other codecs' at equal PSNR, by target and altogether; every point of ours. */
export function rateReport(all: readonly RatePoint[]): string {
  // As they stand in a file that was written at several times: efforts from short to long, settings ascending.
  const own = all
    .filter(isOwn)
    .sort((a, b) => placeOf(a) - placeOf(b) || bitsPerSample(a) - bitsPerSample(b));
  const pictures = [...new Set(all.map(({ picture }) => picture))];
  const lines = [
    '# Bytes at equal PSNR',
    '',
    `Pictures: ${pictures.join(', ')}. Bytes are of files as they lie on a disk, PSNR is of all channels together. A figure is the mean over`,
    "the pictures of our bytes as a part of the other codec's at our PSNR, interpolated between its points (the logarithm of bytes).",
    'JPEG by libjpeg is `cjpeg -optimize`; all others are encoders of FFmpeg: JPEG by `mjpeg` (4:2:0, optimal Huffman tables, its own quantisation',
    'tables, which are flatter and better by PSNR), WebP by `libwebp` (method 6), JPEG 2000 by `jpeg2000` (one layer, one tile), AVIF by',
    '`libsvtav1` (4:2:0, 10 bits, preset 4). The last column is what can be cropped byte-wise as ours can: every tile a WebP of its own.',
    'The seam is how much larger jumps across borders are than in the source, beside those next to them: 1 is none.',
    '',
    `| | ${['bits a sample', 'dB', 'seam', 'encode', 'decode', ...BESIDE].join(' | ')} |`,
    `|---|${'---|'.repeat(5 + BESIDE.length)}`,
  ];
  const row = (name: string, points: readonly RatePoint[]): void => {
    const seconds = mean(points.map(({ encodeSeconds = NaN }) => encodeSeconds));
    const milliseconds = mean(points.map(({ decodeMs = NaN }) => decodeMs));
    const cells = [
      mean(points.map(bitsPerSample)).toFixed(3),
      mean(points.map(({ psnr }) => psnr)).toFixed(2),
      mean(points.flatMap(({ seam = [] }) => seam)).toFixed(2),
      `${seconds.toFixed(1)} s`,
      `${milliseconds.toFixed(0)} ms`,
      ...BESIDE.map((codec) => shownMean(points.map((point) => ratioTo(codec, point, all)))),
    ];
    lines.push(`| ${name} | ${cells.join(' | ')} |`);
  };
  for (const [codec, points] of groupBy(own, ({ codec }) => codec)) {
    row(`**${codec}**`, points);
    for (const [setting, each] of groupBy(points, ({ setting }) => setting)) {
      const isPartial = each.length < pictures.length;
      row(`\`${setting}\`${isPartial ? ` (${each.map(({ picture }) => picture).join(', ')})` : ''}`, each);
    }
  }
  lines.push('', '![Curves](rate.svg)', '', '## Every point of ours', '');
  lines.push(
    '| picture | | | bytes | bits a sample | dB | of JPEG (libjpeg) | of WebP |',
    `|${'---|'.repeat(8)}`,
  );
  for (const point of own) {
    const { picture, codec, setting, bytes, psnr } = point;
    const ratios = ['JPEG (libjpeg)', 'WebP'].map((name) => shownMean([ratioTo(name, point, all)]));
    const cells = [
      picture,
      codec,
      `\`${setting}\``,
      bytes.toLocaleString('en'),
      bitsPerSample(point).toFixed(3),
      psnr.toFixed(2),
      ...ratios,
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}

/** Strong colours for ours, muted ones for others. */
const OWN_COLOURS = ['#c2185b', '#e64a19', '#7b1fa2', '#1565c0'];
const OTHER_COLOURS = ['#6d4c41', '#a1887f', '#2e7d32', '#9e9d24', '#00838f', '#80cbc4', '#9e9e9e'];

/** Mean PSNR by mean bits, a line for every codec, as SVG; of settings that all pictures have. */
export function rateChart(all: readonly RatePoint[]): string {
  const pictures = new Set(all.map(({ picture }) => picture)).size;
  const series = [...groupBy(all, ({ codec }) => codec)].map(([name, points]) => ({
    type: 'line' as const,
    name,
    lineStyle: { width: name.startsWith('LGI') ? 2.5 : 1.2 },
    data: [...groupBy(points, ({ setting }) => setting).values()]
      .filter((each) => each.length === pictures)
      .map((each) => [mean(each.map(bitsPerSample)), mean(each.map(({ psnr }) => psnr))])
      .sort(([one], [other]) => one - other),
  }));
  const coin = { type: 'line' as const, name: 'COIN (24 Kodak)', data: COIN, lineStyle: { width: 1.2 } };
  const shown = [...series, coin].filter(({ data }) => data.length > 0);
  const [own, others] = [[...OWN_COLOURS], [...OTHER_COLOURS]];
  const colours = shown.map(({ name }) => (name.startsWith('LGI') ? own : others).shift() ?? '#000000');
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 760, height: 520 });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#fff',
      legend: { top: 8 },
      grid: { left: 60, right: 24, top: 64, bottom: 48 },
      xAxis: { type: 'value', name: 'bits a sample', nameLocation: 'middle', nameGap: 28, max: 1.6 },
      yAxis: { type: 'value', name: 'PSNR (dB)', nameLocation: 'middle', nameGap: 40, min: 22, max: 42 },
      color: colours,
      series: shown.map((each) => ({ ...each, symbolSize: 5, clip: true })),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

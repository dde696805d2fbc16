import type { FailedRun, Run } from './runs.js';

/** A configuration and its runs, by picture; what has not run yet is not there. */
export interface Row {
  readonly name: string;
  readonly runs: ReadonlyMap<string, Run | FailedRun>;
}

/** Mean and sample standard deviation; NaN of too few. */
export function meanAndSpread(values: readonly number[]): { mean: number; spread: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, spread: values.length < 2 ? NaN : Math.sqrt(squares / (values.length - 1)) };
}

function succeeded(row: Row): Map<string, Run> {
  return new Map(
    [...row.runs].flatMap(([picture, run]) => ('error' in run ? [] : [[picture, run] as const])),
  );
}

/** What a row has more than the baseline, picture by picture, over those that both have. */
export function differences(row: Row, baseline: Row, figure: (run: Run) => number): number[] {
  const base = succeeded(baseline);
  return [...succeeded(row)].flatMap(([picture, run]) => {
    const before = base.get(picture);
    return before === undefined ? [] : [figure(run) - figure(before)];
  });
}

function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '';
}

function signed(value: number, digits: number): string {
  return value > 0 ? `+${fixed(value, digits)}` : fixed(value, digits);
}

/** Columns of a terminal that nobody has made wider. */
export const COLUMNS = 80;

/**
 * The means of {@link experimentTables} that fit a terminal of {@link COLUMNS}: configurations that are too long for their
 * column are cut there.
 */
export function terminalTable(rows: readonly [Row, ...Row[]]): string[] {
  const [baseline] = rows;
  const header = ['configuration', 'n', 'PSNR', 'gain', '±', 'SSIM', 'seam', 'time/s'];
  const lines = rows.map((row) => {
    const runs = [...succeeded(row).values()];
    const mean = (figure: (run: Run) => number): number => meanAndSpread(runs.map(figure)).mean;
    const gain = meanAndSpread(differences(row, baseline, ({ psnr }) => psnr));
    const failed = row.runs.size - runs.length;
    return [
      row.name,
      failed === 0 ? `${runs.length}` : `${runs.length} of ${row.runs.size}`,
      fixed(
        mean(({ psnr }) => psnr),
        2,
      ),
      row === baseline ? '' : signed(gain.mean, 2),
      row === baseline ? '' : fixed(gain.spread, 2),
      fixed(
        mean(({ ssim }) => ssim),
        4,
      ),
      fixed(
        mean(({ seam }) => seam ?? NaN),
        2,
      ),
      fixed(
        mean(({ seconds }) => seconds),
        1,
      ),
    ];
  });
  const widths = header.map((name, i) => Math.max(name.length, ...lines.map((line) => line[i].length)));
  const others = widths.slice(1).reduce((sum, width) => sum + 2 + width, 0);
  const first = Math.min(widths[0], COLUMNS - 1 - others);
  return [header, ...lines].map((line) =>
    line
      .map((cell, i) => (i === 0 ? cell.slice(0, first).padEnd(first) : `  ${cell.padStart(widths[i])}`))
      .join(''),
  );
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [lineOf(header), lineOf(header.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(lineOf)];
}

/**
 * Markdown of an experiment: means over pictures with the mean difference to the first row and its standard deviation over
 * pictures, then PSNR by picture.
 */
export function experimentTables(rows: readonly [Row, ...Row[]], pictures: readonly string[]): string[] {
  const [baseline] = rows;
  const means = rows.map((row) => {
    const runs = [...succeeded(row).values()];
    const mean = (figure: (run: Run) => number): number => meanAndSpread(runs.map(figure)).mean;
    const failed = row.runs.size - runs.length;
    const gain = differences(row, baseline, ({ psnr }) => psnr);
    const { mean: difference, spread } = meanAndSpread(gain);
    const seams = differences(row, baseline, ({ seam }) => seam ?? NaN);
    return [
      row.name,
      `${runs.length}${failed === 0 ? '' : ` (${failed} failed)`}`,
      fixed(
        mean(({ psnr }) => psnr),
        2,
      ),
      row === baseline ? '' : signed(difference, 2),
      row === baseline ? '' : fixed(spread, 2),
      fixed(
        mean(({ ssim }) => ssim),
        4,
      ),
      fixed(
        mean(({ seam }) => seam ?? NaN),
        3,
      ),
      row === baseline ? '' : signed(meanAndSpread(seams).mean, 3),
      fixed(
        mean(({ seconds }) => seconds),
        1,
      ),
      fixed(
        mean(({ iterations }) => iterations),
        0,
      ),
      fixed(
        mean(({ parameters }) => parameters),
        0,
      ),
      fixed(
        mean(({ bytes }) => bytes),
        0,
      ),
    ];
  });
  const header = [
    'configuration',
    'pictures',
    'PSNR',
    'gain',
    '±',
    'SSIM',
    'seam',
    'more seam',
    'seconds',
    'iterations',
    'parameters',
    'bytes',
  ];
  const byPicture = rows.map((row) => [
    row.name,
    ...pictures.map((picture) => {
      const run = row.runs.get(picture);
      return run === undefined ? '' : 'error' in run ? 'failed' : run.psnr.toFixed(2);
    }),
  ]);
  return [...tableOf(header, means), '', ...tableOf(['PSNR', ...pictures], byPicture)];
}

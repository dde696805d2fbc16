import type { Experiment, Metric, Printed, Row } from './experiment.js';
import type { Conditions, Run } from './results.js';

/** How a metric is shown. */
const COLUMNS: Readonly<
  Record<
    Metric,
    {
      readonly title: string;
      readonly show: (value: number) => string;
      /** Whether the deviation stands beside the mean; default not. */
      readonly deviates?: boolean;
    }
  >
> = {
  mse: { title: 'MSE (1e-4)', show: (value) => (1e4 * value).toFixed(value < 1e-4 ? 3 : 1) },
  settled: { title: 'MSE settled (1e-4)', show: (value) => (1e4 * value).toFixed(value < 1e-4 ? 3 : 1) },
  psnr: { title: 'PSNR (dB)', show: (value) => value.toFixed(2), deviates: true },
  best: {
    title: 'PSNR not clamped, best (dB)',
    show: (value) => value.toFixed(2),
    deviates: true,
  },
  unclamped: { title: 'PSNR not clamped (dB)', show: (value) => value.toFixed(2), deviates: true },
  stretched: { title: 'PSNR stretched (dB)', show: (value) => value.toFixed(2), deviates: true },
  ssim: { title: 'SSIM', show: (value) => value.toFixed(3) },
  seconds: { title: 'training (s)', show: (value) => value.toFixed(0) },
  iou: { title: 'IoU', show: (value) => value.toFixed(4) },
  parameters: { title: 'parameters', show: (value) => value.toLocaleString('en') },
  dropped: { title: 'weights that a crop drops', show: (value) => `${(100 * value).toFixed(1)} %` },
};

/** What each of the runs that have the metric has come to. */
function valuesOf(runs: readonly Run[], metric: Metric): number[] {
  return runs.flatMap((run) => (metric === 'settled' ? settled(run) : run.metrics[metric]) ?? []);
}

/** Mean and standard deviation (of the sample); undefined of nothing. */
function summary(values: readonly number[]): Printed | undefined {
  if (values.length === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** Part of a curve, at its end, that tells where it has come to. */
const SETTLED_PART = 0.05;

/** The median of a run's errors over the last of its curve; undefined without one. */
function settled({ curve }: Run): number | undefined {
  const last = curve.slice(Math.floor((1 - SETTLED_PART) * curve.length)).map(([, mse]) => mse);
  return last.sort((a, b) => a - b)[Math.floor(last.length / 2)];
}

function shown(metric: Metric, printed: Printed | undefined): string {
  if (printed === undefined) return '';
  const { show, deviates = false } = COLUMNS[metric];
  const { mean, deviation } = printed;
  return deviates && deviation !== undefined ? `${show(mean)} ± ${show(deviation)}` : show(mean);
}

/** What the runs of a row come to, and of how many, where some are older than the metric. */
function ours(runs: readonly Run[], metric: Metric): string {
  const values = valuesOf(runs, metric);
  const text = shown(metric, summary(values));
  return values.length === 0 || values.length === runs.length ? text : `${text} (of ${values.length})`;
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** What was left out of the paper's runs, in words. */
function shorteningText({ scale, shrink }: Conditions): string {
  if (scale === 1 && shrink === 1) return 'Runs take all iterations, of media at their full size.';
  const parts = [
    ...(scale === 1 ? [] : [`${scale} of the paper's iterations`]),
    ...(shrink === 1 ? [] : [`pictures ${shrink} times smaller on each axis`]),
  ];
  return `**Shortened**: ${parts.join(', ')}. Figures cannot be compared with the paper's, and orders may change with what is left out.`;
}

/** The experiment's table with the paper's figures beside ours, as Markdown. */
export function report(experiment: Experiment, runs: readonly Run[], conditions: Conditions): string {
  const { title, name, metrics, rows, publishedSeeds, notes, loss = 'mean squared error' } = experiment;
  const runsOf = ({ name: row }: Row): Run[] => runs.filter((run) => run.row === row);
  const seeds = Math.max(0, ...rows.map((row) => runsOf(row).length));
  const iterations = [...new Set(runs.map((run) => run.iterations))].sort((a, b) => a - b);
  const shapes = [...new Set(runs.map((run) => run.shape.join('x')))];
  const isPrinted = (metric: Metric): boolean =>
    rows.some(({ published }) => published[metric] !== undefined);
  // The paper's figures, where it has any, and ours beside them.
  const columns = metrics.flatMap((metric) =>
    isPrinted(metric)
      ? [
          { metric, isOurs: false },
          { metric, isOurs: true },
        ]
      : [{ metric, isOurs: true }],
  );
  const titleOf = ({ metric, isOurs }: (typeof columns)[number]): string => {
    if (!isOurs) return `paper: ${COLUMNS[metric].title}`;
    return isPrinted(metric) ? 'ours' : COLUMNS[metric].title;
  };
  const head = ['', ...columns.map(titleOf), 'runs'];
  const { scale, shrink, resnet } = conditions;
  const options = [
    `--scale ${scale}`,
    ...(shrink === 1 ? [] : [`--shrink ${shrink}`]),
    `--seeds ${seeds}`,
    ...(resnet === undefined ? [] : ['--resnet FILE']),
  ];
  const engines = [...new Set(runs.map(({ engine }) => engine))];
  const hasCurves = runs.some(({ curve }) => curve.length > 0);
  return `${[
    `# ${title}`,
    '',
    `\`npm run paper -- ${name} ${options.join(' ')} --data FOLDER\``,
    '',
    // Where nothing is trained, a note says so.
    ...(iterations.some((count) => count > 0)
      ? [
          `${shorteningText(conditions)} Iterations: ${iterations.join(', ')}; samples: ${shapes.join(', ')}; engine: ${engines.join('; ')}.`,
        ]
      : []),
    ...(resnet === undefined ? [] : [`Weights of the ResNet-34: a file of SHA-256 ${resnet}.`]),
    `The paper's figures are ${publishedSeeds === 1 ? 'of one run' : `means over ${publishedSeeds} seeds`}, ours means over as many as the last column says.`,
    ...notes,
    '',
    tableRow(head),
    tableRow(head.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...rows.map((row) =>
      tableRow([
        row.name,
        ...columns.map(({ metric, isOurs }) =>
          isOurs ? ours(runsOf(row), metric) : shown(metric, row.published[metric]),
        ),
        String(runsOf(row).length),
      ]),
    ),
    ...(hasCurves ? ['', `![${loss[0].toUpperCase()}${loss.slice(1)} by iteration](${name}.svg)`] : []),
  ].join('\n')}\n`;
}

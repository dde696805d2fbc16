import * as echarts from 'echarts';
import type { Experiment } from './experiment.js';
import type { Run } from './results.js';

/** The curves of an experiment's rows, loss by iteration, as SVG; undefined where there are none. */
export function curves(
  { title, rows, loss = 'mean squared error' }: Experiment,
  runs: readonly Run[],
): string | undefined {
  const series = rows.flatMap(({ name }) => {
    const ofRow = runs.filter(({ row, curve }) => row === name && curve.length > 0);
    if (ofRow.length === 0) return [];
    // Curves of one row have the same iterations; what is drawn is their mean over seeds, of logarithms as the axis is.
    const data = ofRow[0].curve.map(([iteration], i) => [
      iteration,
      Math.exp(ofRow.reduce((sum, { curve }) => sum + Math.log(curve[i][1]), 0) / ofRow.length),
    ]);
    return [{ type: 'line' as const, name, data, showSymbol: false, lineStyle: { width: 1.5 } }];
  });
  if (series.length === 0) return undefined;
  const values = series.flatMap(({ data }) => data.map(([, value]) => value));
  const least = values.reduce((low, value) => Math.min(low, value), Infinity);
  const most = values.reduce((high, value) => Math.max(high, value), 0);
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 720, height: 440 });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#fff',
      title: { text: title, left: 'center', top: 8, textStyle: { fontSize: 14, fontWeight: 'normal' } },
      legend: { top: 36 },
      grid: { left: 70, right: 24, top: 72, bottom: 48 },
      xAxis: { type: 'value', name: 'iteration', nameLocation: 'middle', nameGap: 28, max: 'dataMax' },
      yAxis: {
        type: 'log',
        // Marks stand at powers: of two where a decade holds most.
        logBase: most < 100 * least ? 2 : 10,
        axisLabel: { formatter: (value: number) => String(Number(value.toPrecision(2))) },
        name: loss,
        nameLocation: 'middle',
        nameGap: 52,
      },
      series,
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

/** A measured line of the benchmark. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Against what was measured in the same run: the multiply-add peak, a plain copy, one thread. */
  readonly ratio?: number;
  readonly ratioOf?: string;
  /** What the value and the ratio should be. */
  readonly asked?: string;
  readonly ratioAsked?: string;
}

/** Least time of several runs, in ms: what the machine can do when nothing disturbs it. */
export function leastMs(runs: number, run: () => void): number {
  let least = Infinity;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/** {@link leastMs} for asynchronous work. */
export async function leastMsAsync(runs: number, run: () => Promise<unknown>): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/** The middle one of an odd number of values. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

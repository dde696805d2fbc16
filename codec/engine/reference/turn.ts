/** Time without a turn after which interruptions and progress have waited long enough. */
const MOST_MS = 50;

let lastMs = 0;

/** Lets what else waits in this thread have its turn, now and then: steps that are done in it would keep that from it. */
export async function turn(): Promise<void> {
  if (performance.now() - lastMs < MOST_MS) return;
  await new Promise((resolve) => {
    setTimeout(resolve);
  });
  lastMs = performance.now();
}

/**
 * Starts a module worker, from another origin too: browsers refuse that, and take a script of the page's own origin that
 * imports it. A policy must then allow both
 * for workers, `worker-src blob: https://...`; with the worker on the page's origin nothing is needed.
 *
 * @param start starts the worker where it is of the page's origin, in the words `new Worker(new URL(..., import.meta.url))` by which
 *   bundlers find it.
 * @param url of the same script, absolute.
 */
export function startWorker(start: () => Worker, url: URL): Worker {
  // What has no origin, as a file or a blob, is for the browser to judge.
  const { origin } = globalThis.location ?? url;
  if (url.origin === origin || url.origin === 'null') return start();
  const script = new Blob([`import ${JSON.stringify(url.href)};`], { type: 'text/javascript' });
  const own = URL.createObjectURL(script);
  // It is fetched by a task of the worker's own: revoked at once, it would not be found.
  setTimeout(() => URL.revokeObjectURL(own), 60_000);
  return new Worker(own, { type: 'module' });
}

/** What the abort signal's reason is after Ctrl-C. */
export class Interruption extends Error {
  override readonly name = 'Interruption';

  constructor(
    /** 128 and the signal's number, as shells have it. */
    readonly exitCode: number,
  ) {
    super('interrupted; nothing was written');
  }
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export interface Interruptions {
  readonly signal: AbortSignal;
  stopListening(): void;
}

/** Turns the first Ctrl-C into an abort, which leaves nothing half-made; the second ends the process. */
export function listenForInterruption(): Interruptions {
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals): void => {
    const exitCode = EXIT_CODES[name as keyof typeof EXIT_CODES];
    // Temporary files are removed on exit, too.
    if (controller.signal.aborted) process.exit(exitCode);
    controller.abort(new Interruption(exitCode));
  };
  const names = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
  for (const name of names) process.on(name, interrupt);
  return {
    signal: controller.signal,
    stopListening: () => names.forEach((name) => process.off(name, interrupt)),
  };
}

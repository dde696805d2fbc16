/** How a player works. */
export interface PlayerOptions {
  /** The decoding worker's script; default `lgi-decode-worker.js` beside the player's. Another origin's needs `worker-src blob:` and that origin. */
  readonly workerUrl?: string | URL;
  /** Folder of the WebAssembly files (`evaluation.wasm` and others); default beside the worker's script. */
  readonly wasmUrl?: string | URL;
  /** Threads that decode; default what the machine runs at once. Pages that are not cross-origin isolated have one. */
  readonly threads?: number;
  /**
   * Bytes of decoded media and of the file that are kept, half each; default 256 MiB. Least 16 MiB, what a screen takes.
   */
  readonly memoryBudgetBytes?: number;
  /** Seconds between two looks for growth of the file; absent: it is not looked for. */
  readonly liveSeconds?: number;
}

/** Stands for the case at work before there is one. */
export const NOT_BEGUN = -1;

/** What a worker is to do. */
export interface WorkerTask {
  readonly seed: number;
  readonly first: number;
  /** Exclusive; Infinity to go on until told to stop. */
  readonly end: number;
  /** i32 [2]: the case at work, and 1 where the worker shall stop. */
  readonly shared: SharedArrayBuffer;
  /** Of every conformance vector, one byte each; absent, files of all kinds are changed in any way. */
  readonly mutations?: number;
  /** A module that exports `TARGETS`. */
  readonly targetsUrl: string;
}

/** Something that must not be, with what is needed to see it again. */
export interface FoundCase {
  readonly caseNumber: number;
  readonly target: string;
  readonly reason: string;
  readonly notes: readonly string[];
}

export type WorkerMessage =
  | ({ readonly kind: 'finding' } & FoundCase)
  | {
      readonly kind: 'counts';
      /** The case after the last that is counted. */
      readonly next: number;
      readonly cases: number;
      /** By `target: ending`. */
      readonly endings: Readonly<Record<string, number>>;
      readonly mostAllocated: number;
    }
  | { readonly kind: 'done' };

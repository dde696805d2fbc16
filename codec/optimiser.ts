/** How a gradient becomes a step. */
export type Optimiser = AdamOptimiser | SoapOptimiser;

/** Adam as Kingma & Ba wrote it (2015, algorithm 1), no weight decay. */
export interface AdamOptimiser {
  readonly kind: 'adam';
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/**
 * SOAP (Vyas et al. 2024): Adam in the eigenbasis of Shampoo's two factors, per layer with its bias as last row.
 *
 * `codec/engine/reference/soap.ts` is its definition.
 */
export interface SoapOptimiser {
  readonly kind: 'soap';
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decay of the factors' running averages. */
  readonly factorDecay: number;
  /** Updates between refreshes of the bases. */
  readonly refreshSteps: number;
}

/** Whether the bases follow the factors at an update (from 1): at 1, 2, 4, ... while they are young, then regularly. */
export function refreshesBases(update: number, { refreshSteps }: SoapOptimiser): boolean {
  if (update % refreshSteps === 0) return true;
  return update <= refreshSteps && (update & (update - 1)) === 0;
}

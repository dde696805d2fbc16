// Targets that do what none may: by them the test knows that the fuzzer would notice.
import { LgiError } from '../../codec/errors.js';
import { Finding } from './judge.js';
import type { Target } from './targets.js';

/** Ends for the JavaScript engine in no time that anybody waits. */
function forever(): never {
  for (;;);
}

export const TARGETS: readonly Target[] = [
  { name: 'a programming error', run: async () => void (undefined as unknown as Uint8Array).length },
  { name: 'an untyped range error', run: async () => void new Uint8Array(-1) },
  { name: "the machine's fault", run: () => Promise.reject(new LgiError('io', 'the disk is full')) },
  { name: 'a terminal taken over', run: () => Promise.reject(new LgiError('damaged', 'named \u001b[2J')) },
  { name: 'much memory', run: async () => void new Float64Array(1 << 28) },
  { name: 'a wrong result', run: () => Promise.reject(new Finding('two readers differ')) },
  { name: 'no end', run: async () => forever() },
];

import { instantiateKernels } from './module.js';
import type { Kernels } from './module.js';

/** A worker, whatever the platform calls it. */
export interface Thread {
  post(message: ThreadCommand): void;
  onMessage(handler: (reply: ThreadReply) => void): void;
  onError(handler: (error: Error) => void): void;
  terminate(): Promise<void>;
}

/** What the pool asks of its threads. Commands run in the order in which they were posted. */
export type ThreadCommand =
  | {
      readonly kind: 'open';
      readonly instance: number;
      readonly module: WebAssembly.Module;
      readonly memory: WebAssembly.Memory;
      readonly plan: number;
      readonly scratch: number;
      readonly job: number;
      readonly points: number;
    }
  | { readonly kind: 'train'; readonly instance: number }
  | { readonly kind: 'evaluate'; readonly instance: number; readonly job: number; readonly rows: number }
  | { readonly kind: 'close'; readonly instance: number };

/** A command is done; `error` where it failed. */
export interface ThreadReply {
  readonly error?: string;
}

/** The body of a thread: keeps an instance of the kernels per session and runs commands on them. */
export function threadBody(reply: (message: ThreadReply) => void): (command: ThreadCommand) => void {
  const instances = new Map<number, Kernels>();
  const run = (command: ThreadCommand): void => {
    if (command.kind === 'open') {
      const kernels = instantiateKernels(command.module, command.memory);
      kernels.initialise(command.plan, command.scratch, command.job, command.points);
      instances.set(command.instance, kernels);
      return;
    }
    if (command.kind === 'close') {
      instances.delete(command.instance);
      return;
    }
    const kernels = instances.get(command.instance);
    if (kernels === undefined) throw new Error(`no kernel instance ${command.instance} on this thread`);
    if (command.kind === 'train') kernels.trainStep();
    else kernels.evaluateTasks(command.job, command.rows);
  };
  return (command) => {
    try {
      run(command);
      reply({});
    } catch (error) {
      reply({ error: String(error) });
    }
  };
}

import { failureOf, type PageMessages, type WorkerMessage } from './messages.js';
import type { MethodName, Methods } from './methods.js';

/** What a method is given besides its request. */
export interface CallContext<M extends MethodName> {
  /** Aborted when the page does not want the result any more. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Methods[M]['progress']) => void;
  /** Objects of the reply that are handed over instead of copied. */
  readonly transfer: (object: Transferable) => void;
}

/** The methods themselves. */
export type Service = {
  readonly [M in MethodName]: (
    request: Methods[M]['request'],
    context: CallContext<M>,
  ) => Promise<Methods[M]['reply']>;
};

/** What a worker's global scope has of a message port. */
export interface Port {
  postMessage(message: WorkerMessage, transfer: Transferable[]): void;
  addEventListener(type: 'message', handler: (event: MessageEvent<PageMessages>) => void): void;
}

/** Answers the page's calls by a service, several at a time. */
export function serveMethods(port: Port, service: Service): void {
  const running = new Map<number, AbortController>();
  const answer = async <M extends MethodName>(
    id: number,
    method: M,
    request: Methods[M]['request'],
  ): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    const transfers: Transferable[] = [];
    try {
      const reply = await service[method](request, {
        signal: controller.signal,
        onProgress: (progress) => port.postMessage({ id, progress }, []),
        transfer: (object) => void transfers.push(object),
      });
      port.postMessage({ id, reply }, transfers);
    } catch (error) {
      port.postMessage({ id, failure: failureOf(error) }, []);
    } finally {
      running.delete(id);
    }
  };
  port.addEventListener('message', ({ data }) => {
    for (const message of data) {
      if ('abort' in message) running.get(message.id)?.abort();
      else void answer(message.id, message.method, message.request as never);
    }
  });
}

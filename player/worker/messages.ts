import { LgiError, OptionError, type LgiErrorCode } from '../../codec/errors.js';
import type { MethodName } from './methods.js';

/** From the page: what it has asked for in one turn, so that what is read for it is read together. */
export type PageMessages = readonly PageMessage[];

/** A call, or that its result is not wanted any more. */
export type PageMessage =
  | { readonly id: number; readonly method: MethodName; readonly request: unknown }
  | { readonly id: number; readonly abort: true };

/** From the worker: news of a call, its result, or how it failed. */
export type WorkerMessage =
  | { readonly id: number; readonly progress: unknown }
  | { readonly id: number; readonly reply: unknown }
  | { readonly id: number; readonly failure: Failure };

/** An error as it passes between threads, which keep no classes. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly code?: LgiErrorCode;
  readonly section?: string;
  readonly option?: string;
}

export function failureOf(error: unknown): Failure {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (error instanceof LgiError) {
    const { code, section } = error;
    return { name, message, code, ...(section !== undefined && { section }) };
  }
  return error instanceof OptionError ? { name, message, option: error.option } : { name, message };
}

/** The error that a failure was. */
export function errorOf({ name, message, code, section, option }: Failure): Error {
  if (code !== undefined) return new LgiError(code, message, section === undefined ? {} : { section });
  // Its message begins with its option's name.
  if (option !== undefined) return new OptionError(option, message.slice(option.length + 2));
  const error = new Error(message);
  error.name = name;
  return error;
}

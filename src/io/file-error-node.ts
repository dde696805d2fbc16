import { resolve } from 'node:path';
import { LgiError } from '../../codec/errors.js';

const REASONS: Readonly<Record<string, readonly [fact: string, nextStep: string]>> = {
  ENOENT: ['there is no such file or folder', 'check the path'],
  ENOTDIR: ['a part of the path is no folder', 'check the path'],
  EISDIR: ['it is a folder', 'name a file'],
  EACCES: ['permission is denied', 'change the permissions or choose another place'],
  EPERM: ['the operation is not permitted', 'change the permissions or choose another place'],
  EROFS: ['the file system is read-only', 'choose another place'],
  ENOSPC: ['there is no space left on the device', 'free some space or choose another place'],
  EDQUOT: ['the disk quota is used up', 'free some space or choose another place'],
  EFBIG: ['the file grows too large for its file system', 'choose another place'],
  EMFILE: ['too many files are open', 'close some and try again'],
  ENAMETOOLONG: ['the name is too long', 'choose a shorter name'],
  ESPIPE: ['it is a pipe, which can only be read from front to back', 'save it to a file first'],
  EPIPE: ['it is a pipe, which can only be written from front to back', 'write to a file first'],
  ELOOP: ['symbolic links lead in a circle', 'check the path'],
};

/** Of folders in which no file can be made. */
const FOLDER_REASONS: Readonly<
  Record<string, (folder: string) => readonly [fact: string, nextStep: string]>
> = {
  ENOENT: (folder) => [`there is no folder ${folder}`, 'make it first, or check the path'],
  EACCES: (folder) => [
    `the folder ${folder} may not be written in`,
    'change its permissions, or choose another place',
  ],
  EPERM: (folder) => [
    `in the folder ${folder} the operation is not permitted`,
    'change its permissions, or choose another place',
  ],
  EROFS: (folder) => [`the folder ${folder} is on a read-only file system`, 'choose another place'],
};

/**
 * A failure to make a file beside another, which only the folder can be at fault for.
 *
 * @param what the file that could not be made, as people have to know it, such as a lock.
 */
export function folderError(path: string, folder: string, cause: unknown, what?: string): LgiError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  // Where a path has no folder of its own, the full one says which it is.
  const reason = FOLDER_REASONS[code]?.(folder === '.' ? resolve(folder) : folder);
  if (reason === undefined) return fileError('write', path, cause);
  const [fact, nextStep] = reason;
  const purpose = what === undefined ? '' : `, where ${what} has to be made`;
  return new LgiError('io', `cannot write ${path}: ${fact}${purpose}; ${nextStep}`, { cause });
}

/** A failed file operation as an error that says which file, why, and what to do about it. */
export function fileError(action: 'read' | 'write', path: string, cause: unknown): LgiError {
  if (cause instanceof LgiError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const known = REASONS[code];
  const reason = known ? known.join('; ') : cause instanceof Error ? cause.message : String(cause);
  return new LgiError('io', `cannot ${action} ${path}: ${reason}`, { cause });
}

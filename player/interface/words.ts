import { LgiError, type LgiErrorCode } from '../../codec/errors.js';

/** An error as a person reads it. */
export interface Words {
  readonly title: string;
  readonly detail: string;
}

const TITLES: Readonly<Partial<Record<LgiErrorCode, string>>> = {
  'not-lgi': 'This is no LGI file',
  truncated: 'The file is not complete',
  damaged: 'The file is damaged',
  unsupported: 'This player is too old for the file',
  limit: 'The file is larger than this player takes',
  conflict: 'These files do not belong together',
  unavailable: 'The player cannot work here',
  io: 'The file could not be loaded',
  replaced: 'The file was replaced on the server',
  media: 'This medium cannot be read',
};

/** What went wrong and what to do, in words for the person in front of the page. */
export function wordsOf(error: Error): Words {
  const title = (error instanceof LgiError && TITLES[error.code]) || 'Something went wrong';
  return { title, detail: sentence(error.message) };
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

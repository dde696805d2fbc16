import { LgiError, OptionError } from '../../codec/errors.js';

/** Something that must not be. */
export class Finding extends Error {
  override readonly name = 'Finding';
}

/** How a target ended that did as it should: `result`, an error's code, or `option`. */
export type Ending = 'result' | 'option' | LgiError['code'];

/** Codes of a file that is at fault; others would blame the machine, the network or the caller. */
const CODES: readonly LgiError['code'][] = ['not-lgi', 'truncated', 'damaged', 'unsupported', 'limit'];

/** What a section may be called: anything else was taken from the file without being looked at. */
const SECTION = /^(superblock|header|index|end|file|chunk (\d+:)?-?\d+(,-?\d+)*|[\x21-\x7e]{1,255})$/;

/** Longest message that people read. */
const LONGEST_MESSAGE = 800;

/**
 * @param error what a target has thrown.
 * @returns the ending, for an error as the house's rules have it.
 * @throws Finding for any other.
 */
export function judge(error: unknown, valid: boolean): Ending {
  if (error instanceof Finding) throw error;
  if (error instanceof OptionError) return 'option';
  if (!(error instanceof LgiError)) {
    throw new Finding(`no typed error: ${error instanceof Error ? error.stack : String(error)}`);
  }
  const { code, section, message } = error;
  if (!CODES.includes(code)) throw new Finding(`code ${code} for a file: ${message}`);
  if (valid) throw new Finding(`a valid file is refused: ${code}, ${message}`);
  if (section !== undefined && !SECTION.test(section))
    throw new Finding(`a section named ${JSON.stringify(section)}`);
  // What a terminal would obey must not come out of a file.
  if (/\p{Cc}/u.test(message))
    throw new Finding(`a message with control characters: ${JSON.stringify(message)}`);
  if (message.length > LONGEST_MESSAGE) throw new Finding(`a message of ${message.length} characters`);
  return code;
}

import { LgiError } from '../../codec/errors.js';
import type { MetadataSection } from './index-table.js';
import type { Container } from './reader.js';

/** Metadata sections by whether they can be read. */
export interface CheckedSections {
  readonly sections: readonly MetadataSection[];
  /** What is wrong with the others, each with its name as section. */
  readonly sectionFaults: readonly LgiError[];
}

/**
 * Reads metadata sections and tells the sound ones from the others.
 *
 * @throws LgiError `io`.
 */
export async function checkEachSection(
  container: Container,
  wanted: readonly MetadataSection[],
  signal?: AbortSignal,
): Promise<CheckedSections> {
  const sections: MetadataSection[] = [];
  const sectionFaults: LgiError[] = [];
  for (const section of wanted) {
    try {
      await container.readSections([section], signal);
      sections.push(section);
    } catch (error) {
      if (!(error instanceof LgiError) || error.code === 'io') throw error;
      sectionFaults.push(error);
    }
  }
  return { sections, sectionFaults };
}

// npm run fuzz -- --seconds 3600 --seed 1: mutated files until the time is up, with nothing but results and typed errors.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeCorpus, readVectors } from './corpus.js';
import type { FoundCase } from './messages.js';
import { fileOf } from './run-case.js';
import { fuzz, type FuzzReport } from './session.js';

const USAGE = `npm run fuzz -- [options]

  --seed N      which files (default: 1)
  --seconds N   how long (default: 60, or until --cases are done)
  --cases N     how many files
  --first N     the first of them (default: 0)
  --case N      this one alone
  --vectors     the conformance vectors, one byte of each changed and all checksums made right: opened, verified, decoded
  --mutations N how often for each vector (default: 2000)
  --out FOLDER  where files go that show something (default: fuzz-output)
  --help        this, and nothing else

The same seed and case are the same file and the same calls. Ends with 1 where something was found: anything that is
neither a result nor a typed error, takes too long, or asks for more memory than the file justifies.
`;

const OPTIONS = {
  seed: { type: 'string', default: '1' },
  seconds: { type: 'string' },
  cases: { type: 'string' },
  first: { type: 'string', default: '0' },
  case: { type: 'string' },
  vectors: { type: 'boolean' },
  mutations: { type: 'string' },
  out: { type: 'string', default: 'fuzz-output' },
  help: { type: 'boolean' },
} as const;

/** Seconds without a wish. */
const DEFAULT_SECONDS = 60;

/** Of every vector: of most, several of every byte of header and index. */
const DEFAULT_MUTATIONS = 2000;

/** A vector has a few KB and is read in milliseconds: what takes seconds is more than it justifies. */
const VECTOR_HANG_MS = 5000;

/** Between two lines of progress. */
const PROGRESS_MS = 30_000;

function refuse(message: string): never {
  process.stderr.write(`fuzz: ${message}\n\n${USAGE}`);
  process.exit(2);
}

function parsed() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

const values = parsed();
if (values.help === true) {
  process.stdout.write(USAGE);
  process.exit(0);
}

function whole(name: 'mutations' | 'seed' | 'seconds' | 'cases' | 'first' | 'case'): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) refuse(`--${name} ${text} is no whole number`);
  return Number(text);
}

function lineOf({ cases, seconds, findings, mostAllocated }: FuzzReport): string {
  const mib = (mostAllocated / 2 ** 20).toFixed(1);
  return (
    `${cases} files in ${seconds.toFixed(0)} s, ${(cases / Math.max(seconds, 0.001)).toFixed(0)} a second, ` +
    `${findings.length} findings, at most ${mib} MiB asked for by a call`
  );
}

/** Endings as a table: targets down, endings across. */
function tableOf(endings: Readonly<Record<string, number>>): string {
  const targets = [...new Set(Object.keys(endings).map((key) => key.slice(0, key.lastIndexOf(': '))))].sort();
  const kinds = [...new Set(Object.keys(endings).map((key) => key.slice(key.lastIndexOf(': ') + 2)))].sort();
  const row = (cells: readonly (string | number)[]): string =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(24) : String(cell).padStart(12))).join('');
  return [
    row(['', ...kinds]),
    ...targets.map((name) => row([name, ...kinds.map((kind) => endings[`${name}: ${kind}`] ?? 0)])),
  ].join('\n');
}

const seed = whole('seed') ?? 1;
const only = whole('case');
if (values.mutations !== undefined && values.vectors !== true) refuse('--mutations is for --vectors');
const mutations = values.vectors === true ? (whole('mutations') ?? DEFAULT_MUTATIONS) : undefined;
const corpus = mutations === undefined ? await makeCorpus() : readVectors();
const begin = whole('first') ?? 0;
const all = mutations === undefined ? undefined : mutations * corpus.length - begin;
const cases = only === undefined ? (whole('cases') ?? all) : 1;
const seconds = whole('seconds') ?? (cases === undefined ? DEFAULT_SECONDS : undefined);
const asVectors = mutations === undefined ? '' : `--vectors --mutations ${mutations} `;

async function keep({ caseNumber, target, reason }: FoundCase): Promise<void> {
  const again = `npm run fuzz -- ${asVectors}--seed ${seed} --case ${caseNumber}`;
  process.stdout.write(`${again}\n  ${target}: ${reason}\n`);
  // Where making the file has failed, there is none to keep.
  const made = await fileOf(corpus, seed, caseNumber, mutations).catch(() => null);
  if (made === null) return;
  const { bytes, notes } = made.file;
  process.stdout.write(`  ${notes.join('; ')}\n`);
  await mkdir(values.out, { recursive: true });
  const path = join(values.out, `${seed}-${caseNumber}`);
  await writeFile(`${path}.lgi`, bytes);
  await writeFile(`${path}.json`, `${JSON.stringify({ target, reason, notes, again }, null, 2)}\n`);
}

const kept: Promise<void>[] = [];
let lineAt = performance.now();
const report = await fuzz({
  seed,
  first: only ?? begin,
  ...(cases !== undefined && { cases }),
  ...(mutations !== undefined && { mutations, hangMs: VECTOR_HANG_MS }),
  ...(seconds !== undefined && { seconds }),
  onFinding: (finding) => kept.push(keep(finding)),
  onProgress: (soFar) => {
    if (performance.now() - lineAt < PROGRESS_MS) return;
    lineAt = performance.now();
    process.stderr.write(`${lineOf(soFar)}\n`);
  },
});
await Promise.all(kept);
process.stdout.write(`${tableOf(report.endings)}\nseed ${seed}: ${lineOf(report)}\n`);
process.exitCode = report.findings.length > 0 ? 1 : 0;

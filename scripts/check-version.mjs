// Browsers cannot read package.json, so src/version.ts says the version again.
import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const said = /VERSION = '([^']*)'/.exec(readFileSync('src/version.ts', 'utf8'))?.[1];
if (said !== version) {
  process.stderr.write(`version: package.json says ${version}, src/version.ts ${said}; make them the same\n`);
  process.exit(1);
}
process.stdout.write(`version: ${version}\n`);

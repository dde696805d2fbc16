// What people copy from the README must compile: its TypeScript is checked against the package's own declarations, as a
// project that installs it would see them. Runs after the build.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';

const markdown = readFileSync('README.md', 'utf8');
const recipes = new Map();
for (const match of markdown.matchAll(/^```ts\n([\s\S]*?)^```/gm)) {
  const line = markdown.slice(0, match.index).split('\n').length + 1;
  recipes.set(resolve(`README-line-${line}.ts`), { line, text: match[1] });
}

const options = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.dom.asynciterable.d.ts'],
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
};
const host = ts.createCompilerHost(options);
const { fileExists, readFile } = host;
host.fileExists = (path) => recipes.has(resolve(path)) || fileExists(path);
host.readFile = (path) => recipes.get(resolve(path))?.text ?? readFile(path);
host.getSourceFile = (path, version) => {
  const text = host.readFile(path);
  return text === undefined ? undefined : ts.createSourceFile(path, text, version);
};

const program = ts.createProgram([...recipes.keys()], options, host);
const faults = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
  const recipe = file && recipes.get(resolve(file.fileName));
  const line = recipe ? recipe.line + file.getLineAndCharacterOfPosition(start).line : 1;
  return `README.md:${line}  ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
});
if (recipes.size === 0) faults.push('README.md:1  has no TypeScript; its recipes are gone');
if (faults.length > 0) {
  process.stderr.write('recipes: the README shows what does not compile\n');
  for (const fault of faults) process.stderr.write(`  ${fault}\n`);
  process.exit(1);
}
process.stdout.write(`recipes: all ${recipes.size} of the README compile\n`);

// The public surface: every exported symbol has a docstring, and names and signatures are what test/api.snapshot.txt says,
// so that a change of the surface shows in review. `npm run api` writes the snapshot anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';

const ENTRIES = {
  lgi: 'src/index.ts',
  'lgi/node': 'src/node.ts',
  'lgi/research': 'src/research.ts',
  'lgi/player': 'player/index.ts',
};
const SNAPSHOT = 'test/api.snapshot.txt';
const FORMAT = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope;
const HIDDEN = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;

const { config } = ts.readConfigFile('tsconfig.json', (path) => readFileSync(path, 'utf8'));
const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
const program = ts.createProgram(fileNames, {
  ...options,
  noEmit: true,
  incremental: false,
  tsBuildInfoFile: undefined,
});
const checker = program.getTypeChecker();

const typeText = (type) => checker.typeToString(type, undefined, FORMAT);
/** Neither the language's own nor a package's, such as what Node's types add to Error. */
const isOurs = (symbol) =>
  symbol.declarations?.some((node) => {
    const file = node.getSourceFile();
    return !program.isSourceFileDefaultLibrary(file) && !file.fileName.includes('/node_modules/');
  });

function signatures(type, kind) {
  return checker
    .getSignaturesOfType(type, kind)
    .filter(({ declaration }) => !declaration || !(ts.getCombinedModifierFlags(declaration) & HIDDEN))
    .map((signature) => checker.signatureToString(signature, undefined, FORMAT));
}

function members(type) {
  return checker
    .getPropertiesOfType(type)
    .filter((member) => isOurs(member) && !/^(__)?#/.test(member.name))
    .filter((member) => !(ts.getCombinedModifierFlags(member.declarations[0]) & HIDDEN))
    .filter((member) => member.name !== 'prototype')
    .map((member) => {
      const memberType = checker.getTypeOfSymbol(member);
      const optional = member.flags & ts.SymbolFlags.Optional ? '?' : '';
      const calls = signatures(memberType, ts.SignatureKind.Call);
      if (member.flags & ts.SymbolFlags.Method)
        return calls.map((call) => `${member.name}${optional}${call}`).join('\n  ');
      // What may be left out may be undefined; saying both is noise.
      return `${member.name}${optional}: ${typeText(memberType).replace(optional && / \| undefined$/, '')}`;
    })
    .map((line) => `  ${line}`);
}

function describe(name, symbol) {
  const { flags } = symbol;
  const valueType = checker.getTypeOfSymbol(symbol);
  if (flags & ts.SymbolFlags.Class) {
    const constructors = signatures(valueType, ts.SignatureKind.Construct).map((text) => `  new ${text}`);
    const statics = members(valueType).map((line) => `  static ${line.trim()}`);
    return [
      `class ${name}`,
      ...constructors,
      ...statics,
      ...members(checker.getDeclaredTypeOfSymbol(symbol)),
    ];
  }
  if (flags & ts.SymbolFlags.Interface)
    return [`interface ${name}`, ...members(checker.getDeclaredTypeOfSymbol(symbol))];
  if (flags & ts.SymbolFlags.TypeAlias) {
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    return [
      `type ${name} = ${checker.typeToString(type, undefined, FORMAT | ts.TypeFormatFlags.InTypeAlias)}`,
    ];
  }
  if (flags & ts.SymbolFlags.Function) {
    return signatures(valueType, ts.SignatureKind.Call).map((text) => `function ${name}${text}`);
  }
  return [`const ${name}: ${typeText(valueType)}`];
}

const undocumented = [];
const surface = Object.entries(ENTRIES).flatMap(([entry, path]) => {
  const module = checker.getSymbolAtLocation(program.getSourceFile(path));
  const symbols = checker.getExportsOfModule(module).sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    `# ${entry}`,
    '',
    ...symbols.flatMap((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      if (symbol.getDocumentationComment(checker).length === 0) {
        const [node] = symbol.declarations;
        const file = node.getSourceFile();
        const { line } = file.getLineAndCharacterOfPosition(node.getStart());
        undocumented.push(
          `${file.fileName.replace(`${process.cwd()}/`, '')}:${line + 1}  ${exported.name}, of ${entry}`,
        );
      }
      return [...describe(exported.name, symbol), ''];
    }),
  ];
});
const text = `${surface.join('\n').trimEnd()}\n`;

if (undocumented.length > 0) {
  process.stderr.write(`public API: ${undocumented.length} exported symbols have no docstring\n`);
  for (const line of undocumented) process.stderr.write(`  ${line}\n`);
  process.exit(1);
}
if (process.argv.includes('--update')) {
  writeFileSync(SNAPSHOT, text);
  process.stdout.write(`public API: ${SNAPSHOT} written\n`);
} else {
  const before = existsSync(SNAPSHOT) ? readFileSync(SNAPSHOT, 'utf8') : '';
  if (before !== text) {
    const [was, is] = [before, text].map((surfaceText) => blocksOf(surfaceText));
    process.stderr.write(`public API: the surface is not what ${SNAPSHOT} says\n`);
    for (const block of was) if (!is.has(block)) process.stderr.write(indent('-', block));
    for (const block of is) if (!was.has(block)) process.stderr.write(indent('+', block));
    process.stderr.write('If that is meant, run `npm run api`, and say it in CHANGELOG.md.\n');
    process.exit(1);
  }
  process.stdout.write('public API: every symbol documented, the surface as recorded\n');
}

function blocksOf(surfaceText) {
  return new Set(surfaceText.split('\n\n').map((block) => block.trimEnd()));
}

function indent(sign, block) {
  return block
    .split('\n')
    .map((line) => `  ${sign} ${line}\n`)
    .join('');
}

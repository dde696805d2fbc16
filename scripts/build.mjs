// Builds everything into dist/: kernels (AssemblyScript to WebAssembly), then TypeScript.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import asc from 'assemblyscript/asc';

const assembly = 'codec/engine/cpu/assembly/kernels.ts';
const generated = 'codec/engine/cpu/module.generated.ts';

/** Compiles the kernels once; `relaxed` selects fused multiply-add where the host has it. */
async function compileKernels(relaxed) {
  const { error, binary, stderr } = await (async () => {
    let binary;
    const result = await asc.main(
      [
        assembly,
        '--outFile',
        'kernels.wasm',
        '-O3',
        '--noAssert',
        '--runtime',
        'stub',
        '--importMemory',
        '--sharedMemory',
        '--maximumMemory',
        '65536',
        '--enable',
        'simd',
        '--enable',
        'threads',
        ...(relaxed ? ['--enable', 'relaxed-simd'] : []),
      ],
      {
        writeFile: (_name, contents) => {
          binary = contents;
        },
      },
    );
    return { ...result, binary };
  })();
  if (error) {
    process.stderr.write(stderr.toString());
    throw error;
  }
  return Buffer.from(binary);
}

function sourcesDigest() {
  const folder = 'codec/engine/cpu/assembly';
  const hash = createHash('sha256').update(readFileSync('scripts/build.mjs'));
  for (const name of readdirSync(folder).sort()) {
    hash.update(readFileSync(`${folder}/${name}`));
  }
  // Compiled by both compilers.
  hash.update(readFileSync('codec/engine/cpu/records.ts'));
  return hash.digest('hex');
}

const digest = sourcesDigest();
if (!existsSync(generated) || !readFileSync(generated, 'utf8').includes(digest)) {
  const plain = await compileKernels(false);
  const relaxed = await compileKernels(true);
  writeFileSync(
    generated,
    `// Made by scripts/build.mjs from assembly/, sources ${digest}. Not edited, not committed.\n` +
      `export const KERNELS_BASE64 =\n  '${plain.toString('base64')}';\n` +
      `export const RELAXED_KERNELS_BASE64 =\n  '${relaxed.toString('base64')}';\n`,
  );
  process.stdout.write(`kernels: ${plain.length} bytes, relaxed SIMD ${relaxed.length} bytes\n`);
}
mkdirSync('dist', { recursive: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], {
  stdio: 'inherit',
});
execFileSync(process.execPath, ['scripts/bundle-player.mjs'], { stdio: 'inherit' });

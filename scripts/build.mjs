// Builds everything into dist/: kernels (AssemblyScript to WebAssembly), then TypeScript.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import asc from 'assemblyscript/asc';

const assembly = 'codec/engine/cpu/assembly';
const generated = 'codec/engine/cpu/module.generated.ts';

/** Compiles one of the modules, `kernels`, `evaluation` or `latent/kernels`; `relaxed` selects fused multiply-add where the host has it. */
async function compileKernels(entry, relaxed) {
  const { error, binary, stderr } = await (async () => {
    let binary;
    const result = await asc.main(
      [
        `${assembly}/${entry}.ts`,
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
  const hash = createHash('sha256').update(readFileSync('scripts/build.mjs'));
  for (const name of readdirSync(assembly, { recursive: true }).sort()) {
    if (name.endsWith('.ts')) hash.update(readFileSync(`${assembly}/${name}`));
  }
  // Compiled by both compilers.
  hash.update(readFileSync('codec/engine/cpu/records.ts'));
  hash.update(readFileSync('codec/engine/cpu/latent-records.ts'));
  return hash.digest('hex');
}

const digest = sourcesDigest();
if (!existsSync(generated) || !readFileSync(generated, 'utf8').includes(digest)) {
  const modules = {
    KERNELS: await compileKernels('kernels', false),
    RELAXED_KERNELS: await compileKernels('kernels', true),
    EVALUATION: await compileKernels('evaluation', false),
    RELAXED_EVALUATION: await compileKernels('evaluation', true),
    LATENTS: await compileKernels('latent/kernels', false),
    RELAXED_LATENTS: await compileKernels('latent/kernels', true),
  };
  writeFileSync(
    generated,
    `// Made by scripts/build.mjs from assembly/, sources ${digest}. Not edited, not committed.\n` +
      Object.entries(modules)
        .map(([name, bytes]) => `export const ${name}_BASE64 =\n  '${bytes.toString('base64')}';\n`)
        .join(''),
  );
  for (const [name, bytes] of Object.entries(modules))
    process.stdout.write(`${name}: ${bytes.length} bytes\n`);
}
mkdirSync('dist', { recursive: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], {
  stdio: 'inherit',
});
// npx makes it executable only once for a folder, and keeps the link after dist/ is made anew.
chmodSync('dist/src/cli/main.js', 0o755);
execFileSync(process.execPath, ['scripts/bundle-player.mjs'], { stdio: 'inherit' });

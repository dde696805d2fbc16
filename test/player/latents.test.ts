import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import * as entropyModel from '../../dist/codec/latent/entropy-model.js';
import * as latentArchitecture from '../../dist/codec/latent/latent-architecture.js';
import * as latentCoder from '../../dist/codec/latent/latent-coder.js';
import * as probabilityTables from '../../dist/codec/latent/probability-tables.js';
import * as sharedWeights from '../../dist/codec/latent/shared-weights.js';
import { boxShape } from '../../dist/codec/grid.js';
import { openContainer } from '../../dist/src/container/reader.js';
import { MemorySource } from '../../dist/src/io/memory.js';
import { hasBrowser, useBrowser } from './browser.js';

/** This code, here and in a page. */
const here = {
  ...entropyModel,
  ...latentArchitecture,
  ...latentCoder,
  ...probabilityTables,
  ...sharedWeights,
};
declare const latents: typeof here;

/** A chunk and what its header says of it, as a page takes it. */
interface Coded {
  readonly architecture: latentArchitecture.LatentArchitecture;
  readonly shared: readonly number[];
  readonly shape: readonly number[];
  readonly payload: readonly number[];
}

/** All chunks of latents that the conformance vectors have. */
async function codedOfVectors(): Promise<Coded[]> {
  const names = (await readdir('spec/vectors')).filter((name) => /^latent-.*\.lgi$/.test(name));
  const all: Coded[] = [];
  for (const name of names) {
    const file = await openContainer(new MemorySource(await readFile(`spec/vectors/${name}`)));
    for (const [i, { latents }] of file.header.signals.entries()) {
      const { grid, chunks } = file.index.signals[i];
      for (let chunk = 0; latents !== undefined && chunk < chunks.count; chunk++) {
        all.push({
          architecture: latents.architecture,
          shared: [...latents.shared],
          shape: boxShape(grid.boxOf(chunks.ordinals[chunk])),
          payload: [...(await file.readChunk(i, chunk))],
        });
      }
    }
  }
  return all;
}

describe.skipIf(!hasBrowser)('latents in a browser', () => {
  const place = useBrowser();

  beforeAll(async () => {
    await cp('dist/codec', `${place.folder}/codec`, { recursive: true });
    const modules = [
      'entropy-model',
      'latent-architecture',
      'latent-coder',
      'probability-tables',
      'shared-weights',
    ];
    const lines = modules.map(
      (name, i) => `import * as m${i} from './codec/latent/${name}.js'; Object.assign(all, m${i});`,
    );
    await writeFile(
      `${place.folder}/modules.js`,
      `const all = {};\n${lines.join('\n')}\nglobalThis.latents = all;`,
    );
  });

  async function pageWithModules(): Promise<Page> {
    const page = await place.page(200, 100);
    await page.goto(`${place.url}_lgi/view.html`);
    await page.addScriptTag({ type: 'module', url: `${place.url}modules.js` });
    await page.waitForFunction(() => 'latents' in globalThis);
    return page;
  }

  it('have the probabilities that they have here, bit by bit', async () => {
    const page = await pageWithModules();
    const there = await page.evaluate(() => {
      const { PROBABILITIES, LOGARITHMS } = latents;
      const { same, toward, end, digit } = PROBABILITIES;
      return [same, toward, end, digit, LOGARITHMS].map((table) => [...table]);
    });
    const { same, toward, end, digit } = here.PROBABILITIES;
    expect(there).toEqual([same, toward, end, digit, here.LOGARITHMS].map((table) => [...table]));
  });

  it('of every vector are the same whole numbers', async () => {
    const coded = await codedOfVectors();
    expect(coded.length).toBeGreaterThan(10);
    const page = await pageWithModules();
    const there = await page.evaluate(
      (all) =>
        all.map(({ architecture, shared, shape, payload }) => {
          const { numbers } = latents.decodeShared(architecture, Uint8Array.from(shared));
          const grids = latents.placeGrids(architecture, shape);
          const models = latents.gridModels(architecture, numbers);
          return [...latents.decodeLatents(grids, models, Uint8Array.from(payload), '')];
        }),
      coded,
    );
    const decoded = coded.map(({ architecture, shared, shape, payload }) => {
      const { numbers } = here.decodeShared(architecture, Uint8Array.from(shared));
      const grids = here.placeGrids(architecture, shape);
      const models = here.gridModels(architecture, numbers);
      return [...here.decodeLatents(grids, models, Uint8Array.from(payload), '')];
    });
    expect(there).toEqual(decoded);
  });
});

import { cp, readdir, readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasBrowser, useBrowser } from './browser.js';

const FOLDER = 'spec/vectors';

describe.skipIf(!hasBrowser)('every conformance vector', () => {
  const place = useBrowser();
  let names: string[];

  beforeAll(async () => {
    await cp(FOLDER, place.folder, { recursive: true });
    names = (await readdir(FOLDER)).filter((name) => name.endsWith('.lgi'));
  });

  it('is shown, or refused in words where it has to be, and the page lives', async () => {
    const page = await place.page(400, 300);
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${place.url}_lgi/view.html`);
    for (const name of names) {
      const { error: refused } = JSON.parse(
        await readFile(`${FOLDER}/${name.replace(/lgi$/, 'json')}`, 'utf8'),
      ) as { error?: { section?: string } };
      const outcome = await page.evaluate(async (url) => {
        const player = document.querySelector('lgi-player')?.player;
        if (!player) return 'no player';
        let failure: Error | undefined;
        const failed = ({ detail }: CustomEvent<{ error: Error }>): void => {
          failure ??= detail.error;
        };
        player.addEventListener('error', failed);
        try {
          await player.open(url);
          const sharp = new Promise((resolve) =>
            player.addEventListener('progress', ({ detail }) => {
              if (detail.isSharp) resolve(undefined);
            }),
          );
          await Promise.race([
            sharp,
            (async () => {
              for (let i = 0; i < 200 && !failure; i++)
                await new Promise((resolve) => setTimeout(resolve, 20));
            })(),
          ]);
        } catch (error) {
          failure ??= error as Error;
        }
        player.removeEventListener('error', failed as EventListener);
        return failure === undefined ? 'shown' : `${failure.name}: ${failure.message}`;
      }, `${place.url}${name}`);
      // Nothing of what is not shown is read.
      const isSeen = /^(superblock|header|index|chunk (0:)?[\d,-]+)$/.test(refused?.section ?? 'header');
      if (!isSeen && outcome === 'shown') continue;
      if (refused === undefined) expect([name, outcome]).toEqual([name, 'shown']);
      else expect([name, outcome]).toEqual([name, expect.stringMatching(/^LgiError: /)]);
    }
    expect(errors).toEqual([]);
    expect(names.length).toBeGreaterThan(90);
  });
});

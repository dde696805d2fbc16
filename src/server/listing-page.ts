import { readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { stat } from 'node:fs/promises';

/** A line of a listing. */
interface Listed {
  readonly name: string;
  readonly isFolder: boolean;
  readonly byteLength: number;
}

/** Folders first, both by name. */
async function listFolder(folder: string): Promise<Listed[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const listed = await Promise.all(
    entries
      .filter(({ name }) => !name.startsWith('.'))
      .map(async ({ name }): Promise<Listed | undefined> => {
        // What links lead to counts; one that leads nowhere is left out.
        const stats = await stat(join(folder, name)).catch(() => undefined);
        if (stats === undefined || !(stats.isFile() || stats.isDirectory())) return undefined;
        return { name, isFolder: stats.isDirectory(), byteLength: stats.size };
      }),
  );
  return listed
    .filter((entry) => entry !== undefined)
    .sort((a, b) => Number(b.isFolder) - Number(a.isFolder) || a.name.localeCompare(b.name));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML has it, in elements and attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ESCAPES[sign]);
}

/** A page that shows what is in a folder: LGI files with pictures of what is in them, which lead to the player. */
export async function listingPage(folder: string, urlPath: string): Promise<string> {
  const listed = await listFolder(folder);
  const cards = listed.map((entry) => cardOf(entry, urlPath)).join('\n');
  const title = decodeURIComponent(urlPath);
  const up = urlPath === '/' ? '' : '<a class="up" href="../">Up</a>';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="/_lgi/pages.css">
</head>
<body class="listing">
<h1>${escapeHtml(title)}</h1>
<p><a href="/_lgi/view.html">Encode a picture</a> of your own, in the page.</p>
${up}
<ul class="cards">
${cards || '<li>Nothing is in this folder.</li>'}
</ul>
</body>
</html>
`;
}

function cardOf({ name, isFolder, byteLength }: Listed, urlPath: string): string {
  const text = escapeHtml(name);
  const href = encodeURIComponent(name);
  if (isFolder) return `<li><a href="${href}/"><span class="thumbnail folder"></span>${text}/</a></li>`;
  const size = `<small>${byteLength.toLocaleString('en')} bytes</small>`;
  if (extname(name).toLowerCase() !== '.lgi')
    return `<li><a href="${href}"><span class="thumbnail"></span>${text}</a>${size}</li>`;
  const file = encodeURIComponent(`${urlPath}${href}`);
  return (
    `<li><a href="/_lgi/view.html?file=${file}">` +
    `<img class="thumbnail" loading="lazy" alt="" src="/_lgi/thumbnail?file=${file}">${text}</a>${size}</li>`
  );
}

// The page of `lgi serve` that plays a file: `?file=` says which, by its path on the server.
import '../index.js';
import '../surface/index.js';

const file = new URLSearchParams(location.search).get('file');
const player = document.querySelector('lgi-player');
if (file !== null && player !== null) {
  // A path and nothing else: a page of one server does not open another's files because a link says so.
  player.src = new URL(`/${file.replace(/^\/+/, '')}`, location.origin).href;
  document.title = decodeURIComponent(file.split('/').at(-1) ?? 'LGI');
}

// Loaded before a program (`node --import`): writes the most memory that it held, in bytes, to the file that LGI_BENCH_MEMORY names.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Linux's record; what `resourceUsage` says there has the memory of the program that started this one in it. */
const STATUS = '/proc/self/status';

function mostMemory(): number {
  const status = existsSync(STATUS) ? readFileSync(STATUS, 'utf8') : '';
  const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Number(kilobytes) * 1024;
}

process.on('exit', () => {
  const file = process.env['LGI_BENCH_MEMORY'];
  if (file !== undefined) writeFileSync(file, String(mostMemory()));
});

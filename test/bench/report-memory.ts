// Loaded before a program (`node --import`): writes the most memory that it held, in bytes, to the file that LGI_BENCH_MEMORY names.
import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  const file = process.env['LGI_BENCH_MEMORY'];
  if (file !== undefined) writeFileSync(file, String(process.resourceUsage().maxRSS * 1024));
});

// Runs command lines as they come by messages, one after the other in this process, and answers with what each wrote.
const { runCommandLine } = await import(process.argv[2]);

let queue = Promise.resolve();
process.on('message', ({ id, argv }) => {
  queue = queue.then(async () => {
    const written = { stdout: '', stderr: '' };
    const originals = {};
    for (const name of Object.keys(written)) {
      originals[name] = process[name].write;
      process[name].write = (text) => ((written[name] += text), true);
    }
    const code = await runCommandLine(argv);
    for (const name of Object.keys(written)) process[name].write = originals[name];
    process.send({ id, ended: { ...written, code } });
  });
});

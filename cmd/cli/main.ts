#!/usr/bin/env node
import { Interrupted } from '../../internal/cli/cli-error.ts';
import { runCli } from '../../internal/cli/run-cli.ts';
import { loadCliSettings } from '../../internal/config/cli-settings.ts';

/** `berth`: the command line over the API, talking HTTP and nothing else. */
const ending = new AbortController();
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => ending.abort(new Interrupted(signal)));
}
for (const stream of [process.stdout, process.stderr]) {
  // `berth logs … | head`: whoever read has enough.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    ending.abort(new Interrupted('SIGPIPE'));
  });
}

process.exitCode = await runCli(process.argv.slice(2), {
  settings: loadCliSettings(process.env),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: ending.signal,
  folder: process.cwd(),
});

const PROGRAMS: Readonly<Record<string, () => Promise<unknown>>> = {
  api: () => import('../api/main.ts'),
  worker: () => import('../worker/main.ts'),
  migrate: () => import('../migrate/main.ts'),
  'rotate-key': () => import('../rotate-key/main.ts'),
  'clean-up': () => import('../clean-up/main.ts'),
};

/** What the image runs: `docker run … berth` is the API, `docker run … berth worker` the worker. */
const [name = 'api'] = process.argv.slice(2);
const program = PROGRAMS[name];
if (program === undefined) {
  process.stderr.write(`There is no program ${name}; choose of: ${Object.keys(PROGRAMS).join(', ')}\n`);
  process.exitCode = 64;
} else {
  // Defaults of the image, here and not by ENV, because an empty line in --env-file would unset that. Loopback of a
  // container is reached by nobody: who comes in is decided by what is published (docker run -p).
  process.env['DATA_DIR'] ||= '/var/lib/berth';
  process.env['API_ADDRESS'] ||= '0.0.0.0';
  process.env['FALLBACK_ADDRESS'] ||= '0.0.0.0';
  await program();
}

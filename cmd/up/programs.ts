import { existsSync } from 'node:fs';
import { join } from 'node:path';

export type ProgramName = 'api' | 'worker' | 'migrate';

/** How the checkout's programs are run: as built, or from their sources and again at each change. */
export type ProgramMode = 'built' | 'watched';

/**
 * Idle memory of a process that talks to Postgres through Prisma, measured: 205 MB RSS without, 108 with these, its
 * answers as fast. Most of it is what the optimising compiler takes for Prisma's WebAssembly and never gives back.
 */
const NODE_FLAGS = ['--enable-source-maps', '--liftoff-only', '--max-semi-space-size=2'];
export const MEMORY_ENVIRONMENT = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' };

/** Arguments for this Node. */
export function programArguments(checkout: string, name: ProgramName, mode: ProgramMode): string[] {
  if (mode === 'built') return [...NODE_FLAGS, join(checkout, 'dist/cmd', name, 'main.js')];
  const runner = join(checkout, 'node_modules/tsx/dist/cli.mjs');
  const watch = name === 'migrate' ? [] : ['watch', '--clear-screen=false'];
  return [runner, ...watch, join(checkout, 'cmd', name, 'main.ts')];
}

/** The supervisor, in the same form as whoever starts it. */
export function supervisorFile(): { file: string; execArgv: string[] } {
  const built = join(import.meta.dirname, 'supervise.js');
  if (existsSync(built)) return { file: built, execArgv: NODE_FLAGS };
  return { file: join(import.meta.dirname, 'supervise.ts'), execArgv: ['--import', 'tsx'] };
}

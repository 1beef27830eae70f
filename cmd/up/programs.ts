import { existsSync } from 'node:fs';
import { join } from 'node:path';

export type ProgramName = 'api' | 'worker' | 'migrate';

/** How the checkout's programs are run: as built, or from their sources and again at each change. */
export type ProgramMode = 'built' | 'watched';

/**
 * What keeps a process small while idle, measured in docs/decisions/001-idle-memory.md. Most of it is what the
 * optimising compiler takes for Prisma's WebAssembly and never gives back. `--liftoff-only` would say the same in one
 * flag, but is V8's test mode: it ends the process at the first function that only the optimising compiler can do.
 */
const NODE_FLAGS = [
  '--enable-source-maps',
  '--no-wasm-tier-up',
  '--no-wasm-dynamic-tiering',
  '--max-semi-space-size=2',
];
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

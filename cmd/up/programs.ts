import { existsSync } from 'node:fs';
import { join } from 'node:path';

export type ProgramName = 'api' | 'worker' | 'migrate';

/** How the checkout's programs are run: as built, or from their sources and again at each change. */
export type ProgramMode = 'built' | 'watched';

/** Arguments for this Node. */
export function programArguments(checkout: string, name: ProgramName, mode: ProgramMode): string[] {
  if (mode === 'built') return ['--enable-source-maps', join(checkout, 'dist/cmd', name, 'main.js')];
  const runner = join(checkout, 'node_modules/tsx/dist/cli.mjs');
  const watch = name === 'migrate' ? [] : ['watch', '--clear-screen=false'];
  return [runner, ...watch, join(checkout, 'cmd', name, 'main.ts')];
}

/** The supervisor, in the same form as whoever starts it. */
export function supervisorFile(): { file: string; execArgv: string[] } {
  const built = join(import.meta.dirname, 'supervise.js');
  if (existsSync(built)) return { file: built, execArgv: [] };
  return { file: join(import.meta.dirname, 'supervise.ts'), execArgv: ['--import', 'tsx'] };
}

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder with package.json above this file, whether it runs from `cmd/` or from `dist/cmd/`. */
export function findCheckout(from: string = import.meta.dirname): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('This file is not inside a checkout of Berth');
  return findCheckout(parent);
}

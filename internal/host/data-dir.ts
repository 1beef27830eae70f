import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CannotStart } from './cannot-start.ts';

export interface MadeSecrets {
  readonly ENCRYPTION_KEY: string;
  readonly SESSION_SECRET: string;
  /** Written there by whoever changes the key. */
  readonly OLD_ENCRYPTION_KEYS?: string;
}

/**
 * Makes the folder of all state. Others may pass through (the postgres user reaches its data below it), not look in;
 * what is secret in it has mode 0600 or lies in a 0700 folder.
 * @throws CannotStart when it cannot be made, or lies inside the checkout (which may be moved or deleted).
 */
export function makeDataDir(dataDir: string, checkout: string): void {
  if (!relative(checkout, dataDir).startsWith('..')) {
    throw new CannotStart(`DATA_DIR (${dataDir}) is inside the checkout; set it to a folder elsewhere.`);
  }
  try {
    mkdirSync(dataDir, { recursive: true });
    chmodSync(dataDir, 0o711);
  } catch (error) {
    throw new CannotStart(
      `DATA_DIR (${dataDir}) cannot be made: ${String(error)}; set DATA_DIR to another folder.`,
    );
  }
}

/** ENCRYPTION_KEY and SESSION_SECRET, made once in `secrets.env` (0600). Losing that file loses every sealed value. */
export function loadOrMakeSecrets(dataDir: string): MadeSecrets {
  const found = loadSecrets(dataDir);
  if (found !== null) return found;
  const made = { ENCRYPTION_KEY: randomSecret(), SESSION_SECRET: randomSecret() };
  const text = Object.entries(made).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(secretsFile(dataDir), text.join(''), { mode: 0o600, flag: 'wx' });
  return made;
}

/** Null: none were made there. @throws CannotStart when the file is damaged */
export function loadSecrets(dataDir: string): MadeSecrets | null {
  const path = secretsFile(dataDir);
  return existsSync(path) ? parseSecrets(readFileSync(path, 'utf8'), path) : null;
}

function secretsFile(dataDir: string): string {
  return join(dataDir, 'secrets.env');
}

function parseSecrets(text: string, path: string): MadeSecrets {
  const values = new Map(text.split('\n').map((line) => splitAtFirst(line, '=')));
  const [key, session] = [values.get('ENCRYPTION_KEY'), values.get('SESSION_SECRET')];
  // Never made anew over a damaged file: the old key may still be in it.
  if (!key || !session)
    throw new CannotStart(`${path} is damaged: ENCRYPTION_KEY or SESSION_SECRET is missing.`);
  const before = values.get('OLD_ENCRYPTION_KEYS');
  return {
    ENCRYPTION_KEY: key,
    SESSION_SECRET: session,
    ...(before ? { OLD_ENCRYPTION_KEYS: before } : {}),
  };
}

function splitAtFirst(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function randomSecret(): string {
  return randomBytes(32).toString('base64');
}

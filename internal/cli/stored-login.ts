import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Secret } from '../secrets/secret.ts';
import { CliError } from './cli-error.ts';
import { EXIT } from './exit-code.ts';

/** What `berth login` keeps: one installation and a token for it. */
export interface StoredLogin {
  readonly url: string;
  readonly token: Secret;
}

/** Null when nobody has signed in. @throws CliError for a file that is none of ours */
export async function readLogin(file: string): Promise<StoredLogin | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw unusable(file, error);
  });
  if (text === null) return null;
  try {
    const { url, token } = JSON.parse(text) as { url: unknown; token: unknown };
    if (typeof url !== 'string' || typeof token !== 'string') throw new TypeError('url and token are wanted');
    return { url, token: new Secret(token) };
  } catch (error) {
    throw unusable(file, error);
  }
}

/** Readable by its owner only from the first byte on, and whole or not there. */
export async function storeLogin(file: string, { url, token }: StoredLogin): Promise<void> {
  const unfinished = `${file}.${process.pid}`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    const text = `${JSON.stringify({ url, token: token.reveal() }, null, 2)}\n`;
    await writeFile(unfinished, text, { mode: 0o600, flag: 'wx' });
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** @returns whether there was one */
export async function removeLogin(file: string): Promise<boolean> {
  try {
    await rm(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function unusable(file: string, cause: unknown): CliError {
  return new CliError(EXIT.unreachable, `${file} cannot be read; sign in anew with "berth login".`, {
    code: 'login_unreadable',
    cause,
  });
}

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The `origin` of the Git checkout that holds this folder, as its configuration has it; null where there is none. */
export async function readOrigin(folder: string): Promise<string | null> {
  const config = await readFile(join(folder, '.git', 'config'), 'utf8').catch(() => null);
  if (config !== null) return originOf(config);
  const parent = dirname(folder);
  return parent === folder ? null : readOrigin(parent);
}

/** The URL of `[remote "origin"]` in a Git configuration. */
export function originOf(config: string): string | null {
  let section = '';
  for (const line of config.split('\n')) {
    section = /^\s*\[(.+)\]\s*$/.exec(line)?.[1] ?? section;
    const url = section === 'remote "origin"' ? /^\s*url\s*=\s*(\S+)\s*$/.exec(line)?.[1] : undefined;
    if (url !== undefined) return url;
  }
  return null;
}

/** What two spellings of one repository have in common: `git@github.com:acme/shop.git` is `github.com/acme/shop`. */
export function repositoryKey(url: string): string | null {
  const scp = /^(?:[^@/:]+@)?([^@/:]+):(?!\/\/)(.+)$/.exec(url);
  const parsed = scp ? null : parseUrl(url);
  const [host, path] = scp ? [scp[1] ?? '', scp[2] ?? ''] : [parsed?.host ?? '', parsed?.pathname ?? ''];
  const name = path
    .replace(/^\/+|\/+$/g, '')
    .replace(/\.git$/, '')
    .toLowerCase();
  return host === '' || name === '' ? null : `${host.toLowerCase()}/${name}`;
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

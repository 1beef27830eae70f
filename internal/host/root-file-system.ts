import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { type Pack, pack as packTar } from 'tar-fs';

const run = promisify(execFile);

/** One thing of a root file system: taken from this machine, or made here. Paths are absolute. */
export type RootEntry =
  | { readonly path: string; readonly from: string }
  | { readonly path: string; readonly link: string }
  | { readonly path: string; readonly text: string; readonly mode?: number }
  | { readonly path: string; readonly directory: { readonly mode: number; readonly owner: number } };

/** The machine's static busybox with a link for each of its applets. @throws when it is not installed */
export async function busyboxEntries(busybox: string): Promise<RootEntry[]> {
  const { stdout } = await run(busybox, ['--list'], { maxBuffer: 1 << 20 });
  const applets = stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
  return [
    { path: '/bin/busybox', from: busybox },
    ...applets.map((name) => ({ path: `/bin/${name}`, link: 'busybox' })),
    { path: '/tmp', directory: { mode: 0o1777, owner: 0 } },
  ];
}

const PARTS_OF_LIBC = [
  'libnss_dns.so.2',
  'libnss_files.so.2',
  'libresolv.so.2',
  // Empty today, but compiled packages of npm and pip still name them.
  'librt.so.1',
  'libpthread.so.0',
  'libdl.so.2',
  'libutil.so.1',
];

/** The shared libraries a program of this machine needs, at their own paths; none when it is static. */
export async function libraryEntries(program: string): Promise<RootEntry[]> {
  const listing = await run('ldd', [program]).then(
    ({ stdout }) => stdout,
    () => '',
  );
  const libraries = [...listing.matchAll(/(?:=>\s+|^\s+)(\/\S+)\s+\(0x/gm)].flatMap(([, path]) => path ?? []);
  // Older C libraries open the resolver's parts by name only when a name is looked up: ldd cannot know them.
  const libc = libraries.find((path) => path.endsWith('/libc.so.6'));
  const parts = libc ? PARTS_OF_LIBC.map((name) => join(dirname(libc), name)) : [];
  const paths = new Set([...libraries, ...parts.filter((path) => existsSync(path))]);
  return [...paths].map((path) => ({ path, from: path }));
}

/** A short name for what the entries hold; a file of this machine counts by path, size and time, not by content. */
export async function fingerprint(entries: readonly RootEntry[]): Promise<string> {
  const hash = createHash('sha256');
  for (const entry of entries) {
    hash.update(JSON.stringify(entry));
    if ('from' in entry) {
      const { size, mtimeMs } = await stat(entry.from);
      hash.update(`${size} ${mtimeMs}`);
    }
  }
  return hash.digest('hex').slice(0, 12);
}

/** The entries as a tar stream. Links of this machine are followed: the image gets what they point to. */
export function packRootFileSystem(entries: readonly RootEntry[]): Readable {
  const tar = packTar('/', { entries: [], finalize: false });
  append(tar, entries).catch((error: unknown) => {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  // tar-fs speaks a stream dialect of its own; what leaves here is Node's, so that an error reaches who reads it.
  return Readable.from(tar, { objectMode: false });
}

async function append(tar: Pack, entries: readonly RootEntry[]): Promise<void> {
  for (const entry of entries) {
    const name = relative('/', entry.path);
    if ('from' in entry) await appendTaken(tar, entry.from, name);
    else if ('link' in entry) tar.entry({ name, type: 'symlink', linkname: entry.link });
    else if ('text' in entry) tar.entry({ name, mode: entry.mode ?? 0o644 }, entry.text);
    else {
      const { mode, owner } = entry.directory;
      tar.entry({ name, type: 'directory', mode, uid: owner, gid: owner });
    }
  }
  tar.finalize();
}

function appendTaken(tar: Pack, from: string, name: string): Promise<void> {
  const source = basename(from);
  return new Promise((resolve, reject) => {
    tar.once('error', reject);
    packTar(dirname(from), {
      entries: [source],
      dereference: true,
      pack: tar,
      finalize: false,
      map: (header) => ({ ...header, name: name + header.name.slice(source.length), uid: 0, gid: 0 }),
      finish: () => {
        tar.off('error', reject);
        resolve();
      },
    });
  });
}

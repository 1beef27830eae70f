import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { findProgram } from '../../internal/host/host-facts.ts';
import { hasImage, importImage } from '../../internal/host/import-image.ts';
import {
  busyboxEntries,
  fingerprint,
  libraryEntries,
  packRootFileSystem,
  type RootEntry,
} from '../../internal/host/root-file-system.ts';
import { ensureNodeImage } from './base-image.ts';
import { type Found, programOutput } from './program-output.ts';

/** An image to build on, or why this machine cannot give one; then what needs it is skipped and says so. */
export type StackImage = Found<'image'>;

const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n';
const GROUP = 'root:x:0:\nnogroup:x:65534:\n';

/** Stand-ins for the official images, of what the machine has: kept, and named by a fingerprint of their content. */
export async function ensureStackImages(): Promise<Record<'node' | 'python' | 'go' | 'static', StackImage>> {
  return {
    node: { image: await ensureNodeImage() },
    python: await ensurePythonImage(),
    go: await ensureGoImage(),
    static: await ensureNginxImage(),
  };
}

/** Without the tests, the docs and what draws on screens: 35 MB instead of twice that. */
const PYTHON_LEAVES_OUT =
  /^(test|tests|idlelib|turtledemo|tkinter|lib2to3|__pycache__|site-packages|config-.*)$/;
const ASK_PYTHON = [
  'import ensurepip, json, ssl, sqlite3, sys, sysconfig, venv',
  'print(json.dumps({',
  '  "version": "%d.%d" % sys.version_info[:2], "exact": sys.version, "program": sys.executable,',
  '  "library": sysconfig.get_path("stdlib"), "wheels": sysconfig.get_config_var("WHEEL_PKG_DIR")}))',
].join('\n');

interface PythonFacts {
  readonly version: string;
  readonly exact: string;
  readonly program: string;
  readonly library: string;
  /** Debian keeps pip for new environments apart. */
  readonly wheels: string | null;
}

/** Python of the machine with pip for its environments, at /usr/local as in the official image. */
async function ensurePythonImage(): Promise<StackImage> {
  const facts = await pythonFacts();
  if ('lacks' in facts) return facts;
  const { version, library, program } = facts;
  const target = `/usr/local/lib/python${version}`;
  const entries = [
    ...(await commonEntries()),
    { path: `/usr/local/bin/python${version}`, from: program },
    { path: '/usr/local/bin/python3', link: `python${version}` },
    ...(await libraryEntries(program)),
    // The C++ library, which compiled packages expect: Node of this machine needs it, too.
    ...(await libraryEntries(process.execPath)),
    ...readdirSync(library)
      .filter((name) => !PYTHON_LEAVES_OUT.test(name))
      .map((name) => ({ path: join(target, name), from: join(library, name) })),
    ...(await extensionLibraries(join(library, 'lib-dynload'))),
    ...(facts.wheels === null ? [] : [{ path: facts.wheels.replace(/\/$/, ''), from: facts.wheels }]),
    { path: '/etc/python-version', text: `${facts.exact}\n` },
  ];
  const image = await ensureImage('berth-test/python', entries, [
    'ENV PATH=/usr/local/bin:/usr/bin:/bin',
    `ENV SSL_CERT_FILE=${CA_BUNDLE} PIP_CERT=${CA_BUNDLE} PIP_DISABLE_PIP_VERSION_CHECK=1`,
    ...sameOfHost(['PIP_INDEX_URL', 'PIP_DEFAULT_TIMEOUT']),
    'CMD ["python3"]',
  ]);
  return { image };
}

/** Debian's first: another one may need libraries of its own folder. */
async function pythonFacts(): Promise<PythonFacts | { readonly lacks: string }> {
  const candidates = ['/usr/bin/python3', findProgram('python3', process.env['PATH'])];
  for (const program of candidates) {
    if (program === null || !existsSync(program)) continue;
    const text = await programOutput(program, ['-c', ASK_PYTHON]);
    if (text !== null) return JSON.parse(text) as PythonFacts;
  }
  return { lacks: 'no python3 of this machine makes environments with pip (python3-venv)' };
}

async function extensionLibraries(folder: string): Promise<RootEntry[]> {
  const extensions = readdirSync(folder).filter((name) => name.endsWith('.so'));
  return (await Promise.all(extensions.map((name) => libraryEntries(join(folder, name))))).flat();
}

/** The toolchain of the machine without its tests and the sources of its own programs. */
async function ensureGoImage(): Promise<StackImage> {
  const go = findProgram('go', process.env['PATH']) ?? '/usr/local/go/bin/go';
  const root = existsSync(go) ? (await programOutput(go, ['env', 'GOROOT']))?.trim() : undefined;
  if (root === undefined || !existsSync(join(root, 'VERSION'))) return { lacks: 'there is no Go toolchain' };
  const sources = readdirSync(join(root, 'src')).filter((name) => name !== 'cmd' && !name.endsWith('.bash'));
  const parts = ['bin/go', 'pkg', 'lib/time', 'go.env', ...sources.map((name) => `src/${name}`)];
  const entries = [
    ...(await commonEntries()),
    ...parts
      .filter((part) => existsSync(join(root, part)))
      .map((part) => ({ path: `/usr/local/go/${part}`, from: join(root, part) })),
    { path: '/usr/local/go/VERSION', text: readFileSync(join(root, 'VERSION'), 'utf8') },
  ];
  const image = await ensureImage('berth-test/go', entries, [
    'ENV PATH=/go/bin:/usr/local/go/bin:/usr/bin:/bin GOPATH=/go',
    ...sameOfHost(['GOPROXY', 'GOSUMDB', 'GONOSUMDB', 'GOFLAGS']),
    'CMD ["go"]',
  ]);
  return { image };
}

/** Debian's nginx, unpacked by bin/test and not installed: a package that is installed would begin to serve. */
async function ensureNginxImage(): Promise<StackImage> {
  const folder = process.env['BERTH_TEST_NGINX'];
  if (!folder) {
    return { lacks: process.env['BERTH_TEST_NGINX_LACKS'] ?? 'bin/test has not fetched nginx' };
  }
  const program = join(folder, 'usr/sbin/nginx');
  const entries = [
    ...(await commonEntries()),
    { path: '/usr/sbin/nginx', from: program },
    ...(await libraryEntries(program)),
    { path: '/etc/nginx/mime.types', from: join(folder, 'etc/nginx/mime.types') },
  ];
  return { image: await ensureImage('berth-test/nginx', entries, ['ENV PATH=/usr/sbin:/usr/bin:/bin']) };
}

async function commonEntries(): Promise<RootEntry[]> {
  return [
    ...(await busyboxEntries('/usr/bin/busybox')),
    { path: '/etc/passwd', text: PASSWD },
    { path: '/etc/group', text: GROUP },
    { path: '/root', directory: { mode: 0o700, owner: 0 } },
    ...(existsSync(CA_BUNDLE) ? [{ path: CA_BUNDLE, from: CA_BUNDLE }] : []),
  ];
}

/** So that a build reaches the same index or proxy as the machine does. */
function sameOfHost(names: readonly string[]): string[] {
  return names.flatMap((name) =>
    process.env[name] ? [`ENV ${name}=${JSON.stringify(process.env[name])}`] : [],
  );
}

async function ensureImage(
  repository: string,
  parts: readonly RootEntry[],
  changes: readonly string[],
): Promise<string> {
  const docker = new Dockerode();
  // Programs share libraries.
  const entries = [...new Map(parts.map((entry) => [entry.path, entry])).values()];
  // The settings count too: a proxy that changed is another image.
  const tag = await fingerprint([...entries, { path: '/settings', text: changes.join('\n') }]);
  if (await hasImage(docker, `${repository}:${tag}`)) return `${repository}:${tag}`;
  return importImage(docker, { repository, tag, files: packRootFileSystem(entries), changes });
}

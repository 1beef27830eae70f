import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/**
 * Which way imports may go, and where each outside library lives: docs/ARCHITECTURE.md in a form that fails. Read from
 * the import lines themselves, so it needs no compiler and cannot silently see nothing.
 */
const ROOT = join(import.meta.dirname, '..');
const LEAVES = ['errors', 'clock', 'secrets', 'config', 'logger', 'routing', 'patterns', 'dockerstream'];
const PORTS = 'internal/engine/ports.ts';

/** Folder under internal/ → folders it may import from (besides itself and the leaves). */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  clock: [],
  secrets: [],
  config: [],
  logger: [],
  routing: [],
  patterns: [],
  dockerstream: [],
  db: [],
  gitrepo: ['apps/grammar'],
  dockerbuild: [],
  dockerrun: [],
  health: [],
  github: [],
  openapi: [],
  logs: ['db', 'openapi'],
  users: ['db', 'openapi', 'audit'],
  audit: ['db', 'openapi'],
  idempotency: ['db', 'openapi'],
  auth: ['db', 'openapi', 'users', 'github', 'audit'],
  projects: ['db', 'openapi', 'users', 'auth', 'audit', 'idempotency'],
  apps: ['db', 'openapi', 'projects', 'auth', 'audit', 'idempotency'],
  envvars: ['db', 'openapi', 'projects', 'apps', 'audit', 'idempotency'],
  deployments: ['db', 'openapi', 'apps', 'envvars', 'logs', 'auth', 'audit', 'idempotency', 'projects'],
  deploykeys: ['db', 'openapi', 'apps', 'audit', 'idempotency'],
  installations: ['db', 'openapi', 'users', 'auth', 'audit', 'github', 'projects', 'apps', 'idempotency'],
  webhooks: ['db', 'openapi', 'apps', 'deployments', 'github', 'installations', 'audit', 'idempotency'],
  reports: ['db', 'apps', 'deployments', 'github', 'installations'],
  plans: ['db', 'openapi', 'apps', 'audit', 'idempotency'],
  quarantine: ['db', 'openapi', 'audit'],
  engine: ['db', 'apps', 'deployments', 'plans', 'quarantine', 'logs'],
  websocket: ['db', 'openapi', 'auth', 'logs', 'apps', 'deployments'],
  http: [
    'db',
    'openapi',
    'users',
    'auth',
    'audit',
    'idempotency',
    'projects',
    'apps',
    'envvars',
    'deployments',
    'deploykeys',
    'installations',
    'webhooks',
    'github',
    'websocket',
    'usage',
    'quarantine',
    'plans',
    'logs',
  ],
  usage: ['db', 'openapi'],
  host: ['db'],
  cli: [],
};
const ADAPTERS = ['gitrepo', 'dockerbuild', 'dockerrun', 'health', 'github'];
/** Features that fill a port of the engine: they, too, may know its types. */
const FILLS_PORTS = ['installations'];
/** Pure rules about text that adapters check once more. */
const GRAMMAR = /^internal\/apps\/(repo-url|git-ref|repo-path|public-address)\.ts$/;
/** They talk to the API over HTTP; of its code they may know the shape of its answers, as types. */
const CLIENTS = ['cli'];
const VIEW = /-view\.ts$/;

/** Outside library → where it may be imported. */
const LIBRARIES: readonly (readonly [RegExp, RegExp, string])[] = [
  [/^simple-git/, /^internal\/gitrepo\//, 'gitrepo'],
  [/^tar-fs$/, /^internal\/(dockerbuild|host)\//, 'dockerbuild or host'],
  [/^dockerode$/, /^(internal\/(dockerbuild|dockerrun|host)\/|cmd\/)/, 'dockerbuild, dockerrun, host or cmd'],
  [
    /^express$/,
    /^internal\/(http|openapi|auth)\/|-routes\.ts$|-stream\.ts$/,
    'http, openapi, auth or a *-routes.ts',
  ],
  [/^(commander|@clack\/|picocolors)/, /^internal\/cli\//, 'cli'],
  [/^@octokit\//, /^internal\/(github|webhooks)\//, 'github or webhooks'],
  [/^(passport|express-session$|connect-pg-simple$)/, /^internal\/auth\//, 'auth'],
  [/^rate-limiter-flexible$/, /^internal\/http\/rate-limits\//, 'http/rate-limits'],
  [/^ws$/, /^internal\/websocket\//, 'websocket'],
  [/^pg$/, /^internal\/db\//, 'db'],
  [/^@prisma\//, /^internal\/db\//, 'db'],
];

/** Files that decide, and so may neither wait nor touch the world. */
const PURE =
  /^internal\/(routing\/|patterns\/|errors\/|webhooks\/(read-push|push-order)\.ts$|engine\/(clean-up\/choose-[a-z]+|require-disk-space|plan-build|decide-repairs|judge-[a-z]+|start-request|which-[a-z-]+|explain-unready|choose-port)\.ts$|deployments\/(deployment-status|rollback-obstacle|settings-without-build)\.ts$|dockerrun\/container-spec\.ts$)/;
const EFFECTS = /^node:(fs|net|http|https|child_process|dns|timers)/;

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly { readonly from: string; readonly typeOnly: boolean }[];
}

const isProduct = (path: string) =>
  path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('/generated/');

function readSources(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .filter(isProduct)
    .map((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      const imports = [
        ...text.matchAll(/^(import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gms),
      ].map(([, , typeOnly, from = '']) => ({
        from: from.startsWith('.') ? normalize(join(dirname(path), from)) : from,
        typeOnly: typeOnly !== undefined,
      }));
      return { path, text, imports };
    });
}

const sources = [...readSources('internal'), ...readSources('cmd')];
const folderOf = (path: string) => /^internal\/([^/]+)\//.exec(path)?.[1] ?? null;

function forbiddenImport(file: SourceFile, entry: SourceFile['imports'][number]): string | null {
  const from = folderOf(file.path);
  const to = folderOf(entry.from);
  if (entry.from.startsWith('cmd/') && !file.path.startsWith('cmd/'))
    return `${file.path} imports cmd: nobody may`;
  if (entry.from.startsWith('test/')) return `${file.path} imports test support: product code may not`;
  if (from === null || to === null || from === to || LEAVES.includes(to)) return null;
  if ([...ADAPTERS, ...FILLS_PORTS].includes(from) && entry.from === PORTS && entry.typeOnly) return null;
  if (CLIENTS.includes(from) && VIEW.test(entry.from) && entry.typeOnly) return null;
  const allowed = ALLOWED[from] ?? [];
  if (allowed.includes(to)) return null;
  if (allowed.includes('apps/grammar') && GRAMMAR.test(entry.from)) return null;
  return `${file.path}: ${from} may not import ${to} (${entry.from}); pass it in, or declare a port`;
}

describe('the architecture', () => {
  test('is read from files that are really there', () => {
    expect(sources.length).toBeGreaterThan(80);
    expect(sources.flatMap((file) => file.imports).length).toBeGreaterThan(300);
  });

  test('lists every folder', () => {
    const folders = new Set(sources.flatMap((file) => folderOf(file.path) ?? []));
    expect([...folders].filter((folder) => !(folder in ALLOWED))).toEqual([]);
  });

  test('lets imports go one way only', () => {
    const problems = sources.flatMap((file) =>
      file.imports.flatMap((entry) => forbiddenImport(file, entry) ?? []),
    );
    expect(problems).toEqual([]);
  });

  test('keeps each outside library in its one place', () => {
    const problems = sources.flatMap((file) =>
      file.imports.flatMap((entry) =>
        LIBRARIES.filter(
          ([library, place]) => !entry.typeOnly && library.test(entry.from) && !place.test(file.path),
        ).map(([, , place]) => `${file.path} imports ${entry.from}, which lives in ${place}`),
      ),
    );
    expect(problems).toEqual([]);
  });

  test('keeps the environment in config, and shells nowhere', () => {
    const problems = sources.flatMap((file) => [
      ...(/process\.env\b/.test(file.text) &&
      !file.path.startsWith('internal/config/') &&
      !file.path.startsWith('cmd/')
        ? [`${file.path} reads process.env`]
        : []),
      ...(/\bexecSync\b|\bexec\(|shell:\s*true/.test(file.text.replace(/\.exec\(/g, ''))
        ? [`${file.path} runs a shell`]
        : []),
      ...(/\bprune\w*\(/.test(file.text) && /dockerode/.test(file.text) ? [`${file.path} prunes`] : []),
      ...(/\$(query|execute)RawUnsafe/.test(file.text) ? [`${file.path} builds SQL from text`] : []),
    ]);
    expect(problems).toEqual([]);
  });

  test('T25: takes no archive out of a container, and puts none in, but one of its own that has not run yet', () => {
    const taking = sources.filter(({ text }) =>
      /\bgetArchive\(|\bgetContainer\([^)]*\)\.export\(/.test(text),
    );
    expect(taking.map(({ path }) => path)).toEqual(['internal/dockerrun/gate-tool-image.ts']);
    expect(taking.filter(({ text }) => /\.start\(/.test(text))).toEqual([]);
    const putting = sources.filter(({ text }) => /\bput\w*Archive\(/.test(text));
    expect(putting.map(({ path }) => path)).toEqual(['internal/dockerbuild/buildkit-box.ts']);
    expect(putting.filter(({ text }) => /\.start\([\s\S]*Archive\(/.test(text))).toEqual([]);
  });

  test('T15: unpacks no archive, and takes no upload', () => {
    const unpacking =
      /\bextract\w*\(|create(?:Gunzip|Unzip|Inflate|BrotliDecompress)|\bgunzip\b|\bunzip\b|'(?:multer|busboy|formidable|adm-zip|tar|tar-stream|unzipper)'|multipart\/form-data/;
    expect(sources.filter(({ text }) => unpacking.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test('T17: asks Docker for nothing that opens a container to the host', () => {
    const opening =
      /Privileged: (?!false)|\bsecurityopt\b|entitlement|unconfined|(?:Pid|UTS|Userns)Mode:|IpcMode: (?!'private')|NetworkMode:\s*'host'/;
    // The box in which BuildKit builds, whose steps run below it without what it has; the platform's own proxy.
    const allowed = ['internal/dockerbuild/buildkit-plan.ts', 'internal/host/traefik-container.ts'];
    expect(sources.filter(({ text }) => opening.test(text)).map(({ path }) => path)).toEqual(allowed);
  });

  test('keeps decisions free of effects', () => {
    const problems = sources
      .filter((file) => PURE.test(file.path))
      .flatMap((file) => [
        ...(/\basync\b|\bawait\b/.test(file.text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''))
          ? [`${file.path} waits`]
          : []),
        ...file.imports
          .filter((entry) => EFFECTS.test(entry.from) && !entry.typeOnly)
          .map((entry) => `${file.path} imports ${entry.from}`),
      ]);
    expect(problems).toEqual([]);
  });

  test('has no barrel and no drawer', () => {
    const drawers = sources.filter((file) =>
      /\/(index|utils?|helpers?|common|misc|(?!package-)[a-z-]*-manager)\.ts$/.test(file.path),
    );
    expect(drawers.map((file) => file.path)).toEqual([]);
  });

  test('has no cycle', () => {
    const byPath = new Map(sources.map((file) => [file.path, file]));
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]) => {
      if (state.get(path) === 'done') return;
      if (state.get(path) === 'open') {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
        return;
      }
      state.set(path, 'open');
      for (const entry of byPath.get(path)?.imports ?? []) {
        if (!entry.typeOnly && byPath.has(entry.from)) visit(entry.from, [...trail, path]);
      }
      state.set(path, 'done');
    };
    for (const file of sources) visit(file.path, []);
    expect(cycles).toEqual([]);
  });
});

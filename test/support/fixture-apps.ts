/** Files of a repository: path → text. */
export type RepositoryFiles = Readonly<Record<string, string>>;

/** How the fixture app behaves; everything but `release` is left out for an app that is well. */
export interface AppBehaviour {
  /** The name it answers with: which release is this? */
  readonly release: string;
  /** Works on its start that long before it listens. */
  readonly listenAfterMs?: number;
  readonly listenOn?: string;
  /** Instead of `$PORT`. */
  readonly port?: number;
  /** What `/health` answers; 0: it never answers. */
  readonly healthStatus?: number;
  readonly ignoreSigterm?: boolean;
  /** Ends with this code, at once or after `exitAfterMs`. */
  readonly exitCode?: number;
  readonly exitAfterMs?: number;
  /** Takes memory until it is killed. */
  readonly eatMemory?: boolean;
}

/** An HTTP app in Node with a Dockerfile. `/`, `/health`, `/slow?ms=` (any method), `POST /die` (exits 1), `POST /eat`. */
export function nodeApp(nodeImage: string, behaviour: AppBehaviour): RepositoryFiles {
  return {
    Dockerfile: [`FROM ${nodeImage}`, 'WORKDIR /app', 'COPY . .', 'CMD ["node", "server.mjs"]', ''].join(
      '\n',
    ),
    'server.mjs': SERVER,
    'behaviour.json': `${JSON.stringify(behaviour, null, 2)}\n`,
  };
}

/** The same app, built with extra Dockerfile lines before CMD. */
export function nodeAppWith(
  nodeImage: string,
  behaviour: AppBehaviour,
  dockerfileLines: readonly string[],
): RepositoryFiles {
  const files = nodeApp(nodeImage, behaviour);
  const dockerfile = [
    `FROM ${nodeImage}`,
    'WORKDIR /app',
    'COPY . .',
    ...dockerfileLines,
    'CMD ["node", "server.mjs"]',
    '',
  ];
  return { ...files, Dockerfile: dockerfile.join('\n') };
}

/** The same app without a Dockerfile: a `start` script, for the generated one. */
export function npmApp(behaviour: AppBehaviour): RepositoryFiles {
  const manifest = {
    name: 'fixture',
    version: '1.0.0',
    private: true,
    scripts: { start: 'node server.mjs' },
  };
  return {
    'package.json': `${JSON.stringify(manifest, null, 2)}\n`,
    'server.mjs': SERVER,
    'behaviour.json': `${JSON.stringify(behaviour, null, 2)}\n`,
  };
}

/** `FROM scratch` with one static binary and two pages: no shell, no curl, no libc to lean on. Port 8080. */
export function staticBinaryApp(busyboxImage: string, release: string): RepositoryFiles {
  return {
    Dockerfile: [
      `FROM ${busyboxImage} AS tool`,
      'FROM scratch',
      'COPY --from=tool /bin/busybox /busybox',
      'COPY www /www',
      'USER 65534',
      'EXPOSE 8080',
      'ENTRYPOINT ["/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]',
      '',
    ].join('\n'),
    'www/index.html': `${JSON.stringify({ release })}\n`,
    'www/health': 'ok\n',
  };
}

export interface BrokenApp {
  readonly name: string;
  /** The failure code that names it. */
  readonly code: string;
  /** What the sentence must mention. */
  readonly says: RegExp;
  files(nodeImage: string, release: string): RepositoryFiles;
}

/** The ways in which the next version of a working app (port 3000, health path `/health`) can be broken (A2). */
export const BROKEN_APPS: readonly BrokenApp[] = [
  {
    name: 'a build error',
    code: 'build_failed',
    says: /\b7\b/,
    files: (image, release) => nodeAppWith(image, { release }, ['RUN exit 7']),
  },
  {
    name: 'a missing base image',
    code: 'base_image_unavailable',
    says: /nothing-here/,
    // A registry that refuses the connection says no as fast with the Internet as without.
    files: () => ({ Dockerfile: 'FROM 127.0.0.1:9/nothing-here:1\n' }),
  },
  {
    name: 'exit 1 at start',
    code: 'exited_early',
    says: /\b1\b/,
    files: (image, release) => nodeApp(image, { release, exitCode: 1 }),
  },
  {
    name: 'another port',
    code: 'listens_on_other_port',
    says: /4999/,
    files: (image, release) => nodeApp(image, { release, port: 4999 }),
  },
  {
    name: 'health 500',
    code: 'health_check_failed',
    says: /500/,
    files: (image, release) => nodeApp(image, { release, healthStatus: 500 }),
  },
  {
    name: 'never ready',
    code: 'port_not_listening',
    says: /3000/,
    files: (image, release) => nodeApp(image, { release, listenAfterMs: 3_600_000 }),
  },
];

const SERVER = `import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const app = JSON.parse(readFileSync(new URL('./behaviour.json', import.meta.url), 'utf8'));
console.log('release', app.release, 'starts with PORT', process.env.PORT);

if (app.ignoreSigterm) process.on('SIGTERM', () => console.log('SIGTERM ignored'));
else process.on('SIGTERM', () => process.exit(0));

if (app.exitCode !== undefined) {
  setTimeout(() => {
    console.error('giving up with code', app.exitCode);
    process.exit(app.exitCode);
  }, app.exitAfterMs ?? 0);
}
const eaten = [];
const eat = () => setInterval(() => eaten.push(Buffer.alloc(8 * 1024 * 1024, 1)), 20);
if (app.eatMemory) eat();
if (app.exitCode === undefined || app.exitAfterMs !== undefined) {
  await delay(app.listenAfterMs ?? 0);
  createServer(answer).listen(app.port ?? process.env.PORT, app.listenOn ?? '0.0.0.0');
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://app');
  request.resume();
  if (url.pathname === '/die' && request.method === 'POST') process.exit(1);
  if (url.pathname === '/eat' && request.method === 'POST') eat();
  if (url.pathname === '/slow') await delay(Number(url.searchParams.get('ms')));
  const status = url.pathname === '/health' ? (app.healthStatus ?? 200) : 200;
  if (status === 0) return;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ release: app.release, container: hostname(), pid: process.pid, path: url.pathname }));
}
`;

import { describe, expect, test } from '@jest/globals';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import {
  type BuildSettings,
  planBuild,
  type RepositoryFacts,
  STACKS,
  type WorkspaceFacts,
} from './plan-build.ts';

const settings: BuildSettings = {
  framework: 'auto',
  dockerfilePath: null,
  buildCommand: null,
  startCommand: null,
  outputDirectory: null,
  port: null,
  buildVariables: [],
  images: {
    node: 'node:20-slim',
    python: 'python:3.12-slim',
    go: 'golang:1.25',
    static: 'nginx:1.29-alpine',
  },
};
const nothing = repository({});

/** What the reader would see of a repository with these files. */
function repository(
  texts: Readonly<Record<string, string>>,
  workspace: WorkspaceFacts | null = null,
): RepositoryFacts {
  const paths = Object.keys(texts).sort();
  return {
    files: paths.filter((path) => !path.includes('/')),
    paths,
    texts,
    packageJson: texts['package.json'] ?? null,
    dockerfileFound: 'Dockerfile' in texts,
    workspace,
  };
}

const files = (...names: string[]) => Object.fromEntries(names.map((name) => [name, '']));
const node = (manifest: object, more: string[] = []): RepositoryFacts =>
  repository({ 'package.json': JSON.stringify(manifest), 'server.js': '', ...files(...more) });
const start = { scripts: { start: 'node server.js' } };

describe('a repository with a Dockerfile', () => {
  test('is built by it, whatever else is there', () => {
    const facts = { ...node(start), dockerfileFound: true };
    expect(planBuild(facts, settings)).toEqual({ kind: 'dockerfile', path: 'Dockerfile' });
    expect(planBuild(facts, { ...settings, dockerfilePath: 'docker/web' })).toEqual({
      kind: 'dockerfile',
      path: 'docker/web',
    });
  });

  test('that is not where the app says fails, even if a stack would be recognised', () => {
    expect(failure(node(start), { dockerfilePath: 'docker/web' })).toMatchObject({
      code: 'dockerfile_missing',
      message: 'There is no file docker/web.',
    });
  });
});

interface Golden {
  readonly name: string;
  readonly facts: RepositoryFacts;
  readonly with?: Partial<BuildSettings>;
}
const app = (dependencies: string[], more: object = {}) =>
  JSON.stringify({ dependencies: Object.fromEntries(dependencies.map((name) => [name, '1'])), ...more });
const locked = files('package-lock.json');
const js = (dependencies: string[], more: object = {}, others: Record<string, string> = {}) =>
  repository({ 'package.json': app(dependencies, more), ...locked, ...others });
const python = (requirements: string, others: Record<string, string>) =>
  repository({ 'requirements.txt': requirements, ...others });
const member = (rootFiles: string[], root: object = {}): WorkspaceFacts => ({
  member: 'apps/web',
  files: ['package.json', ...rootFiles],
  packageJson: JSON.stringify({ private: true, ...root }),
  texts: {},
  packages: [
    aPackage('apps/web', '@acme/web', { '@acme/ui': '*' }),
    aPackage('packages/ui', '@acme/ui', { '@acme/words': '*' }),
    aPackage('packages/words', '@acme/words', {}),
  ],
});
const aPackage = (path: string, name: string, dependencies: object) => ({
  path,
  packageJson: JSON.stringify({ name, dependencies, scripts: { build: 'tsc' } }),
});

/** Each kind of repository, and what is written for it: the whole plan is kept beside this file. */
const GOLDEN: readonly Golden[] = [
  {
    name: 'Next.js',
    facts: js(['next', 'react'], { scripts: { build: 'next build', start: 'next start' } }),
  },
  {
    name: 'Next.js exported as a static site',
    facts: js(['next'], {}, { 'next.config.mjs': "export default {\n  output: 'export',\n}" }),
  },
  {
    name: 'Vite with React',
    facts: js(['vite', 'react', '@vitejs/plugin-react'], { scripts: { build: 'tsc -b && vite build' } }),
    with: { buildVariables: ['VITE_API_URL'] },
  },
  { name: 'Vite alone', facts: js(['vite'], { scripts: { build: 'vite build', preview: 'vite preview' } }) },
  { name: 'Vite with Vue', facts: js(['vite', 'vue'], { scripts: { build: 'vite build' } }) },
  {
    name: 'Vite with Svelte and an output of its own',
    facts: js(['vite', 'svelte'], {}),
    with: { outputDirectory: 'build', port: 3000 },
  },
  {
    name: 'Create React App',
    facts: js(['react-scripts'], { scripts: { start: 'react-scripts start', build: 'react-scripts build' } }),
  },
  { name: 'Express', facts: js(['express'], start) },
  { name: 'Express without scripts', facts: js(['express'], { main: './lib/app.js' }, files('lib/app.js')) },
  {
    name: 'Fastify by a Procfile',
    facts: js(['fastify'], {}, { Procfile: 'release: node migrate.js\nweb: node server.js --prod\n' }),
  },
  {
    name: 'Hono with a build',
    facts: js(['hono'], { scripts: { build: 'tsc', start: 'node dist/index.js' } }),
  },
  {
    name: 'NestJS',
    facts: js(['@nestjs/core'], {
      scripts: { build: 'nest build', start: 'nest start', 'start:prod': 'node dist/main' },
    }),
  },
  {
    name: 'NestJS whose start script is its development server',
    facts: js(['@nestjs/core'], { scripts: { build: 'nest build', start: 'nest start' } }),
  },
  {
    name: 'Elysia on Bun',
    facts: repository({ 'package.json': app(['elysia']), ...files('bun.lock', 'src/index.ts') }),
  },
  {
    name: 'Elysia without a lock file, on Bun by its scripts',
    facts: repository({
      'package.json': app(['elysia'], { scripts: { dev: 'bun run --watch src/index.ts' } }),
      ...files('src/index.ts'),
    }),
  },
  { name: 'Astro, static', facts: js(['astro'], { scripts: { build: 'astro build' } }) },
  {
    name: 'Astro with a server',
    facts: js(['astro', '@astrojs/node'], { scripts: { build: 'astro build' } }),
  },
  {
    name: 'Remix',
    facts: js(['@remix-run/node', '@remix-run/serve'], {
      scripts: { build: 'remix vite:build', start: 'remix-serve ./build/server/index.js' },
    }),
  },
  {
    name: 'React Router',
    facts: js(['@react-router/serve', '@react-router/node'], { scripts: { build: 'react-router build' } }),
  },
  {
    name: 'React Router without a server',
    facts: js(['@react-router/dev'], {}, { 'react-router.config.ts': 'export default { ssr: false }' }),
  },
  { name: 'Nuxt', facts: js(['nuxt'], { scripts: { build: 'nuxt build' } }) },
  {
    name: 'SvelteKit',
    facts: js(['@sveltejs/kit', '@sveltejs/adapter-node'], { scripts: { build: 'vite build' } }),
  },
  { name: 'Node with a lock file', facts: node(start, ['package-lock.json']) },
  {
    name: 'Node with a build script, and an image of the operator',
    facts: node({ scripts: { start: 'node .', build: 'tsc' } }, ['npm-shrinkwrap.json', '.npmrc']),
    with: { images: { ...settings.images, node: 'registry.example:5000/node@sha256:abc' } },
  },
  {
    name: 'Node without a lock file, whose install reads the sources',
    facts: node({ scripts: { start: 'node .', postinstall: 'prisma generate' } }),
  },
  {
    name: 'Node with commands of the app, which stand in for the scripts',
    facts: node({ scripts: { build: 'never' } }, ['package-lock.json']),
    with: { buildCommand: 'npm run a && npm run b', startCommand: 'node dist/main.js' },
  },
  {
    name: 'Node in a version of .nvmrc',
    facts: repository({ 'package.json': JSON.stringify(start), '.nvmrc': 'v22.11.0\n' }),
  },
  {
    name: 'Node in a version that .nvmrc calls by its name',
    facts: repository({ 'package.json': JSON.stringify(start), '.nvmrc': 'lts/Krypton\n' }),
  },
  { name: 'Node in a version of its engines', facts: node({ ...start, engines: { node: '>=22 <25' } }) },
  {
    name: 'Node with pnpm, whose version the manifest names',
    facts: node({ packageManager: 'pnpm@9.15.4+sha512.abc', scripts: { start: 'node .', build: 'tsc' } }, [
      'pnpm-lock.yaml',
      '.npmrc',
    ]),
  },
  { name: 'Node with the first yarn', facts: node({ scripts: { start: 'tsx server.ts' } }, ['yarn.lock']) },
  {
    name: 'Node with a later yarn, which needs the whole repository',
    facts: node({ ...start, packageManager: 'yarn@4.5.0' }, ['yarn.lock', '.yarnrc.yml']),
  },
  {
    name: 'Node with several lock files, by that of npm',
    facts: node({ scripts: { start: 'bun server.ts' } }, ['bun.lock', 'package-lock.json']),
  },
  {
    name: 'Bun that the manifest names, beside a lock file of npm',
    facts: node({ scripts: { start: 'bun server.ts' }, packageManager: 'bun@1.1.40' }, [
      'bun.lock',
      'package-lock.json',
    ]),
  },
  {
    name: 'a member of a pnpm workspace',
    facts: {
      ...node({ name: '@acme/web', scripts: { build: 'vite build' }, dependencies: { vite: '7' } }),
      workspace: member(['pnpm-workspace.yaml', 'pnpm-lock.yaml']),
    },
  },
  {
    name: 'a member of an npm workspace',
    facts: {
      ...node({ name: 'web', ...start }),
      workspace: member(['package-lock.json'], { workspaces: ['apps/*'] }),
    },
  },
  {
    name: 'a member of a yarn workspace',
    facts: {
      ...node({ name: 'web', scripts: { build: 'tsc', start: 'node dist' } }),
      workspace: member(['yarn.lock', '.yarnrc.yml'], {
        workspaces: ['apps/*'],
        packageManager: 'yarn@4.5.0',
      }),
    },
  },
  {
    name: 'Flask',
    facts: python('flask==3.0\n', { 'app.py': 'from flask import Flask\napp = Flask(__name__)\n' }),
  },
  {
    name: 'Flask with a factory and a server of its own',
    facts: python('Flask\ngunicorn\n', {
      'app/__init__.py': 'def create_app():\n  pass\n',
      '.python-version': '3.11\n',
    }),
  },
  {
    name: 'FastAPI',
    facts: python('fastapi\n', {
      'app/main.py': 'from fastapi import FastAPI\n\napi: FastAPI = FastAPI(title="x")\n',
    }),
  },
  {
    name: 'FastAPI by uv',
    facts: repository({
      'pyproject.toml': '[project]\nrequires-python = ">=3.13"\ndependencies = ["fastapi[standard]"]\n',
      'uv.lock': '',
      'main.py': 'app = FastAPI()\n',
    }),
  },
  {
    name: 'Django',
    facts: python('Django>=5\n', {
      'manage.py': 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")\n',
    }),
  },
  {
    name: 'Django with WhiteNoise, whose static files are collected',
    facts: python('Django\nwhitenoise\ngunicorn\n', {
      'manage.py': "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings.production')\n",
    }),
  },
  {
    name: 'Flask by pipenv',
    facts: repository({
      Pipfile: '[packages]\nflask = "*"\n',
      'Pipfile.lock': '',
      'app.py': 'app = Flask(__name__)',
    }),
  },
  {
    name: 'Flask by a pyproject.toml that is no package',
    facts: repository({
      'pyproject.toml': '[project]\ndependencies = ["flask"]\n',
      'app.py': 'app = Flask(__name__)',
    }),
  },
  {
    name: 'FastAPI that is a package',
    facts: repository({
      'pyproject.toml': '[build-system]\n[project]\ndependencies = ["fastapi"]\n',
      'main.py': 'app = FastAPI()',
    }),
  },
  {
    name: 'Flask whose requirements name other files',
    facts: python('-r requirements/base.txt\nflask\n', { 'app.py': 'app = Flask(__name__)' }),
  },
  { name: 'Python by a Procfile', facts: python('', { Procfile: 'web: python3 -m http.server $PORT\n' }) },
  {
    name: 'Python with poetry',
    facts: repository({ 'pyproject.toml': '[tool.poetry]\n', 'poetry.lock': '', 'main.py': '' }),
  },
  {
    name: 'Go',
    facts: repository({ 'go.mod': 'module example.org/shop\n\ngo 1.24.1\n', 'go.sum': '', 'main.go': '' }),
  },
  { name: 'Go with one command', facts: repository({ 'go.mod': 'module x\n', 'cmd/shop/main.go': '' }) },
  {
    name: 'Go with a module of its own in a folder',
    facts: repository({
      'go.mod': 'module x\nreplace example.org/y => ./y\n',
      'main.go': '',
      'y/go.mod': '',
    }),
  },
  {
    name: 'Go with its modules in vendor',
    facts: repository({ 'go.mod': 'module x\n', 'main.go': '', 'vendor/modules.txt': '# example.org/y v1' }),
  },
  { name: 'a finished site', facts: repository({ 'index.html': '', 'style.css': '' }) },
  { name: 'a finished site in a folder', facts: repository({ 'public/index.html': '' }), with: { port: 80 } },
  {
    name: 'a framework that was set, though there is a Dockerfile',
    facts: repository({ Dockerfile: '', 'index.html': '' }),
    with: { framework: 'static' },
  },
];

describe('a Dockerfile is written for', () => {
  test.each(GOLDEN)('$name', ({ facts, with: changed }) => {
    const plan = planBuild(facts, { ...settings, ...changed });
    if (plan.kind !== 'generated') throw new Error('nothing was written');
    const { dockerfile, ...rest } = plan;
    expect(`${JSON.stringify(rest, null, 2)}\n\n${dockerfile}`).toMatchSnapshot();
  });

  test('every framework there is', () => {
    const written = GOLDEN.map(({ facts, with: changed }) =>
      planBuild(facts, { ...settings, ...changed }),
    ).flatMap((plan) => (plan.kind === 'generated' ? [plan.framework] : []));
    expect([...new Set(written)].sort()).toEqual(STACKS.flatMap(({ frameworks }) => frameworks).sort());
  });

  test('all of them as somebody who is not root, in stages, dependencies before sources', () => {
    for (const { name, facts, with: changed } of GOLDEN) {
      const plan = planBuild(facts, { ...settings, ...changed });
      const text = plan.kind === 'generated' ? plan.dockerfile : '';
      const last = text.slice(text.lastIndexOf('FROM '));
      expect([name, /^USER (node|65534:65534)$/m.test(last)]).toEqual([name, true]);
    }
  });

  test.each([{ workspaces: ['web'] }, { dependencies: { ours: 'file:../ours' } }])(
    'Node whose manifest points to sources, with one copy of them before the install: %j',
    (manifest) => {
      const text = generated(node({ ...start, ...manifest }));
      expect(text.indexOf('COPY --chown=node:node . .')).toBeLessThan(text.indexOf('npm install'));
    },
  );

  test('npm itself when its hooks or a shell are needed to start', () => {
    for (const scripts of [
      { start: 'node server.js', prestart: 'node migrate.js' },
      { start: 'NODE_ENV=x node server.js' },
      { start: 'node server.js | tee log' },
      { start: 'node' },
    ]) {
      expect(generated(node({ scripts }))).toContain('CMD ["npm","start"]\n');
    }
  });
});

test('several Go programs: the app must say which', () => {
  const facts = repository({ 'go.mod': 'module x', ...files('cmd/a/main.go', 'cmd/b/main.go') });
  expect(failure(facts)).toMatchObject({
    code: 'stack_not_recognised',
    message: expect.stringContaining('a, b'),
  });
});

test('T01: a packageManager that is no plain version counts for nothing', () => {
  const evil = node({ ...start, packageManager: 'pnpm@9.0.0 && id' }, ['pnpm-lock.yaml']);
  expect(generated(evil)).toContain('--no-fund pnpm@9 && rm');
});

test('T01: no command of a user can end its instruction or begin another', () => {
  const evil = 'x"]\nUSER root\nRUN ["id\\';
  const text = generated(node(start), { buildCommand: evil, startCommand: evil });
  expect(text.split('\n').filter((line) => line.startsWith('USER'))).toEqual(['USER node', 'USER node']);
  expect(text).toContain(`CMD ${JSON.stringify(['sh', '-c', evil])}\n`);
});

describe('a repository that nothing is known about fails with what was looked for', () => {
  test.each([
    ['an empty one', nothing, 'There is no Dockerfile, nor a package.json with a "start" script'],
    ['a package.json that starts nothing', repository({ 'package.json': '{}' }), 'nor an index.html'],
    [
      'a start script that is no text',
      repository({ 'package.json': '{"scripts":{"start":1}}' }),
      'nor a go.mod',
    ],
    [
      'a broken package.json',
      { ...nothing, packageJson: '{"scripts":' },
      'The package.json is not valid JSON.',
    ],
    ['a package.json that is a list', { ...nothing, packageJson: '[]' }, 'holds no JSON object'],
  ])('%s', (_, facts, message) => {
    const error = failure(facts);
    expect(error).toMatchObject({ code: 'stack_not_recognised' });
    expect(String(error)).toContain(message);
  });
});

function generated(facts: RepositoryFacts, changed: Partial<BuildSettings> = {}): string {
  const plan = planBuild(facts, { ...settings, ...changed });
  return plan.kind === 'generated' ? plan.dockerfile : '';
}

function failure(facts: RepositoryFacts, changed: Partial<BuildSettings> = {}): unknown {
  try {
    return planBuild(facts, { ...settings, ...changed });
  } catch (error) {
    return error instanceof DeploymentFailed ? error : new Error('not a DeploymentFailed', { cause: error });
  }
}

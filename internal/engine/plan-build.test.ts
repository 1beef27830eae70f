import { describe, expect, test } from '@jest/globals';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { type BuildSettings, planBuild, type RepositoryFacts } from './plan-build.ts';

const settings: BuildSettings = {
  dockerfilePath: null,
  buildCommand: null,
  startCommand: null,
  nodeImage: 'node:20-slim',
};
const nothing: RepositoryFacts = { files: [], packageJson: null, dockerfileFound: false };

const node = (manifest: object, files: string[] = []): RepositoryFacts => ({
  files: ['package.json', 'server.js', ...files],
  packageJson: JSON.stringify(manifest),
  dockerfileFound: false,
});
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

describe('a Dockerfile is written for', () => {
  const rows: {
    name: string;
    facts: RepositoryFacts;
    with?: Partial<BuildSettings>;
    expected: string;
    why: string;
  }[] = [
    {
      name: 'Node with a lock file',
      facts: node(start, ['package-lock.json']),
      expected: `FROM node:20-slim
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
RUN chown node:node /app
USER node
COPY --chown=node:node package.json package-lock.json ./
RUN npm ci --no-audit --no-fund && rm -rf ~/.npm
COPY --chown=node:node . .
CMD ["node","server.js"]
`,
      why: 'There is no Dockerfile; package.json says Node, npm ci by package-lock.json.',
    },
    {
      name: 'Node with a build script: development dependencies come and go',
      facts: node({ scripts: { start: 'next start', build: 'next build' } }, [
        'npm-shrinkwrap.json',
        '.npmrc',
      ]),
      with: { nodeImage: 'registry.example:5000/node@sha256:abc' },
      expected: `FROM registry.example:5000/node@sha256:abc
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
RUN chown node:node /app
USER node
COPY --chown=node:node package.json npm-shrinkwrap.json .npmrc ./
RUN npm ci --no-audit --no-fund --include=dev && rm -rf ~/.npm
COPY --chown=node:node . .
RUN ["npm","run","build"]
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund
CMD ["npm","start"]
`,
      why: 'There is no Dockerfile; package.json says Node, npm ci by npm-shrinkwrap.json.',
    },
    {
      name: 'Node without a lock file of npm, whose install reads the sources',
      facts: node({ scripts: { start: 'node .', postinstall: 'prisma generate' } }),
      expected: `FROM node:20-slim
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
RUN chown node:node /app
USER node
COPY --chown=node:node . .
RUN npm install --no-audit --no-fund && rm -rf ~/.npm
CMD ["node","."]
`,
      why: 'There is no Dockerfile; package.json says Node, npm install as there is no lock file.',
    },
    {
      name: 'Node with commands of the app, which stand in for the scripts',
      facts: node({ scripts: { build: 'never' } }, ['package-lock.json']),
      with: { buildCommand: 'npm run a && npm run b', startCommand: 'node dist/main.js' },
      expected: `FROM node:20-slim
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
RUN chown node:node /app
USER node
COPY --chown=node:node package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --include=dev && rm -rf ~/.npm
COPY --chown=node:node . .
RUN ["sh","-c","npm run a && npm run b"]
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund
CMD ["node","dist/main.js"]
`,
      why: 'There is no Dockerfile; package.json says Node, npm ci by package-lock.json.',
    },
    {
      name: 'Node with pnpm, whose version the manifest names',
      facts: node({ packageManager: 'pnpm@9.15.4+sha512.abc', scripts: { start: 'node .', build: 'tsc' } }, [
        'pnpm-lock.yaml',
        '.npmrc',
      ]),
      expected: `FROM node:20-slim
RUN npm install --global --no-audit --no-fund pnpm@9.15.4 && rm -rf ~/.npm
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
RUN chown node:node /app
USER node
COPY --chown=node:node package.json pnpm-lock.yaml .npmrc ./
RUN pnpm install --frozen-lockfile --prod=false && rm -rf ~/.cache
COPY --chown=node:node . .
RUN ["pnpm","run","build"]
RUN CI=true pnpm prune --prod --ignore-scripts
CMD ["node","."]
`,
      why: 'There is no Dockerfile; package.json says Node, pnpm install by pnpm-lock.yaml.',
    },
    {
      name: 'Node with the first yarn',
      facts: node({ scripts: { start: 'tsx server.ts' } }, ['yarn.lock']),
      expected: `FROM node:20-slim
RUN npm install --global --no-audit --no-fund yarn@1 --force && rm -rf ~/.npm
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
RUN chown node:node /app
USER node
COPY --chown=node:node package.json yarn.lock ./
RUN yarn install --non-interactive --frozen-lockfile --production=true && yarn cache clean
COPY --chown=node:node . .
CMD ["yarn","run","start"]
`,
      why: 'There is no Dockerfile; package.json says Node, yarn install by yarn.lock.',
    },
    {
      name: 'Node with a later yarn, which needs the whole repository and starts by itself',
      facts: node({ ...start, packageManager: 'yarn@4.5.0' }, ['yarn.lock', '.yarnrc.yml']),
      expected: `FROM node:20-slim
RUN npm install --global --no-audit --no-fund @yarnpkg/cli-dist@4.5.0 --force && rm -rf ~/.npm
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
RUN chown node:node /app
USER node
COPY --chown=node:node . .
RUN yarn install --immutable
CMD ["yarn","run","start"]
`,
      why: 'There is no Dockerfile; package.json says Node, yarn install by yarn.lock.',
    },
    {
      name: 'Node with several lock files, by that of npm',
      facts: node({ scripts: { start: 'bun server.ts' } }, ['bun.lock', 'package-lock.json']),
      expected: `FROM node:20-slim
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
RUN chown node:node /app
USER node
COPY --chown=node:node package.json package-lock.json ./
RUN npm ci --no-audit --no-fund && rm -rf ~/.npm
COPY --chown=node:node . .
CMD ["npm","start"]
`,
      why: 'There is no Dockerfile; package.json says Node, npm ci by package-lock.json; bun.lock is not used, since npm installs.',
    },
    {
      name: 'Bun that the manifest names, beside a lock file of npm',
      facts: node({ scripts: { start: 'bun server.ts' }, packageManager: 'bun@1.1.40' }, [
        'bun.lock',
        'package-lock.json',
      ]),
      expected: `FROM node:20-slim
RUN npm install --global --no-audit --no-fund bun@1.1.40 && rm -rf ~/.npm
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
RUN chown node:node /app
USER node
COPY --chown=node:node package.json bun.lock ./
RUN bun install --frozen-lockfile --production && rm -rf ~/.bun/install/cache
COPY --chown=node:node . .
CMD ["bun","run","start"]
`,
      why: 'There is no Dockerfile; package.json says Node, bun install by bun.lock; package-lock.json is not used, since bun installs.',
    },
  ];

  test.each(rows)('$name', ({ facts, with: changed, expected, why }) => {
    const plan = planBuild(facts, { ...settings, ...changed });
    expect(plan).toEqual({ kind: 'generated', stack: 'node', dockerfile: expected, why });
  });

  test.each([{ workspaces: ['web'] }, { dependencies: { ours: 'file:../ours' } }])(
    'Node whose manifest points to sources, with one copy of them before the install: %j',
    (manifest) => {
      const text = generated(node({ ...start, ...manifest }));
      expect(text.indexOf('COPY --chown=node:node . .')).toBeLessThan(text.indexOf('npm install'));
      expect(text.match(/^COPY/gm)).toHaveLength(1);
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

test('T01: a packageManager that is no plain version counts for nothing', () => {
  const evil = node({ ...start, packageManager: 'pnpm@9.0.0 && id' }, ['pnpm-lock.yaml']);
  expect(generated(evil)).toContain('--no-fund pnpm@9 && rm');
});

test('T01: no command of a user can end its instruction or begin another', () => {
  const evil = 'x"]\nUSER root\nRUN ["id\\';
  const text = generated(node(start), { buildCommand: evil, startCommand: evil });
  expect(text.split('\n').filter((line) => line.startsWith('USER'))).toEqual(['USER node']);
  expect(text).toContain(`CMD ${JSON.stringify(['sh', '-c', evil])}\n`);
});

describe('a repository that nothing is known about fails with what was looked for', () => {
  test.each([
    ['an empty one', nothing, 'There is no Dockerfile, nor a package.json with a "start" script'],
    ['a package.json without a start script', node({}), 'nor a package.json with a "start" script'],
    ['a start script that is no text', node({ scripts: { start: 1 } }), 'nor a package.json with a "start"'],
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

import type { RepositoryFiles } from './fixture-apps.ts';

/** An app that tells, in base64, the environment it has, and the one that a step of its build had. */
export function environmentApp(nodeImage: string, declared: readonly string[]): RepositoryFiles {
  return {
    Dockerfile: [
      `FROM ${nodeImage}`,
      `ARG ${declared.join(' ')}`,
      'WORKDIR /app',
      'COPY . .',
      'RUN node save.mjs',
      'CMD ["node", "server.mjs"]',
      '',
    ].join('\n'),
    // A copy of the file would be empty: its size is said to be 0.
    'save.mjs': `import { readFileSync, writeFileSync } from 'node:fs';
writeFileSync('build-environ', readFileSync('/proc/self/environ'));
`,
    'server.mjs': `import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
const files = { '/run': '/proc/self/environ', '/build': 'build-environ' };
createServer((request, response) => {
  response.end(readFileSync(files[request.url] ?? 'server.mjs').toString('base64'));
}).listen(process.env.PORT);
`,
  };
}

/** Prints what stands in a variable: as it is, encoded, and in two pieces with a pause between. */
const TALK = `import { setTimeout as delay } from 'node:timers/promises';
export async function tell(secret) {
  const forms = [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret), JSON.stringify(secret)];
  for (const form of forms) {
    console.log('here it is:', form);
    console.error('and there:', form);
    process.stdout.write('in two pieces: ' + form.slice(0, form.length / 2));
    await delay(150);
    process.stdout.write(form.slice(form.length / 2) + '\\n');
  }
}
`;

export interface TalkativeApp {
  readonly builder?: 'classic' | 'buildkit';
  /** The step of the build that tells fails, or the app ends right after it has told. */
  readonly fails?: 'build' | 'start';
}

/** An app that tells its secrets: RUN_TOKEN as it starts, BUILD_TOKEN as it is built. */
export function talkativeApp(nodeImage: string, { builder, fails }: TalkativeApp = {}): RepositoryFiles {
  const mount = builder === 'buildkit' ? '--mount=type=tmpfs,target=/t ' : '';
  return {
    Dockerfile: [
      `FROM ${nodeImage}`,
      'ARG BUILD_TOKEN',
      'WORKDIR /app',
      'COPY . .',
      `RUN ${mount}node build.mjs`,
      'CMD ["node", "server.mjs"]',
      '',
    ].join('\n'),
    'talk.mjs': TALK,
    'build.mjs': `import { tell } from './talk.mjs';
await tell(process.env.BUILD_TOKEN);
process.exit(${fails === 'build' ? 7 : 0});
`,
    'server.mjs': `import { createServer } from 'node:http';
import { tell } from './talk.mjs';
await tell(process.env.RUN_TOKEN);
${fails === 'start' ? 'process.exit(3);' : ''}
createServer((_request, response) => response.end('ok')).listen(process.env.PORT);
`,
  };
}

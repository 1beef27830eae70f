import { randomBytes } from 'node:crypto';
import type { AppView } from '../api-client.ts';
import type { FakeGithub } from '../fake-github.ts';
import type { RepositoryFiles } from '../fixture-apps.ts';
import { PushedRepository, type WebhookAddress } from '../github-repository.ts';
import type { Platform } from '../platform.ts';

/** An app under load, with what is needed to push to it and to know its answers. */
export interface SoakApp {
  readonly app: AppView;
  readonly host: string;
  readonly repository: PushedRepository;
  readonly hook: WebhookAddress;
  /** The value of its variable CANARY, which it prints: to be found in no log. */
  readonly canary: string;
}

/** How a version is broken, and by what: the build, the start, or the gate. */
export const BREAKAGES = ['build', 'start', 'port'] as const;
export type Breakage = (typeof BREAKAGES)[number];

const COMMANDS: Readonly<Record<Breakage | 'none', string>> = {
  none: 'exec httpd -f -p 8080 -h /www',
  build: 'exec httpd -f -p 8080 -h /www',
  start: 'exit 3',
  port: 'exec httpd -f -p 8081 -h /www',
};

/** A page that says which app and which release it is, served by busybox, built in a second. */
export function soakVersion(
  busyboxImage: string,
  of: { app: string; release: string; broken?: Breakage | null },
): RepositoryFiles {
  const { app, release, broken = null } = of;
  const command = `echo the token is $CANARY; ${COMMANDS[broken ?? 'none']}`;
  return {
    Dockerfile: [
      `FROM ${busyboxImage}`,
      'COPY www /www',
      ...(broken === 'build' ? ['ARG CANARY', 'RUN echo the token is $CANARY; exit 7'] : []),
      'EXPOSE 8080',
      `CMD ${JSON.stringify(['sh', '-c', command])}`,
      '',
    ].join('\n'),
    'www/index.html': `${JSON.stringify({ app, release })}\n`,
    'www/health': 'ok\n',
  };
}

/** Makes that many apps with a webhook each, and awaits that all are live. */
export async function makeSoakApps(
  platform: Platform,
  of: { count: number; github: FakeGithub; busyboxImage: string },
): Promise<SoakApp[]> {
  const apps: SoakApp[] = [];
  for (let index = 0; index < of.count; index++) apps.push(await makeSoakApp(platform, `soak-${index}`, of));
  for (const { app } of apps) {
    const [first] = await platform.api.deployments(app.id);
    await platform.waitForStatus(first?.id ?? '', 'live', 180_000);
  }
  return apps;
}

async function makeSoakApp(
  platform: Platform,
  name: string,
  { github, busyboxImage }: { github: FakeGithub; busyboxImage: string },
): Promise<SoakApp> {
  const canary = `canary-${randomBytes(16).toString('hex')}`;
  const first = soakVersion(busyboxImage, { app: name, release: `${name}@0` });
  const repository = await PushedRepository.create(github, `ada/${name}`, first);
  const app = await platform.api.createApp({
    name,
    repo_url: repository.url,
    health_check_path: '/health',
    drain_seconds: 1,
    env: [{ key: 'CANARY', value: canary, scope: 'both' }],
  });
  const { body } = await platform.api.send('POST', `/apps/${app.id}/webhook`, {});
  const { url, secret } = body as { url: string; secret: string };
  const { host, pathname: path } = new URL(url);
  const hook = { port: platform.httpPort, host, path, secret };
  return { app, host: `${name}.localhost`, repository, hook, canary };
}

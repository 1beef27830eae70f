import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { type RepositoryFiles, staticBinaryApp } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';

jest.setTimeout(120_000);

let platform: Platform;
let busybox: string;
beforeAll(async () => {
  busybox = await ensureBusyboxImage();
  platform = await startPlatform();
});
afterAll(() => platform?.close());

/** Its page is what the container was started with. */
function shellApp(release: string): RepositoryFiles {
  const serve =
    'mkdir -p /tmp/www && echo $RELEASE $0 > /tmp/www/index.html && exec httpd -f -p $PORT -h /tmp/www';
  return {
    Dockerfile: [
      `FROM ${busybox}`,
      `ENV RELEASE=${release}`,
      'COPY serve.sh /serve.sh',
      'EXPOSE 8080',
      'CMD ["sh", "/serve.sh"]',
      '',
    ].join('\n'),
    'serve.sh': `${serve}\n`,
  };
}

const linesOf = async (id: string) => {
  const lines = await platform.prisma.logLine.findMany({ where: { streamId: id }, orderBy: { seq: 'asc' } });
  return lines.map(({ text }) => text);
};

test('A20: the release command runs once in the new image with its environment, before any container, on the first deploy too', async () => {
  const repository = await platform.createRepository('migrating', shellApp('one'));
  const command =
    'echo "release of $RELEASE for $GREETING in $(hostname -i)"; ls /.berth >/dev/null && echo done';
  const { app, deployment } = await platform.createLiveApp({
    name: 'migrating',
    repo_url: repository.url,
    release_command: command,
    env: { GREETING: 'somebody' },
  });
  const first = await linesOf(deployment.id);
  const at = (text: RegExp) => first.findIndex((line) => text.test(line));
  expect(first.filter((line) => /^release of one for \S+ in 10\./.test(line))).toHaveLength(1);
  expect(at(/^release of one/)).toBeGreaterThan(at(/^Built /));
  expect(at(/^Started migrating-/)).toBeGreaterThan(at(/release command has succeeded/));
  const steps = await platform.prisma.stepRun.findMany({ where: { deploymentId: deployment.id } });
  expect(steps.map(({ step }) => step)).toContain('releasing');

  // What it left: no container, and its address rests.
  expect((await platform.containers({ appId: app.id })).map(({ name }) => name)).toEqual([
    `migrating-${deployment.id}`,
  ]);
  const addresses = await platform.prisma.containerAddress.findMany({
    where: { deploymentId: deployment.id, releasedAt: null },
  });
  expect(addresses).toHaveLength(1);
});

test('A20: one that fails fails the deployment with its exit code and words, and the release before goes on', async () => {
  const repository = await platform.createRepository('failing', shellApp('one'));
  const { app, deployment } = await platform.createLiveApp({ name: 'failing', repo_url: repository.url });
  await platform.api.changeApp(app.id, { release_command: 'echo no such table; exit 7' });
  await repository.commit(shellApp('two'));
  const failed = await platform.deploy(app.id, 'failed');
  expect(failed).toMatchObject({ failure_code: 'release_command_failed', exit_code: 7 });
  expect(failed.failure_reason).toContain('ended with exit code 7');
  expect(await linesOf(failed.id)).toContain('no such table');
  expect((await platform.api.app(app.id)).live_deployment_id).toBe(deployment.id);
  expect((await platform.http('failing.localhost')).body).toContain('one');
  expect(await platform.containers({ deploymentId: failed.id })).toEqual([]);
});

test('A20: it stands in for the ENTRYPOINT of the image, too', async () => {
  const repository = await platform.createRepository('entered', staticBinaryApp(busybox, 'one'));
  const { deployment } = await platform.createLiveApp({
    name: 'entered',
    repo_url: repository.url,
    health_check_path: '/health',
    release_command: '/busybox echo ran instead of the server',
  });
  expect(await linesOf(deployment.id)).toContain('ran instead of the server');
});

test('start_command stands in for the CMD of a Dockerfile, without another build', async () => {
  const repository = await platform.createRepository('commanded', shellApp('one'));
  const { app } = await platform.createLiveApp({
    name: 'commanded',
    repo_url: repository.url,
    start_command: 'sh /serve.sh',
  });
  const [container] = await platform.containers({ appId: app.id });
  expect(container?.inspect.Config.Cmd).toEqual(['sh', '/serve.sh']);
  await platform.api.changeApp(app.id, { start_command: 'RELEASE=given sh /serve.sh' });
  await platform.deploy(app.id);
  expect((await platform.http('commanded.localhost')).body).toContain('given');
});

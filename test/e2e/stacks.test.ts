import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Platform, startPlatform } from '../support/platform.ts';
import { ensureStackImages } from '../support/stack-images.ts';
import { filesOfStack, STACK_REPOSITORIES, type StackRepository } from '../support/stack-repositories.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Dependencies are downloaded, and a framework builds on two slow cores. */
const BUILD_LIMIT_MS = 600_000;
jest.setTimeout(BUILD_LIMIT_MS);

/** `all` by `bin/test stacks`; else one of each family. Or their names. */
const asked = process.env['BERTH_TEST_STACKS'] ?? '';
const chosen = STACK_REPOSITORIES.filter(({ name, isFirst }) =>
  asked === '' ? isFirst : asked === 'all' || asked.split(' ').includes(name),
);
const images = await ensureStackImages();
const lacksOf = ({ on }: StackRepository) =>
  on.flatMap((base) => {
    const found = images[base];
    return 'lacks' in found ? [found.lacks] : [];
  });
const possible = chosen.filter((stack) => lacksOf(stack).length === 0);
const skipped = chosen.filter((stack) => lacksOf(stack).length > 0);

let platform: Platform;
const apps = new Map<string, { readonly id: string; readonly planId: string }>();

beforeAll(async () => {
  const imageOf = (base: keyof typeof images) => ('image' in images[base] ? images[base].image : 'none');
  platform = await startPlatform({
    settings: {
      NODE_IMAGE: imageOf('node'),
      PYTHON_IMAGE: imageOf('python'),
      GO_IMAGE: imageOf('go'),
      STATIC_IMAGE: imageOf('static'),
    },
  });
  // All at once: while one waits for the network, another uses the processors.
  for (const stack of possible) {
    const { name, rootDirectory = '.' } = stack;
    const { url } = await platform.createRepository(name, filesOfStack(name));
    const source = { repo_url: url, root_directory: rootDirectory };
    const plan = (await platform.api.send('POST', '/plans', source)).body as { id: string };
    const app = await platform.api.createApp({ name, ...source, health_check_path: '/', drain_seconds: 0 });
    apps.set(name, { id: app.id, planId: plan.id });
  }
});
afterAll(() => platform?.close());

describe('without a Dockerfile', () => {
  test.each(possible)('$name is recognised, built and answers', async (stack) => {
    const { name, framework, says } = stack;
    const app = apps.get(name);
    if (!app) throw new Error('the app was not made');
    const [first] = await platform.api.deployments(app.id);
    const { id } = await platform.waitForStatus(first?.id ?? '', 'live', BUILD_LIMIT_MS);

    const answer = await platform.http(`${name}.localhost`);
    expect(answer.status).toBe(200);
    expect(await wordsOf(name, answer.body)).toContain(says);
    if (stack.on.includes('static')) await expectSite(stack);

    expect((await platform.api.send('GET', `/apps/${app.id}`)).body).toMatchObject({
      detected_framework: framework,
    });
    await expectPlan(app.planId, stack, id);
    const [container] = await platform.containers({ deploymentId: id });
    expect(container?.inspect.Config.User).toMatch(/^(node|65534:65534)$/);
    await report(name, id, container?.inspect.Image ?? '');
  });

  for (const stack of skipped) {
    test.skip(`${stack.name}, for this machine lacks a base image: ${lacksOf(stack).join(', ')}`, () =>
      undefined);
  }
});

/** A page that a browser fills says little itself: its scripts count too. */
async function wordsOf(name: string, page: string): Promise<string> {
  const scripts = [...page.matchAll(/<script[^>]*\bsrc="([^"]+)"/g)].flatMap(([, path]) => path ?? []);
  const texts = await Promise.all(scripts.map((path) => platform.http(`${name}.localhost`, path)));
  return [page, ...texts.map(({ body }) => body)].join('\n');
}

/** The paths of its own routes lead to the page; a file that is not there is not there. */
async function expectSite({ name }: StackRepository): Promise<void> {
  const ask = async (path: string) => (await platform.http(`${name}.localhost`, path)).status;
  expect([await ask('/some/route'), await ask('/assets/gone.js'), await ask('/.git/config')]).toEqual([
    200, 404, 404,
  ]);
}

/** What `POST /plans` said before is what was built. */
async function expectPlan(
  planId: string,
  { framework }: StackRepository,
  deploymentId: string,
): Promise<void> {
  const plan = await waitUntil('the plan', async () => {
    const { body } = await platform.api.send('GET', `/plans/${planId}`);
    return (body as { status: string }).status === 'done'
      ? (body as { result: { dockerfile: string } })
      : null;
  });
  expect(plan.result).toMatchObject({ framework, start_command: expect.any(String) });
  const said = (await platform.api.logLines(deploymentId)).map(({ text }) => text.trim());
  for (const line of plan.result.dockerfile.trim().split('\n')) expect(said).toContain(line.trim());
}

/** A row for docs/stacks.md, where all are built. */
async function report(name: string, deploymentId: string, imageId: string): Promise<void> {
  if (asked === '') return;
  const { body } = await platform.api.send('GET', `/deployments/${deploymentId}`);
  const steps = (body as { steps: { step: string; seconds: number | null }[] }).steps;
  const seconds = steps.find(({ step }) => step === 'building')?.seconds ?? 0;
  const { Size } = await platform.docker.docker.getImage(imageId).inspect();
  process.stdout.write(`| ${name} | ${seconds.toFixed(0)} s | ${(Size / 1e6).toFixed(0)} MB |\n`);
}

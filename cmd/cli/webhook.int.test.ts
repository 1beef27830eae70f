import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Listening, listen } from '../../internal/http/listen.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { runBerth } from '../../test/support/berth-command.ts';
import { pushPayload } from '../../test/support/github-events.ts';
import { sendWebhook } from '../../test/support/webhook-sender.ts';

jest.setTimeout(60_000);

let api: ApiUnderTest;
let server: Listening;
let appId: string;
beforeAll(async () => {
  api = await startApi();
  server = await listen(api.app, { port: 0, address: '127.0.0.1' });
  const body = { name: 'shop', repo_url: 'acme/shop', deploy: false };
  appId = ((await api.call('post', '/apps').send(body)).body as { id: string }).id;
});
afterAll(async () => {
  await server?.close(0);
  await api?.close();
});

const berth = (...args: string[]) => {
  const environment = { BERTH_URL: `http://127.0.0.1:${server.port}`, BERTH_TOKEN: api.token };
  return runBerth(args, { environment });
};
const secretIn = (output: string) => /^secret +([0-9a-f]{64})$/m.exec(output)?.[1] ?? '';
const deliver = (secret: string) =>
  sendWebhook(api.app, { path: `/webhooks/github/${appId}`, secret, payload: pushPayload() });

test('berth webhook: made by hand it is printed for copying, then shown with its deliveries, and removed', async () => {
  const before = await berth('webhook', 'shop');
  expect(before.exitCode).toBe(0);
  expect(before.stdout).toMatch(
    new RegExp(`^url +http://berth.apps.test:8000/webhooks/github/${appId}$`, 'm'),
  );
  expect(before.stdout).toMatch(/^secret +none$/m);
  expect(before.stderr).toContain('berth webhook create shop');

  const made = await berth('webhook', 'create', 'shop');
  expect(made.exitCode).toBe(0);
  expect(made.stderr).toMatch(/Not set up at GitHub: .*Settings → Webhooks/s);
  expect((await deliver(secretIn(made.stdout))).status).toBe(202);

  const shown = await berth('webhook', 'shop');
  expect(shown.stdout).toMatch(/push +a{7} +deployed +push to main/);
  expect(shown.stdout).not.toContain(secretIn(made.stdout));

  const again = await berth('webhook', 'create', 'shop');
  expect([again.exitCode, secretIn(again.stdout)]).toEqual([0, '']);
  const rotated = await berth('webhook', 'create', 'shop', '--rotate', '--json');
  const { secret } = JSON.parse(rotated.stdout) as { secret: string };
  expect((await deliver(secretIn(made.stdout))).status).toBe(401);
  expect((await deliver(secret)).status).toBe(202);

  const removed = await berth('webhook', 'remove', 'shop');
  expect([removed.exitCode, removed.stderr]).toEqual([0, expect.stringContaining('remove it there, too')]);
  expect((await deliver(secret)).status).toBe(401);
});

test('berth webhook: an app that is not there is told', async () => {
  const { exitCode, stderr } = await berth('webhook', 'create', 'nothing');
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain('There is no app "nothing"');
});

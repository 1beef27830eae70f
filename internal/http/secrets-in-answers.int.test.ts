import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { attempt } from '../../test/support/operations/attempt.ts';
import { CALLERS, type CallerName, credentials } from '../../test/support/operations/callers.ts';
import { secretsOf, secretsOfInstallation } from '../../test/support/operations/secrets.ts';
import { type Answered, send } from '../../test/support/operations/send.ts';
import { TABLE } from '../../test/support/operations/table.ts';
import { makeTenant, type Tenant } from '../../test/support/operations/tenant.ts';
import { openWorld, type World } from '../../test/support/operations/world.ts';
import { findIn, needlesOf } from '../../test/support/secret-search.ts';
import { SocketClient } from '../../test/support/socket-client.ts';
import { SEALED_COLUMNS } from '../secrets/sealed-columns.ts';

let world: World;
let mine: Tenant;
let other: Tenant;
/** Secret, by where it is kept → all its spellings. */
let needles: ReadonlyMap<string, readonly string[]>;
beforeAll(async () => {
  world = await openWorld();
  [mine, other] = [await makeTenant(world), await makeTenant(world)];
  await keepAnAnswer(mine);
  const secrets = [...(await secretsOf(world, mine)), ...secretsOfInstallation(world)];
  needles = new Map(secrets.map(([place, secret]) => [place, needlesOf(secret)]));
});
afterAll(() => world?.close());

/** Where a secret is answered on purpose, and to whom. */
const SHOWN: Readonly<Record<string, { place: string; to: readonly CallerName[] }>> = {
  // Import and export are one round trip; each export leaves an audit row.
  exportEnvironment: {
    place: 'env_vars.value and deployments.config_snapshot',
    to: ['admin', 'session'],
  },
  // What GitHub has sent, for whoever may change the webhook.
  getDelivery: { place: 'webhook_deliveries.payload', to: ['admin', 'session'] },
};

/** A request that came with an Idempotency-Key, whose answer is kept: an app with the secret in its settings. */
async function keepAnAnswer({ tokens, canary, mark }: Tenant): Promise<void> {
  const body = { name: `k-${mark}`, repo_url: 'acme/shop', deploy: false, start_command: `${canary}-answer` };
  const made = await send({
    port: world.port,
    method: 'POST',
    path: '/api/v1/apps',
    headers: {
      authorization: `Bearer ${tokens.admin}`,
      'content-type': 'application/json',
      'idempotency-key': `${canary}-answer`,
    },
    body: JSON.stringify(body),
  });
  // Only the kept answer has it then.
  await world.api.prisma.app.delete({ where: { id: (JSON.parse(made.text) as { id: string }).id } });
  await world.api.prisma.auditEvent.deleteMany({ where: { action: 'app.create' } });
}

function foundIn({ text, headers }: Pick<Answered, 'text' | 'headers'>): string[] {
  const whole = `${text}\n${JSON.stringify(headers)}`;
  return [...needles].flatMap(([place, spellings]) => (findIn(whole, spellings).length > 0 ? [place] : []));
}

test('T57: every sealed column has a secret to look for', () => {
  const places = [...needles.keys()].join(' ');
  const notOfATenant = ['instance.key_canary'];
  const columns = Object.keys(SEALED_COLUMNS).filter((column) => !notOfATenant.includes(column));
  expect(columns.filter((column) => !places.includes(column))).toEqual([]);
});

test.each(CALLERS)('T57: no GET answers with a secret, as %s', async (as) => {
  const gets = Object.entries(TABLE).filter(([id]) => world.operations.get(id)?.method === 'get');
  expect(gets.length).toBeGreaterThan(35);
  const found: [string, string[]][] = [];
  for (const [id, row] of gets) {
    const query = (await row.first?.(mine, world)) ?? {};
    const places = foundIn(await attempt(world, { id, as, mine, other, query }));
    if (places.length > 0) found.push([id, places]);
  }
  const shown = Object.entries(SHOWN).filter(([, { to }]) => to.includes(as));
  expect(found).toEqual(shown.map(([id, { place }]) => [id, [place]]));
});

test.each(CALLERS)('T57: a WebSocket of %s holds no secret', async (as) => {
  const headers = credentials(world, as, { mine, other });
  const client = await new SocketClient(world.port, { headers }).answered();
  if (!client.isOpen) return;
  for (const topic of [{ deployment_id: mine.liveId }, { app_id: mine.appId }]) {
    await client.send({ type: 'subscribe', ...topic });
  }
  await client.send({ type: 'ping' });
  await client.got('pong');
  client.close();
  expect(foundIn({ text: JSON.stringify(client.messages), headers: {} })).toEqual([]);
});

describe('T57: an error does not repeat a secret that came with the request', () => {
  const SECRET = 'canary-in-the-request-0123456789';
  const bad = [
    [
      'a variable with a key that is none',
      'POST',
      (app: string) => `/apps/${app}/env`,
      { key: '1 A', value: SECRET },
    ],
    [
      'a variable that is too long',
      'POST',
      (app: string) => `/apps/${app}/env`,
      { key: 'A', value: SECRET.repeat(2000) },
    ],
    ['a value with a NUL', 'POST', (app: string) => `/apps/${app}/env`, { key: 'A', value: `${SECRET}\0` }],
    [
      'variables of which one is wrong',
      'PUT',
      (app: string) => `/apps/${app}/env`,
      { variables: { A: SECRET, '1': SECRET } },
    ],
    [
      'a .env file with a broken line',
      'POST',
      (app: string) => `/apps/${app}/env/import`,
      { text: `A="${SECRET}` },
    ],
    [
      'a repository URL with a password',
      'POST',
      () => '/apps',
      { name: 'x', repo_url: `https://u:${SECRET}@github.com/a/b` },
    ],
    ['a field that is unknown', 'POST', () => '/apps', { name: 'x', repo_url: 'acme/x', password: SECRET }],
  ] as const;

  test.each(bad)('%s', async (_what, method, path, body) => {
    const answer = await send({
      port: world.port,
      method,
      path: `/api/v1${path(mine.appId)}`,
      headers: { authorization: `Bearer ${mine.tokens.admin}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain(SECRET);
  });

  test('a token in the wrong place', async () => {
    for (const headers of [
      { authorization: `Basic ${SECRET}` },
      { authorization: `Bearer ${SECRET}` },
      { cookie: `berth=${SECRET}` },
    ]) {
      const answer = await send({
        port: world.port,
        method: 'GET',
        path: `/api/v1/apps?token=${SECRET}`,
        headers,
      });
      expect([answer.status, answer.text.includes(SECRET)]).toEqual([401, false]);
    }
  });
});

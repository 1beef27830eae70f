import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { attempt } from '../../test/support/operations/attempt.ts';
import { CALLERS, type CallerName, credentials } from '../../test/support/operations/callers.ts';
import { fingerprint } from '../../test/support/operations/fingerprint.ts';
import { type Row, TABLE } from '../../test/support/operations/table.ts';
import { makeTenant, type Tenant } from '../../test/support/operations/tenant.ts';
import { openWorld, type World } from '../../test/support/operations/world.ts';
import { SocketClient } from '../../test/support/socket-client.ts';
import { SCOPES } from '../openapi/operation.ts';

let world: World;
let mine: Tenant;
let other: Tenant;
beforeAll(async () => {
  world = await openWorld();
  [mine, other] = [await makeTenant(world), await makeTenant(world)];
});
afterAll(() => world?.close());

test('every operation has a row, and every row an operation', () => {
  expect(Object.keys(TABLE).toSorted()).toEqual([...world.operations.keys()].toSorted());
  expect(Object.keys(TABLE).length).toBeGreaterThan(60);
});

/** What the table says of a caller; `null` for those who may. */
function refusal({ needs, of }: Row, caller: CallerName): number | null {
  if (needs === 'nobody') return null;
  if (caller === 'anonymous') return 401;
  if (needs === 'owner') return caller === 'owner' ? null : 403;
  if (needs === 'session') return caller === 'session' ? null : 403;
  if (caller === 'read' || caller === 'deploy') {
    if (SCOPES.indexOf(caller) < SCOPES.indexOf(needs)) return 403;
  }
  return of && (caller === 'foreign' || caller === 'owner') ? 404 : null;
}

/** Parts of a path that lead to what nobody has, in the same form. */
function missingFor(id: string): Readonly<Record<string, string>> {
  if (id === 'listGithubBranches') return { owner: 'nobody' };
  return { id: id === 'disconnectInstallation' ? '999999999' : 'zzzzzzzzzz' };
}

/** An answer may repeat what was asked for, and nothing more. */
function withoutPath(row: Row, text: string, asked: Readonly<Record<string, string>> = {}): string {
  const parts = Object.values({ ...row.of?.(mine), ...asked });
  return parts.reduce((rest, part) => rest.replaceAll(part, '…'), text);
}

describe.each(Object.entries(TABLE))('%s', (id, row) => {
  const refused = CALLERS.filter((caller) => refusal(row, caller) !== null);
  const allowed = CALLERS.filter((caller) => refusal(row, caller) === null);
  const isRead = () => world.operations.get(id)?.method === 'get';

  if (refused.length > 0) {
    test('T41: whoever may not is refused, and no row changes', async () => {
      const before = await fingerprint(world.api.prisma);
      const answers: [CallerName, number][] = [];
      for (const as of refused) {
        const answer = await attempt(world, { id, as, mine, other });
        answers.push([as, answer.status]);
        for (const text of [mine.mark, mine.canary])
          expect(withoutPath(row, answer.text)).not.toContain(text);
      }
      expect(answers).toEqual(refused.map((as) => [as, refusal(row, as)]));
      expect(await fingerprint(world.api.prisma)).toEqual(before);
    });
  }

  if (row.of && row.needs !== 'owner') {
    test('T41: what is somebody else’s is as what is not there, to the byte', async () => {
      const params = missingFor(id);
      const foreign = await attempt(world, { id, as: 'foreign', mine, other });
      for (const as of ['foreign', 'admin'] as const) {
        const missing = await attempt(world, { id, as, mine, other, params });
        expect([missing.status, withoutPath(row, missing.text, params)]).toEqual([
          foreign.status,
          withoutPath(row, foreign.text),
        ]);
        expect(Object.keys(missing.headers)).toEqual(Object.keys(foreign.headers));
      }
    });
  }

  test('whoever may succeeds, and a GET changes nothing', async () => {
    const tenants: { as: CallerName; tenant: Tenant; query: Readonly<Record<string, string>> }[] = [];
    for (const as of allowed) {
      const tenant = isRead() && !row.first ? mine : await makeTenant(world);
      tenants.push({ as, tenant, query: (await row.first?.(tenant, world)) ?? {} });
    }
    const before = await fingerprint(world.api.prisma);
    const answers: [CallerName, number, string][] = [];
    for (const { as, tenant, query } of tenants) {
      const { status, text } = await attempt(world, { id, as, mine: tenant, other, query });
      answers.push([as, status, status === row.answers ? '' : text]);
    }
    expect(answers).toEqual(allowed.map((as) => [as, row.answers, '']));
    if (isRead() && !row.writes) expect(await fingerprint(world.api.prisma)).toEqual(before);
  });
});

describe('T42: a subscription on a WebSocket', () => {
  const subscribe = async (as: CallerName, topic: object) => {
    const headers = credentials(world, as, { mine, other });
    const client = await new SocketClient(world.port, { headers }).answered();
    if (!client.isOpen) return client.status;
    await client.send({ type: 'subscribe', ...topic });
    await client.count(1);
    // Whatever was on its way comes before the answer to this.
    await client.send({ type: 'ping' });
    await client.got('pong');
    client.cut();
    return client.messages.map(({ type, code, detail }) => [type, code, detail]);
  };

  test.each(CALLERS)('as %s', async (as) => {
    for (const [mineTopic, missing] of [
      [{ deployment_id: mine.liveId }, { deployment_id: 'zzzzzzzzzz' }],
      [{ app_id: mine.appId }, { app_id: 'zzzzzzzzzz' }],
    ] as const) {
      const answer = await subscribe(as, mineTopic);
      if (as === 'anonymous') expect(answer).toBe(401);
      else if (as === 'foreign' || as === 'owner') {
        expect(answer).toEqual(await subscribe(as, missing));
        expect(answer).toEqual([
          ['error', 'not_found', expect.any(String)],
          ['pong', undefined, undefined],
        ]);
      } else expect(answer).toContainEqual(['subscribed', undefined, undefined]);
    }
  });
});

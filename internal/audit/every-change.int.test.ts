import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { attempt } from '../../test/support/operations/attempt.ts';
import { whoMay } from '../../test/support/operations/callers.ts';
import { type Row, TABLE } from '../../test/support/operations/table.ts';
import { makeTenant, type Tenant } from '../../test/support/operations/tenant.ts';
import { openWorld, type World } from '../../test/support/operations/world.ts';

let world: World;
let other: Tenant;
beforeAll(async () => {
  world = await openWorld();
  other = await makeTenant(world);
});
afterAll(() => world?.close());

/** GETs that write something which somebody may have to answer for. */
const RECORDED_GETS = ['exportEnvironment', 'arriveInstalled'];

test('every operation that changes something is tried here', () => {
  const changing = [...world.operations.values()].filter(({ method }) => method !== 'get');
  expect(changing.map(({ id }) => id).filter((id) => !(id in TABLE))).toEqual([]);
  expect(changing.length).toBeGreaterThan(35);
});

describe.each(Object.entries(TABLE))('%s', (id, row) => {
  test('A19: leaves a row that says who, from where, by what, and what', async () => {
    const isRecorded = world.operations.get(id)?.method !== 'get' || RECORDED_GETS.includes(id);
    const mine = await makeTenant(world);
    const query = (await row.first?.(mine, world)) ?? {};
    const requestId = `audit-${mine.mark}`;
    const answer = await attempt(world, { id, as: whoMay(row), mine, other, query, requestId });
    expect([answer.status, answer.status === row.answers ? '' : answer.text]).toEqual([row.answers, '']);

    const events = await world.api.prisma.auditEvent.findMany({ where: { requestId } });
    if (!isRecorded) {
      expect(events).toEqual([]);
      return;
    }
    expect(events).not.toEqual([]);
    const { prisma } = world.api;
    const owner = await prisma.user.findFirstOrThrow({
      where: { role: 'owner' },
      orderBy: { createdAt: 'asc' },
    });
    for (const event of events) {
      expect(event.address).toBe('127.0.0.1');
      expect(event.action).toMatch(/^[a-z_]+\.[a-z_]+$/);
      expect(event.objectId).not.toBe('');
      // A delivery is GitHub's doing, and whose webhook it is, its object says.
      const who = { nobody: null, owner: owner.id }[row.needs as string];
      expect(event.userId).toBe(who === undefined ? mine.userId : who);
      expect(event.detail).toMatchObject(meansOf(row));
      // T57: of secrets at most the names.
      for (const secret of [mine.canary, ...Object.values(mine.tokens)]) {
        expect(JSON.stringify(event.detail)).not.toContain(secret);
      }
    }
  });
});

function meansOf({ needs }: Row): object {
  if (needs === 'nobody') return {};
  if (needs === 'session') return { _means: { via: 'session', token_id: null } };
  return {
    _means: { via: 'token', token_id: expect.any(String), token_prefix: expect.stringMatching(/^berth_/) },
  };
}

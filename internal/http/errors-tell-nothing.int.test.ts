import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { attempt } from '../../test/support/operations/attempt.ts';
import { whoMay } from '../../test/support/operations/callers.ts';
import { TABLE } from '../../test/support/operations/table.ts';
import { makeTenant, type Tenant } from '../../test/support/operations/tenant.ts';
import { openWorld, type World } from '../../test/support/operations/world.ts';

let world: World;
let mine: Tenant;
beforeAll(async () => {
  world = await openWorld();
  mine = await makeTenant(world);
});
afterAll(() => world?.close());

/** A stack, a path, SQL, the ORM, a host or a table of ours. */
const INSIDES =
  /\bat \w+ \(|node_modules|\.[jt]s:\d|\/internal\/|\/work|select |insert |update .* set|prisma|P20\d\d|relation |column |ECONN|127\.0\.0\.1|localhost|postgres|hidden_/i;

/** Every operation as somebody who may: those that fail, and how. */
async function failures(only = /./): Promise<{ id: string; status: number; text: string }[]> {
  const failed = [];
  for (const [id, row] of Object.entries(TABLE)) {
    // It says itself, in a form of its own, that the database is down.
    if (id === 'health' || !only.test(world.operations.get(id)?.path ?? '')) continue;
    const { status, text } = await attempt(world, { id, as: whoMay(row), mine, other: mine });
    if (status >= 500) failed.push({ id, status, text });
  }
  return failed;
}

/** Takes tables away under the API, so that its queries fail after whoever asks is known. */
async function withoutTables(names: readonly string[], work: () => Promise<void>): Promise<void> {
  const { prisma } = world.api;
  const rename = async (from: (name: string) => string, to: (name: string) => string) => {
    for (const name of names) {
      await prisma.$executeRawUnsafe(`ALTER TABLE "${from(name)}" RENAME TO "${to(name)}"`);
    }
  };
  const own = (name: string) => name;
  const hidden = (name: string) => `hidden_${name}`;
  await rename(own, hidden);
  try {
    await work();
  } finally {
    await rename(hidden, own);
  }
}

const KNOWS_WHO = ['users', 'tokens', 'sessions'];

describe('T61: an answer tells nothing of the insides', () => {
  test('when queries fail, in any operation', async () => {
    const rows = await world.api.prisma.$queryRaw<{ name: string }[]>`
      SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`;
    const tables = rows.map(({ name }) => name).filter((name) => !KNOWS_WHO.includes(name));
    await withoutTables(tables, async () => {
      const failed = await failures();
      expect(failed.length).toBeGreaterThan(50);
      for (const { id, status, text } of failed) {
        expect([id, status, JSON.parse(text)]).toEqual([id, 500, PROBLEM]);
        expect([id, INSIDES.exec(text)]).toEqual([id, null]);
      }
    });
  });

  test('when it is not even known who asks', async () => {
    await withoutTables(KNOWS_WHO, async () => {
      const failed = await failures();
      expect(failed.length).toBeGreaterThan(60);
      for (const { id, text } of failed) {
        expect([id, JSON.parse(text)]).toEqual([id, PROBLEM]);
        expect([id, INSIDES.exec(text)]).toEqual([id, null]);
      }
    });
  });

  test('when GitHub is away, or answers nonsense', async () => {
    const { github } = world;
    for (const fault of [
      { kind: 'reset' },
      { kind: 'status', status: 500 },
      { kind: 'html', status: 502 },
    ] as const) {
      github.fail(/./, fault);
      const failed = await failures(/github|webhook/);
      expect(failed.map(({ id }) => id)).toContain('findInstallations');
      for (const { id, text } of failed) {
        expect([id, INSIDES.exec(text)]).toEqual([id, null]);
        expect(text).not.toContain(github.host);
      }
      github.heal();
    }
  }, 90_000);
});

const PROBLEM = {
  type: 'urn:berth:problem:internal',
  title: 'Something went wrong here',
  status: 500,
  detail: 'This is a fault of the platform; its log has the details by request_id.',
  code: 'internal',
  request_id: 'attempt',
};

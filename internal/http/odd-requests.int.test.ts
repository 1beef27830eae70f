import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { attempt } from '../../test/support/operations/attempt.ts';
import { bodyFields, type Field } from '../../test/support/operations/bodies.ts';
import { whoMay } from '../../test/support/operations/callers.ts';
import { fingerprint } from '../../test/support/operations/fingerprint.ts';
import type { Answered } from '../../test/support/operations/send.ts';
import { TABLE } from '../../test/support/operations/table.ts';
import { makeTenant, type Tenant } from '../../test/support/operations/tenant.ts';
import { openWorld, type World } from '../../test/support/operations/world.ts';

let world: World;
let mine: Tenant;
let fields: readonly Field[];
beforeAll(async () => {
  world = await openWorld();
  mine = await makeTenant(world);
  fields = await bodyFields(world);
});
afterAll(() => world?.close());

/** What GitHub adds to its redirects is passed by. */
const TAKES_ANY_QUERY = ['arriveFromGithub', 'arriveInstalled'];
const ODD_QUERIES = [
  'id[]=a',
  'id[x]=1',
  '__proto__=1',
  '__proto__[polluted]=1',
  'constructor=1',
  'limit[]=1',
];

const send = (id: string, more: object): Promise<Answered> => {
  const row = TABLE[id];
  if (!row) throw new Error(`${id} has no row`);
  return attempt(world, { id, as: whoMay(row), mine, other: mine, ...more });
};
const summary = ({ status, text }: Answered) => [status, status === 400 ? '' : text];

/** Runs it, and holds that no row of the database has changed meanwhile. */
async function withoutEffect(work: () => Promise<void>): Promise<void> {
  const before = await fingerprint(world.api.prisma);
  await work();
  expect(await fingerprint(world.api.prisma)).toEqual(before);
  expect({}).not.toHaveProperty('polluted');
}

test('there is a good number of operations and fields to try', () => {
  expect(world.operations.size).toBeGreaterThan(70);
  expect(fields.length).toBeGreaterThan(50);
});

describe.each(Object.entries(TABLE))('%s', (id, row) => {
  if (!TAKES_ANY_QUERY.includes(id) && !row.raw) {
    test('T58: refuses parameters of another shape', () =>
      withoutEffect(async () => {
        for (const text of ODD_QUERIES) {
          const query = Object.fromEntries(new URLSearchParams(text));
          expect([text, ...summary(await send(id, { query }))]).toEqual([text, 400, '']);
        }
      }));
  }

  if (row.body) {
    test('T44, T58: refuses fields that are none of its own, and bodies of another shape', () =>
      withoutEffect(async () => {
        const good = row.body?.(mine) ?? {};
        const bodies = [
          ...[
            'id',
            'user_id',
            'ownerId',
            'status',
            'created_at',
            'webhook_secret',
            'image_id',
            'deleting_since',
          ].map((name) => JSON.stringify({ ...good, [name]: 'x' })),
          JSON.stringify(good).replace('{', '{"__proto__":{"polluted":true},').replace(',}', '}'),
          JSON.stringify(good).replace('{', '{"constructor":{"prototype":{}},').replace(',}', '}'),
          '[]',
          '7',
          'null',
          '"text"',
          '[[]]',
          '',
          '{',
        ];
        for (const text of bodies) {
          // An operation whose fields are all optional takes no body for an empty one.
          if (text === '' && isOptional(id)) continue;
          const answer = await send(id, { text });
          expect([text, ...summary(answer)]).toEqual([text, 400, '']);
        }
      }));

    test('T58: refuses values of another type, and names the field', () =>
      withoutEffect(async () => {
        for (const { name, types } of fields.filter(({ operation }) => operation === id)) {
          for (const value of valuesBut(types)) {
            const answer = await send(id, { body: { ...row.body?.(mine), [name]: value } });
            expect([name, value, ...summary(answer)]).toEqual([name, value, 400, '']);
            const { errors } = JSON.parse(answer.text) as { errors: { field: string }[] };
            expect(errors.map(({ field }) => field.split('/')[1])).toContain(name);
          }
        }
      }));

    test('T60: refuses texts of 100,000 characters', () =>
      withoutEffect(async () => {
        for (const { name, types } of fields.filter(({ operation }) => operation === id)) {
          if (!types.includes('string')) continue;
          for (const unit of ['a', '-', 'a.', '/', '@{', 'é', ' ']) {
            // A .env file of spaces is an empty one, and far shorter than such a file may be.
            if (id === 'importEnvironment' && unit === ' ') continue;
            const value = unit.repeat(100_000 / unit.length);
            const answer = await send(id, { body: { ...row.body?.(mine), [name]: value } });
            expect([name, unit, ...summary(answer)]).toEqual([name, unit, 400, '']);
          }
        }
      }));
  }

  if (row.of && !row.params) {
    test('T60: a part of the path of 8,000 characters leads nowhere', async () => {
      const parts = Object.keys(row.of?.(mine) ?? {});
      for (const part of parts) {
        const answer = await send(id, { params: { [part]: 'a'.repeat(8_000) } });
        expect([part, answer.status]).toEqual([part, 404]);
      }
    });
  }
});

test('T60: an address of 100,000 characters is refused before anybody looks at it', async () => {
  const answer = await fetch(`http://127.0.0.1:${world.port}/api/v1/apps/${'a'.repeat(100_000)}`);
  expect(answer.status).toBe(431);
});

const isOptional = (id: string) => world.operations.get(id)?.body?.safeParse({}).success === true;

const VALUES: Readonly<Record<string, unknown>> = {
  string: 'x',
  number: 0.5,
  boolean: true,
  array: [[]],
  object: { x: {} },
};

/** One of each type that the field does not take. */
function valuesBut(types: readonly string[]): unknown[] {
  const taken = types.map((type) => (type === 'integer' ? 'number' : type));
  return Object.entries(VALUES).flatMap(([type, value]) => (taken.includes(type) ? [] : [value]));
}

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { attempt } from '../../test/support/operations/attempt.ts';
import { CALLERS } from '../../test/support/operations/callers.ts';
import { TABLE } from '../../test/support/operations/table.ts';
import { makeTenant, type Tenant } from '../../test/support/operations/tenant.ts';
import { openWorld, type World } from '../../test/support/operations/world.ts';

let world: World;
let mine: Tenant;
let other: Tenant;
beforeAll(async () => {
  world = await openWorld();
  [mine, other] = [await makeTenant(world), await makeTenant(world)];
});
afterAll(() => world?.close());

/** The same for everybody, so they may be kept. */
const PUBLIC = ['reference', 'referenceFile'];

test.each(CALLERS)('T55: every answer to %s is safe in a browser and kept by none', async (as) => {
  for (const id of Object.keys(TABLE)) {
    const { status, headers, text } = await attempt(world, { id, as, mine, other });
    if (status === 101) continue;
    const directives = String(headers['content-security-policy']).split(/; ?/);
    expect([id, directives]).toEqual([
      id,
      expect.arrayContaining([
        "default-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ]),
    ]);
    expect([id, headers]).toEqual([
      id,
      expect.objectContaining({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-request-id': 'attempt',
      }),
    ]);
    if (!PUBLIC.includes(id))
      expect([id, headers['cache-control']]).toEqual([id, expect.stringMatching(/^no-store/)]);
    if (text !== '') expect([id, headers['content-type']]).toEqual([id, expect.stringMatching(TYPE)]);
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['set-cookie'] === undefined || SETS_COOKIES.includes(id)).toBe(true);
  }
});

/** With its charset, where the type has one. */
const TYPE = /^(application\/json|application\/problem\+json|text\/[a-z-]+; charset=utf-8$)/;
const SETS_COOKIES = ['signIn', 'signOut', 'leaveForGithub', 'arriveFromGithub'];

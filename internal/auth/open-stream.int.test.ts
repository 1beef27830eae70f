import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import { type AnotherUser, addUser } from '../../test/support/another-user.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { type Browser, signedIn } from '../../test/support/browser.ts';
import { EventReader } from '../../test/support/event-reader.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { newId } from '../db/ids.ts';
import { answerErrors } from '../http/answer-errors.ts';
import { type Listening, listen } from '../http/listen.ts';
import { runtimeLogRoutes } from '../logs/runtime-log-routes.ts';
import { mountOperations } from '../openapi/mount-operations.ts';
import { authenticator } from './authenticator.ts';

const RECHECK_MS = 50;

/** The routes of logs with the true authenticator, which asks again sooner than every 60 seconds. */
let api: ApiUnderTest;
let server: Listening;
let rechecks = 0;
beforeAll(async () => {
  api = await startApi();
  const { prisma, sessions, logHub: hub, logger } = api.needs;
  const whoAsks = authenticator({ prisma, sessions, auth: 'token' });
  const authenticate: typeof whoAsks = (request) => {
    rechecks += 1;
    return whoAsks(request);
  };
  const operations = runtimeLogRoutes({
    prisma,
    hub,
    logger,
    authenticate,
    holdStream: () => () => undefined,
    findApp: async () => undefined,
    recordClear: async () => undefined,
    limits: { heartbeatMs: 1_000, recheckMs: RECHECK_MS, stallMs: 1_000, settleMs: 100 },
  });
  const app = express();
  app.use(mountOperations(operations, { authenticate: whoAsks }));
  app.use(answerErrors);
  server = await listen(app, { port: 0, address: '127.0.0.1' });
});
afterAll(async () => {
  await server?.close(0);
  await api?.close();
});

let member: AnotherUser;
let browser: Browser;
let reader: EventReader;
beforeEach(async () => {
  member = await addUser(api.prisma);
  browser = await signedIn(api.app, member.token);
});
afterEach(() => reader.close());

async function follow(headers: Record<string, string>): Promise<void> {
  reader = new EventReader({ port: server.port, path: `/apps/${newId()}/logs/stream`, headers });
  await reader.opened();
  expect(reader.status).toBe(200);
  const before = rechecks;
  await waitUntil('a re-check that changes nothing', () => rechecks > before + 1);
  expect(reader.isClosed).toBe(false);
}
const bySession = () => follow({ cookie: browser.cookieHeader });
const byToken = () => follow({ authorization: `Bearer ${member.token}` });

describe('T42: an open stream ends at the next re-check', () => {
  test.each<[string, () => Promise<void>, () => Promise<unknown>]>([
    ['after the sign-out', bySession, () => browser.send('post', '/auth/logout')],
    [
      'with the token that the session was opened with',
      bySession,
      () => api.prisma.apiToken.deleteMany({ where: { userId: member.id } }),
    ],
    ['with the user, by session', bySession, () => api.call('delete', `/users/${member.id}`)],
    ['with the user, by token', byToken, () => api.call('delete', `/users/${member.id}`)],
    ['with its token', byToken, () => api.prisma.apiToken.deleteMany({ where: { userId: member.id } })],
    [
      'when its token expires',
      byToken,
      () =>
        api.prisma.apiToken.updateMany({
          where: { userId: member.id },
          data: { expiresAt: new Date(Date.now() - 1) },
        }),
    ],
  ])('%s', async (_what, open, end) => {
    await open();
    await end();
    await reader.closed();
  });
});

test('a stream that stays open is no use of the session: it does not keep it alive', async () => {
  await bySession();
  const soon = new Date(Date.now() + 3_600_000);
  const row = await api.prisma.session.findFirstOrThrow({
    where: { sess: { path: ['userId'], equals: member.id } },
  });
  await api.prisma.session.update({ where: { sid: row.sid }, data: { expire: soon } });
  const before = rechecks;
  await waitUntil('some re-checks', () => rechecks > before + 2);
  const after = await api.prisma.session.findUniqueOrThrow({ where: { sid: row.sid } });
  expect(after.expire).toEqual(soon);
});

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.close());

const containerId = 'ab'.repeat(32);
const DAY_MS = 24 * 60 * 60 * 1000;

test('the quarantine is listed with the day of each removal, which can be brought forward', async () => {
  const of = { containerName: 'shop-q6wlnf4j3e', appId: 'k3v5ahq2xd', deploymentId: 'q6wlnf4j3e' };
  await api.prisma.quarantinedContainer.create({ data: { containerId, ...of, reason: 'No row.' } });
  const [item] = (await api.call('get', '/quarantine')).body.items;
  expect(item).toMatchObject({
    container_id: containerId,
    container_name: 'shop-q6wlnf4j3e',
    reason: 'No row.',
  });
  expect(Date.parse(item.removed_after) - Date.parse(item.since)).toBe(7 * DAY_MS);

  const answer = await api.call('delete', `/quarantine/${containerId}`);
  expect(answer.status).toBe(202);
  expect(Date.parse(answer.body.removed_after)).toBeLessThanOrEqual(Date.now());
  const audited = await api.prisma.auditEvent.findFirst({ where: { action: 'quarantine.remove' } });
  expect(audited?.detail).toMatchObject({ container_id: containerId });
});

test('one that is not there is a 404', async () => {
  expect((await api.call('delete', `/quarantine/${'0'.repeat(64)}`)).status).toBe(404);
  expect((await api.call('delete', '/quarantine/nothing')).status).toBe(404);
});

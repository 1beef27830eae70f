import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { staticBinaryApp } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import type { TestRepository } from '../support/test-git.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(120_000);

describe('hosts', () => {
  let platform: Platform;
  let repository: TestRepository;

  beforeAll(async () => {
    platform = await startPlatform();
    const busybox = await ensureBusyboxImage();
    repository = await platform.createRepository('first', staticBinaryApp(busybox, 'first'));
    const second = await platform.createRepository('second', staticBinaryApp(busybox, 'second'));
    const health = { health_check_path: '/health' };
    await platform.createLiveApp({ name: 'first', repo_url: repository.url, ...health });
    await platform.createLiveApp({ name: 'second', repo_url: second.url, ...health });
  });
  afterAll(() => platform?.close());

  test('A17: each app answers on its own host', async () => {
    for (const name of ['first', 'second']) {
      const answer = await platform.http(`${name}.localhost`);
      expect({ status: answer.status, body: JSON.parse(answer.body) }).toEqual({
        status: 200,
        body: { release: name },
      });
    }
  });

  test.each([
    'nobody.localhost',
    'first.localhost.evil.example',
    'first',
    '127.0.0.1',
    'first-aaaaaaaaaa.localhost',
  ])('A17: the unknown host %s gets our 404 and no app', async (host) => {
    const { status, body } = await platform.http(host);
    expect(status).toBe(404);
    expect(body).not.toMatch(/"release"/);
    // Ours, not the bare text of the proxy.
    expect(body).toMatch(/<html|berth/i);
    expect(body).not.toBe('404 page not found\n');
  });

  test('A17: an app without a live release answers 503 with its name', async () => {
    await platform.api.createApp({ name: 'third', repo_url: repository.url, deploy: false });
    const { status, body } = await platform.http('third.localhost');
    expect(status).toBe(503);
    expect(body).toContain('third');
  });

  test('A17: the platform itself answers on its own host', async () => {
    const { status, body } = await platform.http('berth.localhost', '/health');
    expect({ status, body: JSON.parse(body) }).toMatchObject({ status: 200 });
  });

  test('A17: a name that is taken is a 409, one that is reserved or no DNS label a 400', async () => {
    const create = (name: string) => platform.api.send('POST', '/apps', { name, repo_url: repository.url });
    expect(await create('first')).toMatchObject({ status: 409, body: { code: 'name_taken' } });
    for (const name of [
      'berth',
      'api',
      'www',
      'traefik',
      'Über',
      'a.b',
      '-a',
      'a`) || PathPrefix(`/',
      'a'.repeat(64),
    ]) {
      expect({ name, ...(await create(name)) }).toMatchObject({
        status: 400,
        body: { code: 'invalid_input' },
      });
    }
  });

  test('A17: a deleted app is unknown again', async () => {
    const { id } = (await platform.api.apps()).find(({ name }) => name === 'second') ?? { id: '' };
    await platform.api.deleteApp(id);
    await waitUntil('the 404', async () => (await platform.http('second.localhost')).status === 404);
    expect((await platform.http('first.localhost')).status).toBe(200);
  });
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Listening, listen } from '../../internal/http/listen.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { type BerthOptions, runBerth } from '../../test/support/berth-command.ts';

jest.setTimeout(60_000);

describe('berth env', () => {
  let api: ApiUnderTest;
  let server: Listening;
  let folder: string;
  let environment: Record<string, string>;
  let id: string;
  let count = 0;

  beforeAll(async () => {
    api = await startApi();
    server = await listen(api.app, { port: 0, address: '127.0.0.1' });
    environment = { BERTH_URL: `http://127.0.0.1:${server.port}`, BERTH_TOKEN: api.token };
    folder = await mkdtemp(join(tmpdir(), 'berth-cli-env-'));
  });
  afterAll(async () => {
    await server?.close(0);
    await api?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    count += 1;
    const body = { name: `shop-${count}`, repo_url: `acme/shop-${count}`, deploy: false };
    id = (await api.call('post', '/apps').send(body)).body.id;
  });

  const berth = (args: string[], more: BerthOptions = {}) =>
    runBerth(['env', ...args], { environment, folder, ...more });
  const exported = async () => (await api.call('get', `/apps/${id}/env/export`)).text;

  test('sets, lists, exports and removes variables', async () => {
    const set = await berth(['set', '-a', id, 'B=two words', 'A=x=1', '--scope', 'both']);
    expect(set).toMatchObject({ exitCode: 0, stdout: '', stderr: `shop-${count} has B, A.\n` });

    const list = await berth([id]);
    expect(list.stdout).toMatch(
      /^KEY +SCOPE +CHANGED +PENDING\nA +both +\d{4}-\d\d-\d\d\nB +both +[\d-]+\n$/,
    );
    const json = await berth(['list', '--app', `shop-${count}`, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ items: [{ key: 'A', value: '••••' }, { key: 'B' }] });
    expect(list.stdout + json.stdout).not.toContain('two');

    expect((await berth(['export', id])).stdout).toBe("A=x=1\nB='two words'\n");
    expect(JSON.parse((await berth(['export', id, '--json'])).stdout)).toEqual({
      text: "A=x=1\nB='two words'\n",
    });
    expect(await berth(['unset', '-a', id, 'A', 'B'])).toMatchObject({ exitCode: 0 });
    expect(await exported()).toBe('');
    expect((await berth([id])).stderr).toContain('has no variables');
  });

  test('takes a value from standard input, which then stands in no process list', async () => {
    const key = '-----BEGIN KEY-----\nx"$y\n-----END KEY-----';
    expect(await berth(['set', '-a', id, 'KEY=-', 'A=1'], { input: `${key}\n` })).toMatchObject({
      exitCode: 0,
    });
    expect(await exported()).toBe(`A=1\nKEY='${key}'\n`);
  });

  test('takes a .env file, or one from standard input, and keeps what that does not name', async () => {
    await writeFile(join(folder, 'my.env'), '# mine\nexport A="1"\nB=2\n');
    await berth(['set', '-a', id, 'C=3']);
    expect(await berth(['set', '-a', id, '--from-file', 'my.env'])).toMatchObject({
      exitCode: 0,
      stderr: `shop-${count} has my.env.\n`,
    });
    expect(await exported()).toBe('A=1\nB=2\nC=3\n');
    expect(await berth(['set', '-a', id, '--from-file', '-'], { input: 'A=one' })).toMatchObject({
      exitCode: 0,
    });
    expect(await exported()).toBe('A=one\nB=2\nC=3\n');
  });

  test('is about the app of the checkout it is called in', async () => {
    const checkout = join(folder, `checkout-${count}`);
    await mkdir(join(checkout, '.git'), { recursive: true });
    await writeFile(
      join(checkout, '.git/config'),
      `[remote "origin"]\n\turl = git@github.com:acme/shop-${count}.git\n`,
    );
    expect(await berth(['set', 'A=1'], { folder: checkout })).toMatchObject({ exitCode: 0 });
    expect((await berth([], { folder: checkout })).stdout).toMatch(/^A +runtime/m);
    expect(await berth([])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Name an app') });
  });

  test('says what waits for a deployment', async () => {
    await berth(['set', '-a', id, 'A=1']);
    const { body } = await api.call('post', `/apps/${id}/deploy`).send({});
    await api.prisma.deployment.update({ where: { id: body.id }, data: { status: 'live' } });
    await api.prisma.app.update({ where: { id }, data: { liveDeploymentId: body.id } });
    const set = await berth(['set', '-a', id, 'B=2']);
    expect(set.stderr).toContain(`Not live yet: B; "berth deploy shop-${count}" brings them.`);
    expect((await berth([id])).stdout).toMatch(/^B +runtime +[\d-]+ +yes$/m);
    expect((await berth(['unset', '-a', id, 'A'])).stderr).toContain('Not live yet: A, B;');
  });

  test.each([
    ['nothing to set', ['set'], 2, 'Give KEY=VALUE, or --from-file.'],
    ['both ways at once', ['set', 'A=1', '--from-file', 'x'], 2, 'Give KEY=VALUE, or --from-file.'],
    ['no assignment', ['set', 'canary-value'], 2, 'Give each variable as KEY=VALUE.'],
    ['a key that is none', ['set', 'A-B=canary-value'], 5, '/variables/0/key must be a letter or _'],
    [
      'a file that is not there',
      ['set', '--from-file', 'missing.env'],
      2,
      'missing.env cannot be read (ENOENT).',
    ],
    ['an unknown scope', ['set', 'A=1', '--scope', 'all'], 2, 'Allowed choices are runtime, build, both'],
    ['a name to remove that is a path', ['unset', '../../x'], 2, 'is no name of a variable'],
    ['a variable to remove that is not there', ['unset', 'A'], 5, 'The app has no variable of this name.'],
  ])('refuses %s', async (_what, args, exitCode, says) => {
    const result = await berth([...args, '--app', id]);
    expect(result).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(says) });
    expect(result.stderr).not.toContain('canary');
  });

  test('a file that is no .env is refused by its line', async () => {
    const result = await berth(['set', '-a', id, '--from-file', '-'], { input: 'A=1\ncanary' });
    expect(result).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('line 2: is not KEY=value'),
    });
    expect(result.stderr).not.toContain('canary');
  });
});

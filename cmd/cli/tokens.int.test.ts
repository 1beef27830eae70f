import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Listening, listen } from '../../internal/http/listen.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { runBerth } from '../../test/support/berth-command.ts';
import { freePorts } from '../../test/support/free-ports.ts';

jest.setTimeout(60_000);

describe('berth tokens', () => {
  let api: ApiUnderTest;
  let server: Listening;
  let url: string;
  beforeAll(async () => {
    api = await startApi();
    server = await listen(api.app, { port: 0, address: '127.0.0.1' });
    url = `http://127.0.0.1:${server.port}`;
  });
  afterAll(async () => {
    await server?.close(0);
    await api?.close();
  });

  const berth = (...args: string[]) => withToken(api.token, ...args);
  const withToken = (token: string, ...args: string[]) =>
    runBerth(args, { environment: { BERTH_URL: url, BERTH_TOKEN: token } });

  test('create prints the token and nothing else; it works, and no session is left open', async () => {
    const made = await berth('tokens', 'create', 'ci', '--expires', '90');
    expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^berth_[\w-]{43}\n$/) });
    expect(made.stderr).toMatch(/^Token ci \(\w{10}, deploy\) expires on \d{4}-\d\d-\d\d\./);
    const token = made.stdout.trim();
    expect(made.stderr).not.toContain(token);
    expect(await api.prisma.session.count()).toBe(0);
    expect((await withToken(token, 'apps', '--json')).stdout).toBe('[]\n');
    const refused = await withToken(token, 'tokens', 'create', 'heir');
    expect(refused).toMatchObject({ exitCode: 5, stdout: '' });
    expect(refused.stderr).toContain('a token with the scope admin is needed');
  });

  test('list tells of each what it is for, never the token', async () => {
    const made = await berth('tokens', 'create', 'status page', '--scope', 'read', '--json');
    const { id, token, ...others } = JSON.parse(made.stdout) as Record<string, string>;
    expect(others).toMatchObject({ name: 'status page', scope: 'read', expires_at: null });
    const list = await berth('tokens');
    expect(list.stdout).toMatch(
      new RegExp(
        `^NAME +ID +SCOPE +BEGINS WITH +LAST USED +EXPIRES\nstatus page +${id} +read +berth_\\S{6} +never +never\n`,
      ),
    );
    expect(list.stdout).not.toContain(token);
    expect(JSON.parse((await berth('tokens', '--json')).stdout)[0]).toEqual({ id, ...others });
  });

  test('remove ends it, by name or id', async () => {
    await berth('tokens', 'create', 'twice');
    const { id, token } = JSON.parse((await berth('tokens', 'create', 'twice', '--json')).stdout);
    expect(await berth('tokens', 'remove', 'twice')).toMatchObject({ exitCode: 2 });
    expect(await berth('tokens', 'remove', id)).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await withToken(token, 'apps')).toMatchObject({ exitCode: 4 });
    const byName = await berth('tokens', 'remove', 'twice', '--json');
    expect(JSON.parse(byName.stdout)).toMatchObject({ removed: true });
    const gone = await berth('tokens', 'remove', 'twice');
    expect(gone).toMatchObject({
      exitCode: 5,
      stderr: 'berth: There is no token "twice"; "berth tokens" lists them.\n',
    });
  });

  test.each([
    ['tokens create', /missing required argument/],
    ['tokens create x --scope root', /Allowed choices are read, deploy, admin/],
    ['tokens create x --expires 0', /Give a number of days from 1 to 3650/],
  ])('%s is not understood', async (line, said) => {
    const answer = await berth(...line.split(' '));
    expect([answer.exitCode, answer.stdout]).toEqual([2, '']);
    expect(answer.stderr).toMatch(said);
  });

  test('where the API runs with AUTH=none, no sign-in is needed', async () => {
    const [port = 0] = await freePorts(1);
    const local = await startApi({ settings: { auth: 'none', apiPort: port } });
    const open = await listen(local.app, { port, address: '127.0.0.1' });
    try {
      const environment = { BERTH_URL: `http://127.0.0.1:${port}` };
      const made = await runBerth(['tokens', 'create', 'later'], { environment });
      expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^berth_/) });
    } finally {
      await open.close(0);
      await local.close();
    }
  });
});

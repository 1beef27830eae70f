import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Deployment } from '../../internal/db/database.ts';
import { appendStatus } from '../../internal/deployments/status-line.ts';
import { type Listening, listen } from '../../internal/http/listen.ts';
import { appendLines } from '../../internal/logs/append-lines.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { BerthCommand, runBerth } from '../../test/support/berth-command.ts';
import { freePorts } from '../../test/support/free-ports.ts';

jest.setTimeout(60_000);

describe('berth', () => {
  let api: ApiUnderTest;
  let server: Listening;
  let url: string;
  let home: string;
  let environment: Record<string, string>;
  const commands: BerthCommand[] = [];

  beforeAll(async () => {
    api = await startApi();
    server = await listen(api.app, { port: 0, address: '127.0.0.1' });
    url = `http://127.0.0.1:${server.port}`;
    home = await mkdtemp(join(tmpdir(), 'berth-cli-'));
    environment = { BERTH_URL: url, BERTH_TOKEN: api.token };
  });
  afterEach(async () => {
    await Promise.all(commands.splice(0).map((command) => command.close()));
  });
  afterAll(async () => {
    await server?.close(0);
    await api?.close();
    await rm(home, { recursive: true, force: true });
  });

  const berth = (...args: string[]) => runBerth(args, { environment });
  const start = (...args: string[]) => {
    const command = new BerthCommand(args, { environment });
    commands.push(command);
    return command;
  };
  const repo = 'https://github.com/acme/shop';
  const createApp = async (name: string) => {
    const answer = await api.call('post', '/apps').send({ name, repo_url: repo, deploy: false });
    return (answer.body as { id: string }).id;
  };

  /** What a worker would do: the row and its line in the log. */
  const move = async (id: string, data: Partial<Deployment>) => {
    const row = await api.prisma.deployment.update({ where: { id }, data: data as object });
    await appendStatus(api.prisma, row);
  };
  const write = (id: string, ...texts: string[]) =>
    appendLines(
      api.prisma,
      id,
      texts.map((text) => ({ source: 'build', level: 'info', stream: 'stdout', text }) as const),
    );
  const latestOf = async (appId: string) => {
    const row = await api.prisma.deployment.findFirstOrThrow({
      where: { appId },
      orderBy: { queueSequence: 'desc' },
    });
    return row.id;
  };
  const queued = async (command: BerthCommand, appId: string) => {
    await command.told(/is queued/);
    return latestOf(appId);
  };

  describe('signing in', () => {
    test('takes the token from standard input and keeps it for its owner alone', async () => {
      const settings = { XDG_CONFIG_HOME: home };
      const login = await runBerth(['login', `${url}/api/v1/`], {
        environment: settings,
        input: `${api.token}\n`,
      });
      expect(login).toMatchObject({ exitCode: 0, stdout: '' });
      expect(login.stderr).not.toContain(api.token);
      const file = join(home, 'berth', 'login.json');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect((await stat(join(home, 'berth'))).mode & 0o777).toBe(0o700);

      const status = await runBerth(['status', '--json'], { environment: settings });
      expect(JSON.parse(status.stdout)).toMatchObject({ url, database: 'up' });

      const elsewhere = await runBerth(['apps'], {
        // The same server under another name: as far as a client can tell, somebody else's.
        environment: { ...settings, BERTH_URL: url.replace('127.0.0.1', 'localhost') },
      });
      expect(elsewhere).toMatchObject({
        exitCode: 4,
        stderr: expect.stringContaining('wants a token that it knows'),
      });

      expect(await runBerth(['logout'], { environment: settings })).toMatchObject({ exitCode: 0 });
      await expect(readFile(file)).rejects.toThrow('ENOENT');
    });

    test('with a token that is none keeps nothing', async () => {
      const login = await runBerth(['login', url], {
        environment: { XDG_CONFIG_HOME: join(home, 'other') },
        input: 'wrong',
      });
      expect(login).toMatchObject({
        exitCode: 4,
        stderr: expect.stringContaining('wants a token that it knows'),
      });
      await expect(stat(join(home, 'other'))).rejects.toThrow('ENOENT');
    });
  });

  test('T17: status says in words what a worker warns of, and ends well', async () => {
    const before = await berth('status', '--json');
    expect(JSON.parse(before.stdout)).toMatchObject({ status: 'ok', warnings: [] });
    const warnings = ['runc_outdated'];
    await api.prisma.worker.create({ data: { id: 'w', hostname: 'h', pid: 1, warnings } });
    const document = await berth('status', '--json');
    expect(JSON.parse(document.stdout)).toMatchObject({ status: 'degraded', warnings });
    const { exitCode, stdout } = await berth('status');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^status +degraded$/m);
    expect(stdout).toMatch(/^warning +runc is of a time .* update Docker and runc.* \(runc_outdated\)$/m);
    await api.prisma.worker.deleteMany();
  });

  describe('apps', () => {
    test('are created, listed, shown and deleted', async () => {
      const created = await berth(
        'apps',
        'create',
        'books',
        '--repo',
        'acme/books',
        '--port',
        '3000',
        '--no-deploy',
      );
      expect(created).toMatchObject({ exitCode: 0, stdout: 'http://books.apps.test:8000\n' });

      const list = await berth('apps');
      expect(list.stdout).toMatch(/^NAME +STATUS +URL +DEPLOYMENT +REPOSITORY\n/);
      expect(list.stdout).toMatch(/^books +idle +http:\/\/books\.apps\.test:8000 +https:.*acme\/books$/m);
      expect(list.stdout).not.toContain('\u001b');

      const shown = await berth('apps', 'show', 'books', '--json');
      expect(JSON.parse(shown.stdout)).toMatchObject({ name: 'books', port: 3000, branch: null });
      expect((await berth('open', 'books')).stdout).toBe('http://books.apps.test:8000\n');

      expect(await berth('apps', 'delete', 'books')).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('--yes'),
      });
      expect(await berth('apps', 'delete', 'books', '--yes', '--json')).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/"status":"deleting"/),
      });
    });

    test('that the API refuses are told in its sentence, with each field', async () => {
      const refused = await berth('apps', 'create', 'Bad', '--repo', 'ftp://x', '--port', '70000');
      expect(refused).toMatchObject({ exitCode: 5, stdout: '' });
      expect(refused.stderr).toMatch(
        /^berth: 3 fields .*\n {2}\/name: .*DNS label.*\n {2}\/repo_url: .*\n {2}\/port: /,
      );

      const json = await berth('apps', 'create', 'Bad', '--repo', repo, '--json');
      expect(JSON.parse(json.stdout)).toMatchObject({
        error: { code: 'invalid_input', errors: [{ field: '/name' }] },
      });
      expect(await berth('apps', 'show', 'nothing')).toMatchObject({
        exitCode: 5,
        stderr: 'berth: There is no app "nothing"; "berth apps" lists them.\n',
      });
    });
  });

  describe('projects', () => {
    const idOf = async (name: string) =>
      (await api.prisma.project.findFirstOrThrow({ where: { name }, select: { id: true } })).id;

    test('are created, listed and removed', async () => {
      const created = await berth('projects', 'create', 'library');
      expect(created).toMatchObject({ exitCode: 0, stdout: `${await idOf('library')}\n` });
      expect(await berth('projects', 'create', 'library')).toMatchObject({
        exitCode: 5,
        stderr: 'berth: There is a project "library" already; choose another name.\n',
      });

      const list = await berth('projects');
      expect(list.stdout).toMatch(/^NAME +STATUS +APPS +NETWORK\n/);
      expect(list.stdout).toMatch(/^library +active +0 +\w{6}-library$/m);
      const json = JSON.parse((await berth('projects', 'list', '--json')).stdout) as { name: string }[];
      expect(json.map(({ name }) => name)).toEqual(['library', 'default']);

      expect(await berth('projects', 'remove', 'library')).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('--yes'),
      });
      expect(await berth('projects', 'remove', 'library', '--yes', '--json')).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/"status":"deleting"/),
      });
      expect((await berth('projects')).stdout).toMatch(/^library +deleting /m);
      expect(await berth('projects', 'remove', 'nothing', '--yes')).toMatchObject({
        exitCode: 5,
        stderr: 'berth: There is no project "nothing"; "berth projects" lists them.\n',
      });
    });

    test('are chosen by --project, for apps of one name too', async () => {
      for (const project of ['east', 'west']) {
        await berth('projects', 'create', project);
        const made = await berth(
          'apps',
          'create',
          'twin',
          '--repo',
          repo,
          '--project',
          project,
          '--no-deploy',
        );
        expect(made.exitCode).toBe(0);
      }
      expect(await berth('apps', 'show', 'twin')).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('more than one app "twin"'),
      });
      const shown = await berth('apps', 'show', 'twin', '--project', 'west', '--json');
      const west = JSON.parse(shown.stdout) as { id: string; project: string };
      expect(west).toMatchObject({ name: 'twin', project: 'west' });

      const all = await berth('apps');
      expect(all.stdout).toMatch(/^NAME +PROJECT +STATUS /);
      expect(all.stdout).toMatch(/^twin +west +idle /m);
      const listed = await berth('apps', '--project', await idOf('west'));
      expect(listed.stdout).toMatch(/^NAME +STATUS .*\ntwin +idle .*\n$/);

      const deployed = await berth('deploy', 'twin', '--project', 'west', '--json');
      expect(JSON.parse(deployed.stdout)).toMatchObject({ app_id: west.id });
      const quick = await berth('deploy', 'acme/twin', '--project', 'east', '--json');
      const { app_id: appId } = JSON.parse(quick.stdout) as { app_id: string };
      expect(await api.prisma.app.findUnique({ where: { id: appId } })).toMatchObject({
        projectId: await idOf('east'),
      });
      expect(await berth('apps', 'show', west.id, '--project', 'east')).toMatchObject({ exitCode: 5 });
      expect(await berth('apps', 'delete', 'twin', '--project', 'west', '--yes')).toMatchObject({
        exitCode: 0,
      });
      expect(await berth('apps', '--project', 'nowhere')).toMatchObject({
        exitCode: 5,
        stderr: 'berth: There is no project "nowhere"; "berth projects" lists them.\n',
      });
    });
  });

  describe('deploy --wait', () => {
    test('A24: ends with 0 and the URL when the release is live, across a restart of the API', async () => {
      const appId = await createApp('good');
      const command = start('deploy', 'good', '--wait');
      const id = await queued(command, appId);
      await move(id, { status: 'building', step: 'building' });
      await write(id, 'line one', 'line two');
      await command.told(/line two/);

      const { port } = server;
      await server.close(0);
      await command.told(/does not answer/);
      await write(id, 'line three');
      server = await listen(api.app, { port, address: '127.0.0.1' });
      await command.told(/line three/);

      await move(id, { status: 'live', step: 'draining', liveAt: new Date() });
      const { exitCode, stdout, stderr } = await command.ended();
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'http://good.apps.test:8000\n' });
      expect(stderr.match(/^line .*$/gm)).toEqual(['line one', 'line two', 'line three']);
    });

    test('A24: ends with 1, the reason and the last lines when it failed', async () => {
      const appId = await createApp('broken');
      const command = start('deploy', 'broken', '--wait');
      const id = await queued(command, appId);
      await write(id, 'Step 1/3', 'npm ERR! no such script');
      await move(id, {
        status: 'failed',
        failureCode: 'build_failed',
        failureReason: 'RUN npm run build ended with code 1.',
        finishedAt: new Date(),
      });
      const { exitCode, stdout, stderr } = await command.ended();
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toMatch(
        /Deployment \w+ of broken failed \(build_failed\)\.\nRUN npm run build ended with code 1\.\nRead .*\nIts last lines:\n {2}\| Step 1\/3\n {2}\| npm ERR! no such script\n$/,
      );
    });

    test('A24: with --json prints the deployment and nothing else', async () => {
      const appId = await createApp('documented');
      const command = start('deploy', 'documented', '--wait', '--json', '--branch', 'next');
      const id = await queued(command, appId);
      await move(id, { status: 'failed', failureCode: 'exited_early', logTail: ['bye'] });
      const { exitCode, stdout } = await command.ended();
      expect(exitCode).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ id, branch: 'next', status: 'failed', log_tail: ['bye'] });
    });

    test('A24: ends with 3 when the deployment is cancelled', async () => {
      const appId = await createApp('unwanted');
      const command = start('deploy', 'unwanted', '--wait');
      const id = await queued(command, appId);
      expect(await berth('cancel', 'unwanted')).toMatchObject({
        exitCode: 0,
        stderr: `Deployment ${id} is cancelled.\n`,
      });
      expect(await command.ended()).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining('was cancelled'),
      });
    });

    test('A24: ends with 3 when a newer deployment takes its place', async () => {
      const appId = await createApp('overtaken');
      const command = start('deploy', 'overtaken', '--wait');
      const id = await queued(command, appId);
      await move(id, { status: 'superseded' });
      expect(await command.ended()).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining('superseded by a newer one'),
      });
      expect(await berth('cancel', id)).toMatchObject({
        exitCode: 5,
        stderr: expect.stringContaining('can no longer be cancelled'),
      });
    });

    test.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)('%s ends the waiting with %d and leaves the deployment alone', async (signal, code) => {
      const name = `left-${code}`;
      const appId = await createApp(name);
      const command = start('deploy', name, '--wait');
      const id = await queued(command, appId);
      await command.told(/Waiting for a worker/);
      command.signal(signal);
      expect(await command.ended()).toMatchObject({
        exitCode: code,
        stderr: expect.stringContaining(`Deployment ${id} goes on without you`),
      });
      expect(await api.prisma.deployment.findUnique({ where: { id } })).toMatchObject({
        status: 'pending',
        cancelRequestedAt: null,
      });
    });
  });

  describe('deploy', () => {
    test('without an app takes the one of the Git checkout it is called in', async () => {
      const folder = await mkdtemp(join(home, 'checkout-'));
      const call = (origin: string) => async () => {
        await mkdir(join(folder, '.git'), { recursive: true });
        await writeFile(join(folder, '.git', 'config'), `[remote "origin"]\n\turl = ${origin}\n`);
        return runBerth(['deploy', '--json'], { environment, folder });
      };
      await api.call('post', '/apps').send({ name: 'mine', repo_url: 'acme/mine', deploy: false });
      const { exitCode, stdout } = await call('git@github.com:acme/mine.git')();
      expect({ exitCode, document: JSON.parse(stdout) as unknown }).toMatchObject({
        exitCode: 0,
        document: { app_name: 'mine', status: 'pending' },
      });
      expect(await call('git@github.com:acme/other.git')()).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('No app builds'),
      });
    });

    test('takes a repository, and makes its app', async () => {
      const { exitCode, stdout } = await berth('deploy', 'acme/fresh');
      expect(exitCode).toBe(0);
      const list = await berth('deployments', 'fresh', '--json');
      expect(JSON.parse(list.stdout)).toMatchObject([
        { id: stdout.trim(), app_name: 'fresh', trigger: 'api' },
      ]);
      const all = await berth('deployments', '--status', 'pending', '--limit', '1');
      expect(all.stdout).toMatch(/^ID +APP +STATUS .*\n\w{10} +fresh +pending +\d+ s ago/);
    });
  });

  describe('logs', () => {
    test('-f follows until the deployment has ended; --json is a document a line', async () => {
      const appId = await createApp('talking');
      await berth('deploy', 'talking');
      const id = await latestOf(appId);
      const command = start('logs', '-f', '--build', 'talking', '--json');
      await write(id, 'first');
      await command.printed(/first/);
      await write(id, 'second');
      await command.printed(/second/);
      await move(id, { status: 'failed', failureCode: 'build_failed' });
      const { exitCode, stdout } = await command.ended();
      expect(exitCode).toBe(0);

      const entries = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(entries.map((entry) => entry['text'] ?? entry['status'])).toEqual([
        'pending',
        'first',
        'second',
        'failed',
      ]);
      const again = await berth('logs', id, '--json');
      expect(again.stdout).toBe(stdout);
    });

    test('of an app are what it writes', async () => {
      const appId = await createApp('speaking');
      await appendLines(api.prisma, `app:${appId}`, [
        { source: 'runtime', level: 'info', stream: 'stdout', text: 'hello from inside' },
      ]);
      expect(await berth('logs', 'speaking')).toMatchObject({ exitCode: 0, stdout: 'hello from inside\n' });
    });

    test('are filtered by the API', async () => {
      const appId = await createApp('chatty');
      await berth('deploy', 'chatty');
      await write(await latestOf(appId), 'one apple', 'one pear');
      expect(await berth('logs', 'chatty', '--build', '--search', 'PEAR')).toMatchObject({
        stdout: 'one pear\n',
      });
      expect(await berth('logs', 'chatty', '--build', '--level', 'loud')).toMatchObject({ exitCode: 5 });
    });
  });

  test('tells in one sentence that nothing listens, and ends with 4', async () => {
    const [port] = await freePorts(1);
    const down = { BERTH_URL: `http://127.0.0.1:${port}`, BERTH_TOKEN: 'x' };
    expect(await runBerth(['apps'], { environment: down })).toEqual({
      exitCode: 4,
      stdout: '',
      stderr: `berth: The API at ${down.BERTH_URL} cannot be reached: nothing listens there.\n`,
    });
  });

  test.each([
    ['an unknown command', ['launch']],
    ['an unknown option', ['apps', '--colour']],
    ['a missing argument', ['cancel']],
    ['one too many', ['status', 'now']],
    ['no number', ['deployments', '--limit', 'many']],
    ['nothing', []],
  ])('ends with 2 for %s', async (_name, args) => {
    const { exitCode, stdout, stderr } = await berth(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^(berth: |Usage: )/);
  });
});

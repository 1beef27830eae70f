import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CheckoutLab, checkoutRequest, type LabOptions } from '../../test/support/checkout-lab.ts';
import { createGitRepository, type GitRepository } from '../../test/support/git-repository.ts';
import { watchProcesses } from '../../test/support/process-watch.ts';
import { type SshGitServer, startSshGitServer } from '../../test/support/ssh-git-server.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { newDeployKey } from '../deploykeys/deploy-key.ts';
import type { CheckoutRequest } from '../engine/ports.ts';
import { writeCredentialFiles } from './credential-files.ts';

// Longer than a checkout may take.
jest.setTimeout(90_000);

/** Never asked by HTTP: with a deploy key the same host and path are asked by ssh. */
const HTTP_HOST = '127.0.0.1:9';

let repository: GitRepository;
let server: SshGitServer;
let lab: CheckoutLab;
const key = newDeployKey('berth-shop');

beforeAll(async () => {
  repository = await createGitRepository({ 'index.html': 'private' });
  server = await startSshGitServer({ folder: repository.folder, publicKey: key.publicKey });
});
afterAll(async () => {
  await server?.close();
  await repository?.remove();
});
beforeEach(() => {
  lab = new CheckoutLab({ privateHosts: [HTTP_HOST], sshPort: server.port });
});
afterEach(() => expect(lab.close()).toEqual([]));

function checkOut(changes: Partial<CheckoutRequest> = {}, options: LabOptions = {}) {
  const repoUrl = `http://${HTTP_HOST}/${repository.name}`;
  const credential = { kind: 'ssh_key', privateKey: key.privateKey } as const;
  return lab.checkout(checkoutRequest({ repoUrl, credential, ...changes }), options);
}

describe('with a deploy key', () => {
  test('a repository is fetched by ssh, whatever the branch and the commit', async () => {
    const asked = await repository.commit({ version: '1' }, 'Asked for', 'moving');
    await repository.commit({ version: '2' }, 'Later', 'moving');
    const { directory } = await checkOut();
    expect(readFileSync(join(directory, 'index.html'), 'utf8')).toBe('private');
    expect(await checkOut({ branch: 'moving', commitSha: asked })).toMatchObject({ commitSha: asked });
    expect(await checkOut({ branch: null })).toMatchObject({ branch: 'main' });
    expect(server.commands.every((command) => command === `git-upload-pack '/${repository.name}'`)).toBe(
      true,
    );
    expect(readdirSync(lab.workDir).toSorted()).toEqual(['.known_hosts', 'abcdefghij-1']);
  });

  test('the key of a host that nobody has published is believed once, and then kept', async () => {
    await checkOut();
    const kept = join(lab.workDir, '.known_hosts');
    expect(readFileSync(kept, 'utf8')).toMatch(/^127\.0\.0\.1 ssh-rsa /);
    await checkOut();
    writeFileSync(kept, readFileSync(kept, 'utf8').replace(/.{20}\n$/, `${'A'.repeat(20)}\n`));
    await expect(checkOut()).rejects.toMatchObject({
      code: 'clone_failed',
      message: '127.0.0.1 shows another host key than the one that is known here.',
    });
  });
});

describe('F46: it fails with its code, and leaves nothing', () => {
  afterEach(() => expect(readdirSync(lab.workDir).filter((name) => name !== '.known_hosts')).toEqual([]));

  test('clone_unauthorized: the host does not know the key', async () => {
    const { privateKey } = newDeployKey('another');
    await expect(checkOut({ credential: { kind: 'ssh_key', privateKey } })).rejects.toMatchObject({
      code: 'clone_unauthorized',
      message: expect.stringContaining('add its public half there'),
    });
  });

  test('clone_unauthorized: the key is of another repository', async () => {
    await expect(checkOut({ repoUrl: `http://${HTTP_HOST}/other.git` })).rejects.toMatchObject({
      code: 'clone_unauthorized',
      message: expect.stringContaining("to the app's deploy key"),
    });
  });

  test('git_host_unavailable: nobody is there', async () => {
    await expect(checkOut({}, { sshPort: 9 })).rejects.toMatchObject({ code: 'git_host_unavailable' });
  });

  test('branch_not_found', async () => {
    await expect(checkOut({ branch: 'nowhere' })).rejects.toMatchObject({ code: 'branch_not_found' });
  });

  test('an abort ends ssh, too', async () => {
    const stalling = await startSshGitServer({ folder: repository.folder, publicKey: key.publicKey });
    stalling.stall();
    try {
      const cancel = new AbortController();
      const checkout = checkOut({}, { signal: cancel.signal, sshPort: stalling.port }).catch(
        (error: unknown) => error,
      );
      await waitUntil('Git to ask', () => stalling.commands.length > 0);
      cancel.abort(new Error('stop'));
      expect(await checkout).toMatchObject({ message: 'stop' });
    } finally {
      await stalling.close();
    }
  });
});

describe('T09: the key', () => {
  test('is in no argument and no environment, and gone after the clone', async () => {
    const secret = key.privateKey.reveal().split('\n')[3] ?? '';
    expect(secret.length).toBeGreaterThan(60);
    const watch = watchProcesses(secret);
    try {
      for (let attempt = 1; attempt <= 3; attempt += 1) await checkOut({ attempt });
    } finally {
      watch.stop();
    }
    expect([...watch.seen].filter((line) => / ssh -F /.test(line)).length).toBeGreaterThan(0);
    expect(watch.hits).toEqual([]);
    const names = readdirSync(lab.workDir, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const texts = names.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
    expect(texts.filter((text) => text.includes(secret))).toEqual([]);
  });

  test('lies in files that only we may read; well-known hosts must show the keys they have published', async () => {
    const source = {
      url: 'ssh://git@github.com/ada/shop',
      webUrl: 'https://github.com/ada/shop',
      protocol: 'ssh',
      host: 'github.com',
      isPrivate: false,
      branch: null,
      commitSha: null,
    } as const;
    const config = await writeCredentialFiles(
      { kind: 'ssh_key', privateKey: key.privateKey },
      {
        folder: lab.workDir,
        workTree: join(lab.workDir, 'x'),
        knownHosts: '/nowhere',
        source,
        address: '140.82.121.3',
      },
    );
    expect(config).toEqual({
      gitConfig: join(lab.workDir, 'gitconfig'),
      sshConfig: join(lab.workDir, 'ssh_config'),
    });
    expect(readdirSync(lab.workDir).toSorted()).toEqual(['gitconfig', 'key', 'known_hosts', 'ssh_config']);
    for (const name of readdirSync(lab.workDir))
      expect(statSync(join(lab.workDir, name)).mode & 0o777).toBe(0o600);
    const ssh = readFileSync(join(lab.workDir, 'ssh_config'), 'utf8');
    for (const line of ['StrictHostKeyChecking yes', 'HostName 140.82.121.3', 'HostKeyAlias github.com']) {
      expect(ssh).toContain(`${line}\n`);
    }
    expect(readFileSync(join(lab.workDir, 'known_hosts'), 'utf8')).toMatch(
      /^github\.com ssh-ed25519 \S{68}\n$/,
    );
  });
});

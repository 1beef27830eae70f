import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type * as Ssh2 from 'ssh2';

/** It comes with dockerode, as CommonJS. */
const { Server, utils } = createRequire(import.meta.url)('ssh2') as typeof Ssh2;

export interface SshGitServer {
  readonly port: number;
  /** Commands that clients asked for, such as `git-upload-pack '/app.git'`. */
  readonly commands: string[];
  /** From now on connections are taken, and nobody answers on them. */
  stall(): void;
  close(): Promise<void>;
}

/**
 * Serves the bare repositories of a folder by ssh on loopback, as a Git host does: to whoever shows the key, and for
 * fetching only. A repository that is not there is named in GitHub's words.
 */
export async function startSshGitServer(options: {
  folder: string;
  /** One line of OpenSSH. */
  publicKey: string;
  /** What other commands than Git's own write; null: there is no such repository. */
  answerTo?: (command: string) => string | null;
}): Promise<SshGitServer> {
  const allowed = utils.parseKey(options.publicKey);
  if (allowed instanceof Error) throw allowed;
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const commands: string[] = [];
  const clients = new Set<Ssh2.Connection>();
  let isStalling = false;

  const server = new Server({ hostKeys: [privateKey] }, (client) => {
    clients.add(client);
    client.on('error', () => undefined).on('close', () => clients.delete(client));
    client.on('authentication', (attempt) => {
      const isKey = attempt.method === 'publickey' && allowed.getPublicSSH().equals(attempt.key.data);
      if (attempt.username === 'git' && isKey) attempt.accept();
      else attempt.reject(['publickey']);
    });
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        commands.push(command);
        if (isStalling) return;
        const channel = acceptExec();
        const answer = options.answerTo?.(command) ?? null;
        if (answer === null) {
          run(channel, options.folder, command);
        } else {
          channel.write(answer);
          channel.exit(0);
          channel.end();
        }
      });
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()));
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    stall: () => {
      isStalling = true;
    },
    async close() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      for (const client of clients) client.end();
      await closed;
    },
  };
}

function run(channel: Ssh2.ServerChannel, folder: string, command: string): void {
  const [, name] = /^git-upload-pack '\/?([\w-]+\.git)'$/.exec(command) ?? [];
  const end = (code: number) => {
    channel.exit(code);
    channel.end();
  };
  if (name === undefined) {
    channel.stderr.write('ERROR: Repository not found.\n');
    end(1);
    return;
  }
  const git = spawn('git', ['upload-pack', '--strict', `${folder}/${name}`], {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  channel.on('error', () => git.kill()).on('close', () => git.kill());
  git.stdin.on('error', () => undefined);
  channel.pipe(git.stdin);
  git.stdout.pipe(channel, { end: false });
  git.on('close', (code) => {
    if (code === 128) channel.stderr.write('ERROR: Repository not found.\n');
    end(code ?? 1);
  });
}

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { askHost } from './ask-host.ts';
import type { Attempt } from './attempt.ts';
import type { ClonedRepository } from './clone-repository.ts';
import { basicAuthorization } from './credential-files.ts';
import type { LfsPointer } from './lfs-pointer.ts';
import { plainText } from './plain-text.ts';

const MEDIA_TYPE = 'application/vnd.git-lfs+json';
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const MAX_REDIRECTS = 3;

const headers = z.record(
  z.string().regex(/^[A-Za-z0-9-]{1,100}$/),
  z.string().regex(/^[\t\x20-\x7e]{0,8192}$/),
);
const actionSchema = z.object({ href: z.string(), header: headers.optional() });
const batchSchema = z.object({
  transfer: z.string().optional(),
  objects: z.array(
    z.object({
      oid: z.string(),
      actions: z.object({ download: actionSchema.optional() }).optional(),
      error: z.object({ code: z.number(), message: z.string() }).optional(),
    }),
  ),
});
type Action = z.output<typeof actionSchema>;

/** Where the LFS server of a repository is asked, and what it is shown. */
export interface LfsEndpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What `.lfsconfig` says counts for nothing: the server is the one that goes with the repository. */
export async function lfsEndpoint(cloned: ClonedRepository, signal: AbortSignal): Promise<LfsEndpoint> {
  const { source, credential } = cloned;
  if (credential.kind === 'ssh_key') return await askBySsh(cloned, signal);
  const url = `${source.webUrl.replace(/\.git$/, '')}.git/info/lfs`;
  const isShown = credential.kind === 'token' && new URL(url).origin === credential.origin;
  return { url, headers: isShown ? { Authorization: basicAuthorization(credential) } : {} };
}

/** Where each can be had. @throws DeploymentFailed lfs_failed, clone_unauthorized, … */
export async function askForFiles(
  attempt: Attempt,
  endpoint: LfsEndpoint,
  pointers: readonly LfsPointer[],
): Promise<Map<string, Action>> {
  const { host } = new URL(endpoint.url);
  const answer = await askHost(attempt, {
    url: `${endpoint.url}/objects/batch`,
    headers: { ...endpoint.headers, Accept: MEDIA_TYPE, 'Content-Type': MEDIA_TYPE },
    body: JSON.stringify({
      operation: 'download',
      transfers: ['basic'],
      hash_algo: 'sha256',
      objects: pointers.map(({ oid, size }) => ({ oid, size })),
    }),
  });
  if (answer.statusCode !== 200) throw explainStatus(answer, host);
  const read = batchSchema.safeParse(await readJson(answer, host));
  if (!read.success || (read.data.transfer ?? 'basic') !== 'basic') {
    throw lfsFailed(`${host} answers in a way that is not LFS.`);
  }
  const actions = new Map<string, Action>();
  for (const { oid, actions: found, error } of read.data.objects) {
    if (found?.download) actions.set(oid, found.download);
    else if (error) throw lfsFailed(`${host} does not give an LFS file: ${plainText(error.message, 200)}`);
  }
  return actions;
}

/** Brings one file to `path`, whole and right, or not at all. */
export async function downloadFile(
  attempt: Attempt,
  {
    endpoint,
    action,
    pointer,
    path,
  }: { endpoint: LfsEndpoint; action: Action; pointer: LfsPointer; path: string },
): Promise<void> {
  // Our own credential goes to its own origin alone; what the server gave for this file, to the address it gave.
  const isOwn = URL.canParse(action.href) && new URL(action.href).origin === new URL(endpoint.url).origin;
  const answer = await followRedirects(attempt, action.href, {
    ...(isOwn ? endpoint.headers : {}),
    ...action.header,
  });
  const { host } = new URL(action.href);
  if (answer.statusCode !== 200) throw explainStatus(answer, host);
  const part = `${path}.part`;
  try {
    const oid = await store(answer, part, pointer, host);
    if (oid !== pointer.oid) throw lfsFailed(`${host} gives another file than the one that was asked for.`);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    attempt.limits.signal.throwIfAborted();
    if (error instanceof DeploymentFailed) throw error;
    throw new DeploymentFailed('git_host_unavailable', `${host} broke the connection.`, { cause: error });
  }
}

/** Files may lie in a store beside the Git host; each address passes the same rules, and is shown nothing of ours. */
async function followRedirects(
  attempt: Attempt,
  href: string,
  shown: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
  let answer = await askHost(attempt, { url: href, headers: shown });
  for (let count = 0; count < MAX_REDIRECTS; count += 1) {
    const to = answer.headers.location;
    if (![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) || to === undefined) break;
    answer.destroy();
    answer = await askHost(attempt, {
      url: URL.canParse(to, href) ? new URL(to, href).href : to,
      headers: {},
    });
  }
  return answer;
}

/** @returns the SHA-256 of what came */
async function store(
  answer: IncomingMessage,
  path: string,
  { size }: LfsPointer,
  host: string,
): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(
    answer,
    async function* count(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > size) throw lfsFailed(`${host} gives a larger file than the one that was asked for.`);
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path, { flags: 'wx', mode: 0o600 }),
  );
  return hash.digest('hex');
}

async function readJson(answer: IncomingMessage, host: string): Promise<unknown> {
  let text = '';
  for await (const chunk of answer) {
    text += String(chunk);
    if (text.length > MAX_ANSWER_BYTES) throw lfsFailed(`${host} answers without end.`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function explainStatus(answer: IncomingMessage, host: string): DeploymentFailed {
  const status = answer.statusCode ?? 0;
  answer.destroy();
  if (status === 401 || status === 403) {
    return new DeploymentFailed(
      'clone_unauthorized',
      `${host} does not show the LFS files to this platform.`,
    );
  }
  if (status === 429 || status >= 500) {
    return new DeploymentFailed('git_host_unavailable', `${host} does not give LFS files now (${status}).`);
  }
  if (status >= 300 && status < 400) {
    return new DeploymentFailed('repository_moved', `${host} redirects LFS to another address.`);
  }
  return lfsFailed(`${host} does not have the LFS files of this repository (${status}).`);
}

/** As git-lfs does it: whoever may fetch by ssh is told there what to show by HTTP. */
async function askBySsh(
  { source, sshConfig, workTree }: ClonedRepository,
  signal: AbortSignal,
): Promise<LfsEndpoint> {
  const { hostname, port, pathname } = new URL(source.url);
  const command = `git-lfs-authenticate ${pathname.slice(1)} download`;
  const told = await new Promise<string>((resolve, reject) => {
    execFile(
      'ssh',
      // The far side gives this to a shell; the path is of the characters that a repository URL may have.
      ['-F', sshConfig ?? '/dev/null', '-p', port || '22', '--', hostname, command],
      { cwd: workTree, signal, maxBuffer: MAX_ANSWER_BYTES, env: { PATH: '/usr/local/bin:/usr/bin:/bin' } },
      (error, stdout) => (error ? reject(error) : resolve(stdout)),
    );
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    const reason = `${source.host} does not give LFS files to the app's deploy key.`;
    throw new DeploymentFailed('lfs_failed', reason, { cause });
  });
  const read = actionSchema.safeParse(parseJson(told));
  if (!read.success || !URL.canParse(read.data.href)) {
    throw lfsFailed(`${source.host} answers in a way that is not LFS.`);
  }
  return { url: read.data.href.replace(/\/+$/, ''), headers: read.data.header ?? {} };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function lfsFailed(reason: string): DeploymentFailed {
  return new DeploymentFailed('lfs_failed', reason);
}

import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { readCgiHead } from './cgi-head.ts';

export interface GitHttpServerOptions {
  /** Holds the bare repositories, `name.git` each. */
  readonly folder: string;
  /** Default: any free one. */
  readonly port?: number;
  /** False: branches only, in Git's first protocol, as old servers do. Default true: any commit, also shallow. */
  readonly servesCommits?: boolean;
}

export interface GitHttpServer {
  readonly port: number;
  /** `127.0.0.1:port`, as GIT_PRIVATE_HOSTS takes it. */
  readonly host: string;
  url(name: string): string;
  close(): Promise<void>;
}

const ADDRESS = '127.0.0.1';
const REQUEST = /^\/([A-Za-z0-9][A-Za-z0-9_-]{0,99}\.git)\/(info\/refs|git-upload-pack)(?:\?(.*))?$/;

/**
 * Serves the bare repositories of one folder over HTTP on loopback, read-only: Git's smart protocol through
 * `git http-backend`, a CGI program (gitprotocol-http(5), RFC 3875). Nothing but fetching is passed on to it.
 */
export async function startGitHttpServer(options: GitHttpServerOptions): Promise<GitHttpServer> {
  const children = new Set<ChildProcess>();
  const server = createServer((request, response) => {
    const query = readRequest(request);
    if (!query) {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Only fetching is served here.\n');
      return;
    }
    const child = spawn('git', ['http-backend'], {
      env: cgiEnvironment(options, request, query),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    children.add(child);
    child.on('close', () => children.delete(child));
    child.on('error', () => response.destroy());
    answer(request, response, child).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, ADDRESS, resolve);
  });

  const { port } = server.address() as AddressInfo;
  return {
    port,
    host: `${ADDRESS}:${port}`,
    url: (name) => `http://${ADDRESS}:${port}/${name}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      for (const child of children) child.kill();
      await closed;
    },
  };
}

interface FetchRequest {
  readonly path: string;
  readonly query: string;
}

/** Null: not one of the two requests that fetching consists of. */
function readRequest(request: IncomingMessage): FetchRequest | null {
  const [, name, action, query = ''] = REQUEST.exec(request.url ?? '') ?? [];
  const isDiscovery =
    request.method === 'GET' && action === 'info/refs' && query === 'service=git-upload-pack';
  const isFetch = request.method === 'POST' && action === 'git-upload-pack' && query === '';
  return isDiscovery || isFetch ? { path: `/${name}/${action}`, query } : null;
}

function cgiEnvironment(
  { folder, servesCommits = true }: GitHttpServerOptions,
  request: IncomingMessage,
  { path, query }: FetchRequest,
): Record<string, string> {
  const header = (name: string) => String(request.headers[name] ?? '');
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_PROTOCOL: 'HTTP/1.1',
    REQUEST_METHOD: request.method ?? '',
    PATH_INFO: path,
    QUERY_STRING: query,
    CONTENT_TYPE: header('content-type'),
    REMOTE_ADDR: ADDRESS,
    // Without a length (a chunked body) http-backend reads to the end; an empty length would mean zero.
    ...(request.headers['content-length'] ? { CONTENT_LENGTH: header('content-length') } : {}),
    HTTP_CONTENT_ENCODING: header('content-encoding'),
    GIT_PROJECT_ROOT: folder,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_CONFIG_NOSYSTEM: '1',
    // In protocol 2 any commit may be asked for, whatever the settings say.
    ...(servesCommits ? { GIT_PROTOCOL: header('git-protocol') } : {}),
    ...gitSettings({
      'uploadpack.allowAnySHA1InWant': String(servesCommits),
      'uploadpack.allowFilter': 'true',
      'http.receivepack': 'false',
      // The folder may belong to another user than the one who serves it.
      'safe.directory': '*',
    }),
  };
}

function gitSettings(settings: Record<string, string>): Record<string, string> {
  const entries = Object.entries(settings).flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(Object.keys(settings).length), ...Object.fromEntries(entries) };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  child: ChildProcess,
): Promise<void> {
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('git http-backend has no pipes');
  response.on('close', () => child.kill());
  // Git may answer, and end, before it has read the whole request.
  const sent = pipeline(request, stdin).catch(() => undefined);
  const head = await readCgiHead(stdout);
  response.writeHead(head.status, head.headers);
  response.write(head.rest);
  await pipeline(stdout, response);
  await sent;
}

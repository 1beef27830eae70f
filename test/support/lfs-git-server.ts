import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveGit } from './git-repository.ts';

export interface LfsGitServer {
  /** `127.0.0.1:port`, for GIT_PRIVATE_HOSTS. */
  readonly host: string;
  url(name: string): string;
  /** Keeps the bytes, and returns the pointer that stands for them in a repository. */
  put(bytes: Buffer): string;
  /** Method, path and authorization of each request that was not Git's. */
  readonly requests: { method: string; path: string; authorization: string | undefined }[];
  /** Asked first; true: it has answered. */
  interfere: (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;
  /** What the batch answer names for a file; null: its own address. */
  hrefOf: (oid: string) => { href: string; header?: Record<string, string> } | null;
  close(): Promise<void>;
}

/** Git over HTTP with the LFS server that goes with it: the batch API, and the files by plain GET. */
export async function startLfsGitServer(folder: string): Promise<LfsGitServer> {
  const git = await serveGit(folder);
  const files = new Map<string, Buffer>();
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '';
    if (!/\/info\/lfs\/|^\/files\//.test(path)) return pass(git.port, incoming, outgoing);
    const { authorization } = incoming.headers;
    lfs.requests.push({ method: incoming.method ?? '', path, authorization });
    if (lfs.interfere(incoming, outgoing)) return;
    if (path.startsWith('/files/')) {
      const bytes = files.get(path.slice(7));
      outgoing.writeHead(bytes ? 200 : 404).end(bytes);
      return;
    }
    void answerBatch(incoming, outgoing);
  });
  const answerBatch = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    let text = '';
    for await (const chunk of incoming) text += String(chunk);
    const { objects } = JSON.parse(text) as { objects: { oid: string; size: number }[] };
    const found = objects.map(({ oid, size }) =>
      files.has(oid)
        ? { oid, size, actions: { download: lfs.hrefOf(oid) ?? { href: `${origin}/files/${oid}` } } }
        : { oid, size, error: { code: 404, message: 'Object does not exist' } },
    );
    outgoing
      .writeHead(200, { 'Content-Type': 'application/vnd.git-lfs+json' })
      .end(JSON.stringify({ transfer: 'basic', objects: found }));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const origin = `http://${host}`;
  const lfs: LfsGitServer = {
    host,
    url: (name) => `${origin}/${name}`,
    put: (bytes) => {
      const oid = createHash('sha256').update(bytes).digest('hex');
      files.set(oid, bytes);
      return `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${bytes.length}\n`;
    },
    requests: [],
    interfere: () => false,
    hrefOf: () => null,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await git.close();
    },
  };
  return lfs;
}

function pass(port: number, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, url, headers } = incoming;
  const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  incoming.pipe(onward);
}

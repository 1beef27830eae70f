import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

export type RegistryAnswer = 'well' | 'unavailable' | 'too_many_requests' | 'not_found' | 'forbidden' | 'cut';

/** A registry on loopback with one image of an empty layer, which answers as it is told. */
export interface FaultyRegistry {
  /** `127.0.0.1:port/name:tag` of its image. */
  readonly image: string;
  /** How often a manifest was asked for. */
  readonly manifestsAsked: number;
  /** The next so many answers to a manifest are of that kind, all others as they would be. */
  answer(kind: RegistryAnswer, times?: number): void;
  close(): Promise<void>;
}

export async function startFaultyRegistry(): Promise<FaultyRegistry> {
  const layer = gzipSync(Buffer.alloc(1024));
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [digest(Buffer.alloc(1024))] },
      // Another image for each registry, so that no daemon has it.
      created: new Date().toISOString(),
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        size: config.length,
        digest: digest(config),
      },
      layers: [
        {
          mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
          size: layer.length,
          digest: digest(layer),
        },
      ],
    }),
  );
  const blobs = new Map([layer, config].map((blob) => [digest(blob), blob]));
  let asked = 0;
  let kind: RegistryAnswer = 'well';
  let times = 0;
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const send = (status: number, body: Buffer | string, type = 'application/json') => {
      const headers = { 'Content-Type': type, 'Docker-Content-Digest': digest(Buffer.from(body)) };
      response
        .writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) })
        .end(request.method === 'HEAD' ? undefined : body);
    };
    const blob = blobs.get(path.split('/blobs/')[1] ?? '');
    if (blob !== undefined) return send(200, blob, 'application/octet-stream');
    if (!path.includes('/manifests/')) return send(200, '{}');
    asked += 1;
    const now = times > 0 ? kind : 'well';
    times -= 1;
    if (now === 'cut') return request.socket.destroy();
    if (now === 'well') return send(200, manifest, MANIFEST);
    const [status, code] = ANSWERS[now];
    send(status, JSON.stringify({ errors: [{ code, message: `told to be ${now}` }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    image: `127.0.0.1:${port}/berth-test/base:1`,
    get manifestsAsked() {
      return asked;
    },
    answer(next, count = Number.POSITIVE_INFINITY) {
      [kind, times, asked] = [next, count, 0];
    },
    close: () => end(server),
  };
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const ANSWERS = {
  unavailable: [503, 'UNAVAILABLE'],
  too_many_requests: [429, 'TOOMANYREQUESTS'],
  not_found: [404, 'MANIFEST_UNKNOWN'],
  forbidden: [403, 'DENIED'],
} as const;

function digest(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function end(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

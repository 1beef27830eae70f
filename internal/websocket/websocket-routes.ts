import type { Request, Response } from 'express';
import { type WebSocket, WebSocketServer } from 'ws';
import { AppError } from '../errors/app-error.ts';
import { type Caller, type Operation, op, STREAMED } from '../openapi/operation.ts';
import { requireOwnOrigin } from './allowed-origin.ts';
import { LogSocket, type LogSocketNeeds } from './log-socket.ts';
import { SOCKET_LIMITS, type SocketLimits } from './socket-limits.ts';

export interface WebSocketRouteNeeds extends LogSocketNeeds {
  /** Asked again while a socket is open. @throws AppError unauthorized */
  readonly authenticate: (request: Request) => Promise<Caller>;
  /** Of pages that may open one. */
  readonly origins: readonly string[];
  readonly limits?: Partial<SocketLimits>;
}

const PROTOCOL =
  'Opened as a WebSocket (RFC 6455). Send `{"type":"subscribe","deployment_id":"…","after":0}`, or `app_id` in the ' +
  'place of `deployment_id`; `unsubscribe` ends it. What comes are the events of `…/logs/stream`, each as ' +
  '`{"type":"line","deployment_id":"…","id":7,"data":{…}}`, with the types `line`, `status` and `end`. After a cut, ' +
  'subscribe with the last `id` as `after`. All messages, limits and close codes: docs/api-websocket.md.';

/** The live logs of several deployments and apps over one connection. */
export function webSocketRoutes(needs: WebSocketRouteNeeds): Operation[] {
  const limits = { ...SOCKET_LIMITS, ...needs.limits };
  // Compression would cost each socket a quarter of a megabyte, and lets secrets be guessed by sizes.
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: limits.messageBytes,
  });

  return [
    op({
      method: 'get',
      path: '/ws',
      id: 'openSocket',
      tag: 'logs',
      summary: 'Follow logs over a WebSocket',
      description: PROTOCOL,
      auth: 'token',
      errors: ['upgrade_required', 'csrf_refused', 'rate_limited'],
      responses: { 101: { description: 'The WebSocket' } },
      async handler(_input, { caller, request, response }) {
        if (request.get('upgrade')?.toLowerCase() !== 'websocket' || request.method !== 'GET') {
          response.set('Upgrade', 'websocket');
          throw new AppError('upgrade_required', 'Open this address as a WebSocket.');
        }
        requireOwnOrigin(request.get('origin'), caller.via, needs.origins);
        const release = needs.holdStream(caller);
        const whose = () => needs.authenticate(request);
        takeOver(server, { request, response, release }, (socket) => {
          new LogSocket(socket, whose, { ...needs, limits });
        });
        return STREAMED;
      },
    }),
  ];
}

/** From here on the connection is a WebSocket's and no longer HTTP's. `release` is called when it is gone. */
function takeOver(
  server: WebSocketServer,
  { request, response, release }: { request: Request; response: Response; release: () => void },
  opened: (socket: WebSocket) => void,
): void {
  const { socket } = response;
  if (socket === null || socket.destroyed) {
    release();
    return;
  }
  socket.once('close', release);
  response.detachSocket(socket);
  // What the client sent right behind its request is back in the socket: see http/upgrade-requests.ts.
  server.handleUpgrade(request, socket, Buffer.alloc(0), opened);
}

import { type IncomingMessage, type RequestListener, type Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Leads requests for a WebSocket through the same handler as every other request, so that authentication, origin,
 * limits and errors are the same; who takes the socket over finds it in the response. Requests for any other protocol
 * (`h2c`, which some clients offer each time) are answered as if they had not asked (RFC 9110, 7.8).
 * Returns the sockets that are open, since the server no longer knows them.
 */
export function passUpgrades(server: Server, handler: RequestListener): ReadonlySet<Duplex> {
  const open = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!isWebSocket(request)) return answerAsPlain(server, { request, socket, head });
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    // Until someone takes the socket over, a connection that breaks would end the process.
    socket.on('error', () => undefined);
    if (head.length > 0) socket.unshift(head);
    handler(request, responseOver(request, socket));
  });
  return open;
}

function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/** For an answer that is no WebSocket: the connection ends with it, as nobody reads requests from it any more. */
function responseOver(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Parameters<typeof response.assignSocket>[0]);
  response.once('finish', () => socket.end());
  return response;
}

const ABOUT_THE_CONNECTION = new Set(['connection', 'upgrade', 'http2-settings']);

/** Node has taken its parser away; the request is put back without its wish, for a new one to read. */
function answerAsPlain(
  server: Server,
  { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
): void {
  const { method = 'GET', url = '/', httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (!ABOUT_THE_CONNECTION.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  const text = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  socket.unshift(Buffer.concat([text, head]));
  server.emit('connection', socket);
}

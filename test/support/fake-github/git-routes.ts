import { request as httpRequest } from 'node:http';
import { type Request, type Response, Router } from 'express';
import type { GitHttpServer } from '../../../internal/host/git-http-server.ts';
import { maySee } from './may-do.ts';
import { type Actor, fullName, type World } from './world.ts';

/**
 * Fetching over HTTP as GitHub serves it: a private repository asks for a login (401), refuses a token it does not know
 * (401), and is not there for one that may not see it (404). The repositories themselves come from Git's own server.
 */
export function gitRoutes(world: World, server: GitHttpServer): Router {
  const router = Router();
  router.all(/^\/([\w.-]+)\/([\w.-]+?)(?:\.git)?\/(info\/refs|git-upload-pack)$/, (request, response) => {
    const [owner = '', name = '', action = ''] = Object.values(request.params).map(String);
    const actor = basicActor(world, request.get('authorization'));
    if (actor === null) {
      askForLogin(response, 'Invalid username or token.');
      return;
    }
    const moved = world.formerNames.get(`${owner}/${name}`.toLowerCase());
    if (moved && maySee(world, actor, moved)) {
      const query = request.originalUrl.split('?')[1];
      response.redirect(301, `/${fullName(moved)}.git/${action}${query === undefined ? '' : `?${query}`}`);
      return;
    }
    const repository = world.repository(owner, name);
    if (repository && maySee(world, actor, repository)) {
      passOn({ request, response }, server, `/${repository.git.name}/${action}`);
    } else if (actor.kind === 'nobody') askForLogin(response, 'Repository not found.');
    else response.status(404).type('text/plain').send('Repository not found.');
  });
  return router;
}

/** Null: the token is not known. */
function basicActor(world: World, authorization: string | undefined): Actor | null {
  if (authorization === undefined) return { kind: 'nobody' };
  const [scheme = '', encoded = ''] = authorization.split(' ');
  const [, password = ''] = Buffer.from(encoded, 'base64').toString().split(':');
  return (scheme.toLowerCase() === 'basic' && world.tokens.get(password)) || null;
}

function askForLogin(response: Response, text: string): void {
  response.status(401).set('WWW-Authenticate', 'Basic realm="GitHub"').type('text/plain').send(text);
}

function passOn(
  { request, response }: { request: Request; response: Response },
  server: GitHttpServer,
  path: string,
): void {
  const query = request.originalUrl.split('?')[1];
  const { authorization: _, ...headers } = request.headers;
  const upstream = httpRequest(
    {
      host: '127.0.0.1',
      port: server.port,
      path: query === undefined ? path : `${path}?${query}`,
      method: request.method,
      headers,
    },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  upstream.on('error', () => response.destroy());
  response.on('close', () => upstream.destroy());
  request.pipe(upstream);
}

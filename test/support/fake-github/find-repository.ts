import type { Response } from 'express';
import { notForApp, notFound, Refusal } from './answers.ts';
import { maySee, mayWrite } from './may-do.ts';
import type { Addresses } from './shapes.ts';
import { actorOf } from './who-asks.ts';
import { fullName, type Repository, type World } from './world.ts';

export interface RepositoryRequest {
  readonly params: { readonly owner: string; readonly name: string };
  readonly originalUrl: string;
}

/** What an installation, or a token with scopes, needs to write. */
export type Permission = Parameters<typeof mayWrite>[2];

/** Finds the repository of a path for whoever asks: 404 when it is not there for them, 301 when it was renamed. */
export function repositoryFinder(world: World, at: Addresses) {
  const toRead = (request: RepositoryRequest, response: Response): Repository => {
    const { owner, name } = request.params;
    const moved = world.formerNames.get(`${owner}/${name}`.toLowerCase());
    if (moved && maySee(world, actorOf(response), moved)) {
      const rest = request.originalUrl.split(`/repos/${owner}/${name}`)[1] ?? '';
      const url = `${at.apiUrl}/repos/${fullName(moved)}${rest}`;
      throw new Refusal(301, 'Moved Permanently', { body: { url }, headers: { Location: url } });
    }
    const repository = world.repository(owner, name);
    if (!repository || !maySee(world, actorOf(response), repository)) throw notFound();
    return repository;
  };
  const toWrite = (request: RepositoryRequest, response: Response, by: Permission): Repository => {
    const repository = toRead(request, response);
    if (mayWrite(actorOf(response), repository, by)) return repository;
    throw actorOf(response).kind === 'installation' ? notForApp() : notFound();
  };
  return { toRead, toWrite };
}

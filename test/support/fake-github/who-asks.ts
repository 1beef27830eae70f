import { createVerify } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { badCredentials, needsAuthentication, notForApp, Refusal, suspended } from './answers.ts';
import type { Account, Actor, Installation, World } from './world.ts';

/** Reads `Authorization` before every call of the API; an unknown token is refused, none at all is nobody. */
export function whoAsks(world: World) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const actor = readActor(world, request.get('authorization'));
    if (actor.kind === 'user') response.set('X-OAuth-Scopes', (actor.scopes ?? []).join(', '));
    response.set({ 'X-RateLimit-Limit': '5000', 'X-RateLimit-Remaining': '4999' });
    response.locals['actor'] = actor;
    next();
  };
}

export const actorOf = (response: Response) => response.locals['actor'] as Actor;

export function userOf(response: Response): { user: Account; scopes: readonly string[] | null } {
  const actor = actorOf(response);
  if (actor.kind === 'user') return actor;
  throw actor.kind === 'nobody' ? needsAuthentication() : notForApp();
}

export function installationOf(response: Response): Extract<Actor, { kind: 'installation' }> {
  const actor = actorOf(response);
  if (actor.kind !== 'installation') throw badCredentials();
  return actor;
}

/** The installation of that number, of which only the App itself may ask. */
export function installationForApp(world: World, response: Response, id: string): Installation {
  requireApp(response);
  const installation = world.installations.find((one) => String(one.id) === id);
  if (!installation) throw new Refusal(404, 'Not Found');
  return installation;
}

export function requireApp(response: Response): void {
  if (actorOf(response).kind !== 'app') throw new Refusal(401, 'A JSON web token could not be decoded');
}

function readActor(world: World, authorization: string | undefined): Actor {
  const [scheme = '', credential = ''] = (authorization ?? '').split(' ');
  if (credential === '') return { kind: 'nobody' };
  if (!/^(?:token|bearer)$/i.test(scheme)) throw badCredentials();
  if (credential.split('.').length === 3) {
    requireValidJwt(credential, world);
    return { kind: 'app' };
  }
  const actor = world.tokens.get(credential);
  if (!actor) throw badCredentials();
  if (actor.kind === 'installation' && actor.installation.suspendedAt !== null) throw suspended();
  return actor;
}

/** It is the App's, signed with its key, and valid now. */
function requireValidJwt(token: string, world: World): void {
  const [head = '', body = '', signature = ''] = token.split('.');
  const verify = createVerify('RSA-SHA256').update(`${head}.${body}`);
  const isSigned = verify.verify(world.app.publicKey, Buffer.from(signature, 'base64url'));
  if (!isSigned || part(head)['alg'] !== 'RS256')
    throw new Refusal(401, 'A JSON web token could not be decoded');
  const { iss, iat, exp } = part(body);
  const now = Date.now() / 1000;
  if (String(iss) !== String(world.app.id))
    throw new Refusal(401, "'Issuer' claim ('iss') must be an Integer");
  if (!(Number(iat) <= now)) {
    throw new Refusal(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  }
  if (!(Number(exp) > now && Number(exp) - now <= 600)) {
    throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future");
  }
}

function part(text: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>;
}

import { z } from 'zod';
import type { Secret } from '../secrets/secret.ts';
import type { CallGithub } from './call-github.ts';
import { GithubRefused } from './github-error.ts';
import * as shapes from './shapes.ts';
import type { RepositoryName } from './which-repository.ts';

/** Webhooks of one repository, by a token that may write them. */
export interface HookAccess {
  readonly token: Secret;
  readonly repository: RepositoryName;
}

const EVENTS = ['push', 'pull_request'];

/** The number of the webhook with this URL, made or given this secret. */
export async function putHook(
  call: CallGithub,
  access: HookAccess,
  hook: { url: string; secret: Secret },
): Promise<bigint> {
  const there = await findHook(call, access, hook.url);
  const config = {
    url: hook.url,
    content_type: 'json',
    secret: hook.secret.reveal(),
    insecure_ssl: '0',
  };
  const { data } = await call({
    route:
      there === null ? 'POST /repos/{owner}/{repo}/hooks' : 'PATCH /repos/{owner}/{repo}/hooks/{hook_id}',
    parameters: {
      ...placeOf(access),
      ...(there === null ? { name: 'web' } : { hook_id: String(there) }),
      config,
      events: EVENTS,
      active: true,
    },
    token: access.token,
    answer: shapes.made,
  });
  return data.id;
}

/** One that is gone already counts as removed. */
export async function removeHook(call: CallGithub, access: HookAccess, hookId: bigint): Promise<void> {
  try {
    await call({
      route: 'DELETE /repos/{owner}/{repo}/hooks/{hook_id}',
      parameters: { ...placeOf(access), hook_id: String(hookId) },
      token: access.token,
      answer: shapes.nothing,
    });
  } catch (error) {
    if (!(error instanceof GithubRefused && error.reason === 'not_found')) throw error;
  }
}

/** GitHub allows twenty webhooks on a repository, so one page has them all. */
async function findHook(call: CallGithub, access: HookAccess, url: string): Promise<bigint | null> {
  const { data } = await call({
    route: 'GET /repos/{owner}/{repo}/hooks',
    parameters: { ...placeOf(access), per_page: 100 },
    token: access.token,
    answer: z.array(shapes.hook),
  });
  return data.find(({ config }) => config.url === url)?.id ?? null;
}

function placeOf({ repository }: HookAccess) {
  return { owner: repository.owner, repo: repository.name };
}

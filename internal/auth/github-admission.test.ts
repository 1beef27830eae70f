import { describe, expect, test } from '@jest/globals';
import { AppError } from '../errors/app-error.ts';
import type { CallGithub } from '../github/call-github.ts';
import { GithubRefused, GithubUnavailable } from '../github/github-error.ts';
import { Secret } from '../secrets/secret.ts';
import { requireAllowed, signInScopes } from './github-admission.ts';

const octocat = { id: 1n, login: 'OctoCat', token: new Secret('gho_x'), scopes: [] };

/** GitHub, by what it says of each organisation. */
function github(states: Readonly<Record<string, string | Error>>, asked: string[] = []): CallGithub {
  return async ({ parameters, answer }) => {
    const org = String(parameters?.['org']);
    asked.push(org);
    const state = states[org] ?? new GithubRefused('not_found', 'GitHub refused (HTTP 404): Not Found');
    if (state instanceof Error) throw state;
    return { data: answer.parse({ state }), nextPage: null };
  };
}

async function outcome(
  list: { allowedUsers?: string[]; allowedOrgs?: string[] },
  callGithub: CallGithub = github({}),
): Promise<string> {
  const { allowedUsers = [], allowedOrgs = [] } = list;
  try {
    await requireAllowed(octocat, { allowedUsers, allowedOrgs }, callGithub);
    return 'allowed';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

describe('T48: who may sign in', () => {
  test('whose login is listed, in whatever case; then nobody is asked', async () => {
    const asked: string[] = [];
    const list = { allowedUsers: ['hubot', 'octocat'], allowedOrgs: ['acme'] };
    expect(await outcome(list, github({}, asked))).toBe('allowed');
    expect(asked).toEqual([]);
  });

  test('an active member of one of the organisations', async () => {
    const list = { allowedOrgs: ['other', 'acme'] };
    expect(await outcome(list, github({ acme: 'active' }))).toBe('allowed');
  });

  test.each<[string, Parameters<typeof outcome>]>([
    ['an empty list', [{}]],
    ['another login', [{ allowedUsers: ['octocat2', 'octoca'] }]],
    ['no member', [{ allowedOrgs: ['acme'] }]],
    ['an invitation that is not accepted yet', [{ allowedOrgs: ['acme'] }, github({ acme: 'pending' })]],
    [
      'an organisation that keeps its members to itself',
      [{ allowedOrgs: ['acme'] }, github({ acme: new GithubRefused('forbidden', 'no') })],
    ],
  ])('%s is not enough', async (_what, [list, callGithub]) => {
    expect(await outcome(list, callGithub)).toBe('sign_in_refused');
  });

  test('while GitHub does not answer, that is what is said', async () => {
    const away = github({ acme: new GithubUnavailable('GitHub cannot be reached.') });
    expect(await outcome({ allowedOrgs: ['acme'] }, away)).toBe('github_unavailable');
  });
});

test('GitHub is asked for organisations only where some are listed', () => {
  expect(signInScopes({ allowedUsers: ['octocat'], allowedOrgs: [] })).toEqual([]);
  expect(signInScopes({ allowedUsers: [], allowedOrgs: ['acme'] })).toEqual(['read:org']);
});

import { describe, expect, test } from '@jest/globals';
import { examplesOf, type PushOptions, pushPayload } from '../../test/support/github-events.ts';
import { parsePush } from './push.ts';
import { type FollowingApp, readPush } from './read-push.ts';

const GITHUB = 'https://github.com';
const APP: FollowingApp = {
  repoUrl: 'https://github.com/acme/shop.git',
  branch: null,
  autoDeploy: true,
  autoDeployHeldSince: null,
  watchPaths: [],
  desiredState: 'running',
  deletingSince: null,
};
const read = (push: PushOptions, app: Partial<FollowingApp> = {}) =>
  readPush(parsePush(pushPayload(push)), { ...APP, ...app }, GITHUB);
const DEPLOYS = { deploy: true, branch: 'main', commitSha: 'a'.repeat(40) };

const manyCommits = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: String(index).padStart(40, '0'),
    added: [],
    removed: [],
    modified: ['docs/a.md'],
  }));
const manyPaths = (count: number) => Array.from({ length: count }, (_, index) => `docs/${index}.md`);
const watches = { watchPaths: ['apps/web'] };
const inDocs: PushOptions = { changed: ['docs/a.md'] };

describe('a push deploys', () => {
  test.each<[string, PushOptions, Partial<FollowingApp>]>([
    ['to the default branch of an app that names none', {}, {}],
    ['to the branch of the app', {}, { branch: 'main' }],
    [
      'of the same repository, spelled otherwise',
      { repository: 'Acme/SHOP' },
      { repoUrl: 'https://github.com/acme/Shop' },
    ],
    ['that made the branch', { before: '0'.repeat(40), more: { created: true } }, {}],
    ['that was forced', { more: { forced: true } }, {}],
    ['with [skip ci], which is not about deploying', { message: 'Release 1.2.3 [skip ci]' }, {}],
    ['with the words but not the brackets', { message: 'skip deploy of the old page' }, {}],
    ['without a head commit', { more: { head_commit: null } }, {}],
    ['that touches a watched path', { changed: ['docs/a.md', 'apps/web/a.ts'] }, watches],
    ['of which GitHub lists no commits', { ...inDocs, more: { commits: [] } }, watches],
    ['of which GitHub may have left commits out', { more: { commits: manyCommits(20) } }, watches],
    ['of which GitHub may have left paths out', { changed: manyPaths(3_000) }, watches],
    [
      'that was forced, since what it took away is not listed',
      { ...inDocs, more: { forced: true } },
      watches,
    ],
    ['of a new branch, since what differs is not listed', { ...inDocs, more: { created: true } }, watches],
  ])('%s', (_what, push, app) => {
    expect(read(push, app)).toEqual(DEPLOYS);
  });
});

describe('a push is ignored, with the reason', () => {
  test.each<[string, PushOptions, Partial<FollowingApp>]>([
    ['other branch', { branch: 'dev' }, {}],
    ['other branch', { branch: 'main2' }, {}],
    ['other branch', { branch: 'feature/main' }, {}],
    ['other branch', { branch: 'Main' }, {}],
    ['other branch', {}, { branch: 'production' }],
    ['tag', { more: { ref: 'refs/tags/main' } }, {}],
    ['tag', { more: { ref: 'refs/tags/refs/heads/main' } }, {}],
    ['not a branch', { more: { ref: 'refs/notes/commits' } }, {}],
    ['not a branch', { more: { ref: 'main' } }, {}],
    ['branch deleted', { after: '0'.repeat(40), more: { deleted: true, head_commit: null } }, {}],
    ['branch deleted', { after: '0'.repeat(40) }, {}],
    ['other repository', { repository: 'acme/shop2' }, {}],
    ['other repository', { repository: 'evil/shop' }, {}],
    ['other repository', {}, { repoUrl: 'https://gitlab.com/acme/shop' }],
    ['the app is stopped', {}, { desiredState: 'stopped' }],
    ['auto-deploy is off', {}, { autoDeploy: false }],
    ['auto-deploy is held since a rollback', {}, { autoDeployHeldSince: new Date() }],
    ['the app is being deleted', {}, { deletingSince: new Date() }],
    ['skip requested', { message: 'Fix a typo [skip deploy]' }, {}],
    ['skip requested', { message: 'Fix a typo\n\n[Deploy Skip]' }, {}],
    ['no watched path changed', inDocs, watches],
    ['no watched path changed', { changed: manyPaths(2_999) }, watches],
    ['no watched path changed', { more: { commits: manyCommits(19) } }, watches],
  ])('%s', (reason, push, app) => {
    expect(read(push, app)).toEqual({ deploy: false, reason });
  });
});

describe('the examples of GitHub', () => {
  const app = { ...APP, repoUrl: 'https://github.com/Codertocat/Hello-World' };

  test.each(examplesOf('push').map((payload, index) => [index, payload] as const))(
    'example %i of a push is understood',
    (_index, payload) => {
      const verdict = readPush(parsePush(payload), app, GITHUB);
      const isTag = String(payload['ref']).startsWith('refs/tags/');
      expect(verdict).toEqual(
        isTag
          ? { deploy: false, reason: 'tag' }
          : { deploy: true, branch: 'master', commitSha: '6113728f27ae82c7b1a177c8d03f9e96e0adf246' },
      );
    },
  );

  test.each(['pull_request', 'ping', 'installation'])('those of %s are no pushes', (event) => {
    for (const payload of examplesOf(event)) {
      expect(() => parsePush(payload)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    }
  });

  test.each([null, [], 'text', {}, { ref: 7 }, { ...pushPayload(), after: 'HEAD' }])(
    '%j is none',
    (payload) => {
      expect(() => parsePush(payload)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    },
  );
});

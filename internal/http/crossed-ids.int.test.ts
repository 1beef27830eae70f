import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { attempt } from '../../test/support/operations/attempt.ts';
import { fingerprint } from '../../test/support/operations/fingerprint.ts';
import { makeTenant, type Tenant } from '../../test/support/operations/tenant.ts';
import { openWorld, type World } from '../../test/support/operations/world.ts';

/**
 * T43: an id of somebody else inside a request that is otherwise one's own: in the body, in the query, or as a child
 * under one's own parent.
 */
interface Crossed {
  readonly params?: (mine: Tenant, theirs: Tenant) => Readonly<Record<string, string>>;
  readonly query?: (theirs: Tenant) => Readonly<Record<string, string>>;
  readonly body?: (theirs: Tenant) => object;
  /** 200: a list, and nothing in it. */
  readonly answers: number;
}

/** Asked of GitHub, by the caller's own token: an installation of others is refused there (installations/*). */
const ASKED_AT_GITHUB = ['listGithubBranches /:repo', 'arriveInstalled query.installation_id'];

const newApp = { name: 'crossed', repo_url: 'acme/shop', deploy: false };
const projectOf = (theirs: Tenant) => ({ project_id: theirs.projectId });

const CROSSED: Readonly<Record<string, Crossed>> = {
  'changeVariable /:key': { params: variableOf, answers: 404 },
  'deleteVariable /:key': { params: variableOf, answers: 404 },
  'createApp body.project_id': { body: (theirs) => ({ ...newApp, ...projectOf(theirs) }), answers: 404 },
  'deployRepository body.project_id': {
    body: (theirs) => ({ repo: 'acme/shop', ...projectOf(theirs) }),
    answers: 404,
  },
  'rollBackApp body.deployment_id': { body: (theirs) => ({ deployment_id: theirs.retiredId }), answers: 404 },
  'listApps query.project_id': { query: projectOf, answers: 200 },
  'listDeployments query.project_id': { query: projectOf, answers: 200 },
  'listDeployments query.app': { query: (theirs) => ({ app: theirs.appId }), answers: 200 },
  'listAppLogLines query.deployment_id': {
    query: (theirs) => ({ deployment_id: theirs.liveId }),
    answers: 200,
  },
  'listAuditEvents query.object_id': { query: (theirs) => ({ object_id: theirs.appId }), answers: 200 },
  'listAuditEvents query.actor': { query: (theirs) => ({ actor: theirs.userId }), answers: 200 },
};

/** A stream of lines that never come has no end to wait for; `listAppLogLines` filters by the same code. */
const LEFT_OUT = ['followAppLog query.deployment_id'];

let world: World;
let mine: Tenant;
let theirs: Tenant;
beforeAll(async () => {
  world = await openWorld();
  [mine, theirs] = [await makeTenant(world), await makeTenant(world)];
});
afterAll(() => world?.close());

function variableOf(my: Tenant, their: Tenant) {
  return { id: my.appId, key: their.variableId };
}

test('every field of a body or a query that names an object is here, and every child in a path', () => {
  const names = [...world.operations.values()].flatMap((operation) => [
    ...fieldsOf(operation.body).map((field) => `${operation.id} body.${field}`),
    ...fieldsOf(operation.query).map((field) => `${operation.id} query.${field}`),
    ...[...operation.path.matchAll(/:\w+\/.*:(\w+)/g)].map(([, child]) => `${operation.id} /:${child}`),
  ]);
  expect(names.toSorted()).toEqual([...Object.keys(CROSSED), ...LEFT_OUT, ...ASKED_AT_GITHUB].toSorted());
});

function fieldsOf(schema: unknown): string[] {
  const shape = typeof schema === 'object' && schema !== null && 'shape' in schema ? schema.shape : {};
  return Object.keys(shape ?? {}).filter((name) => /_id$|^app$|^project$|^actor$/.test(name));
}

test.each(Object.entries(CROSSED))('T43: %s of somebody else', async (name, crossed) => {
  const [id = ''] = name.split(' ');
  const request = (of: Tenant) => ({
    id,
    as: 'admin' as const,
    mine,
    other: theirs,
    ...(crossed.params ? { params: crossed.params(mine, of) } : {}),
    ...(crossed.query ? { query: crossed.query(of) } : {}),
    ...(crossed.body ? { body: crossed.body(of) } : {}),
  });
  const before = await fingerprint(world.api.prisma);
  const foreign = await attempt(world, request(theirs));
  const missing = await attempt(world, request(MISSING));
  expect([foreign.status, missing.status]).toEqual([crossed.answers, crossed.answers]);
  expect(foreign.text).toBe(missing.text);
  expect(foreign.text).not.toContain(theirs.mark);
  if (crossed.answers === 200) expect(JSON.parse(foreign.text)).toMatchObject({ items: [] });
  expect(await fingerprint(world.api.prisma)).toEqual(before);
});

/** The same ids, of nobody. */
const MISSING = new Proxy({} as Tenant, { get: () => 'zzzzzzzzzz' });

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import type { DeploymentStatus } from '../db/database.ts';
import { sealSnapshot } from '../deployments/config-snapshot.ts';

interface Schema {
  readonly $ref?: string;
  readonly examples?: readonly unknown[];
}
interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly example?: string;
  readonly schema: Schema & { readonly example?: string };
}
interface Entry {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Entry>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const PROJECT = 'b7mzq4rt2c';
const APP = 'k3v5ahq2xd';
const DEPLOYMENT = 'q6wlnf4j3e';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.close());

/** The project, the app and the deployment that the examples name, and nothing else. */
async function seed(status: DeploymentStatus): Promise<void> {
  const { prisma } = api;
  await prisma.app.deleteMany();
  await prisma.project.deleteMany();
  const owner = await prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
  await prisma.project.create({
    data: { id: PROJECT, userId: owner.id, name: 'default', networkName: `${owner.hash}-default` },
  });
  const repoUrl = 'https://github.com/acme/front';
  await prisma.app.create({
    data: {
      id: APP,
      name: 'front',
      projectId: PROJECT,
      repoUrl,
      hosts: { create: { host: 'front.apps.test', kind: 'generated' } },
    },
  });
  const config = {
    repoUrl,
    rootDirectory: '.',
    dockerfilePath: null,
    buildCommand: null,
    startCommand: null,
    port: null,
    healthCheckPath: null,
    replicas: 1,
    memoryMb: 512,
    cpus: 1,
    drainSeconds: 10,
    hosts: [],
    environment: [],
  };
    framework: 'auto',
    outputDirectory: null,
  await prisma.deployment.create({
    data: {
      id: DEPLOYMENT,
      appId: APP,
      trigger: 'manual',
      status,
      ...(status === 'failed' ? { failureCode: 'exited_early', finishedAt: new Date() } : {}),
      configSnapshot: sealSnapshot(api.needs.box, DEPLOYMENT, config),
    },
  });
}

function bodiesOf(entry: Entry, document: Document): readonly unknown[] {
  const schema = entry.requestBody?.content['application/json']?.schema;
  if (!schema) return [undefined];
  const named = schema.$ref ? document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] : schema;
  return named?.examples ?? [];
}

/** With every example that the document gives for a parameter. */
function urlOf(path: string, parameters: readonly Parameter[]): string {
  const query = new URLSearchParams();
  let url = path;
  for (const { name, in: place, required, example, schema } of parameters) {
    const value = example ?? schema.example;
    if (value === undefined && required) throw new Error(`${path}: ${name} has no example`);
    if (value === undefined || place === 'header') continue;
    if (place === 'path') url = url.replace(`{${name}}`, value);
    else query.set(name, value);
  }
  return query.size > 0 ? `${url}?${query.toString()}` : url;
}

test('each example request of the document works, and its answer is as described', async () => {
  const document: Document = (await supertest(api.app).get('/openapi.json')).body;
  const answers: [string, number][] = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, entry] of Object.entries(item)) {
      for (const body of bodiesOf(entry, document)) {
        await seed(entry.operationId === 'cancelDeployment' ? 'pending' : 'failed');
        const url = urlOf(path, entry.parameters ?? []);
        // Held against its schema on the way out: an answer that does not fit is a 500.
        // The log of an app never ends; its head does.
        const way = entry.operationId === 'followAppLog' ? 'head' : (method as 'get');
        const answer = await api.call(way, url).send(body as object | undefined);
        answers.push([`${entry.operationId} ${method} ${url} ${JSON.stringify(body)}`, answer.status]);
      }
    }
  }
  expect(answers.filter(([, status]) => status < 200 || status > 299)).toEqual([]);
  expect(answers.length).toBeGreaterThan(15);
});

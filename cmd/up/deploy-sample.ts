import { setTimeout as delay } from 'node:timers/promises';
import { askHttp } from '../../internal/host/ask-http.ts';
import { CannotStart } from '../../internal/host/cannot-start.ts';
import { SAMPLE_REPOSITORY } from '../../internal/host/sample-repository.ts';
import type { ApiCalls } from './api-calls.ts';

const NAME = 'sample';
const SETTINGS = { branch: 'main', port: 3000, health_check_path: '/health' };
const DEPLOY_LIMIT_MS = 15 * 60_000;

interface App {
  readonly id: string;
  readonly name: string;
  readonly repo_url: string;
  readonly url: string;
}
interface Deployment {
  readonly id: string;
  readonly status: string;
  readonly failure_reason: string | null;
}
interface Line {
  readonly seq: number;
  readonly source: string;
  readonly text: string;
}
interface Page<T> {
  readonly items: readonly T[];
}

/**
 * Deploys the sample as a person would by curl, its log lines shown as they come. @returns its URL, which has answered
 * @throws CannotStart when it does not go live or does not answer
 */
export async function deploySample(options: {
  readonly api: ApiCalls;
  readonly repoUrl: string;
  readonly httpPort: number;
  readonly onLine: (text: string) => void;
}): Promise<string> {
  const { api } = options;
  const app = await findOrMakeApp(api, options.repoUrl);
  const { id } = await api.call<Deployment>('POST', `/apps/${app.id}/deploy`, {});
  const ended = await follow(api, id, options.onLine);
  if (ended.status !== 'live') {
    throw new CannotStart(`The sample is ${ended.status}: ${ended.failure_reason ?? 'see its log above'}`);
  }
  const { url } = await api.call<App>('GET', `/apps/${app.id}`);
  const answer = await askHttp({
    address: '127.0.0.1',
    port: options.httpPort,
    path: '/',
    host: new URL(url).host,
  });
  if (answer?.status !== 200) {
    throw new CannotStart(`The sample is live, but ${url} answered ${answer?.status ?? 'nothing'}.`);
  }
  return url;
}

async function findOrMakeApp(api: ApiCalls, repoUrl: string): Promise<App> {
  const found = await findApp(api);
  if (found === null) {
    return api.call<App>('POST', '/apps', { name: NAME, repo_url: repoUrl, ...SETTINGS, deploy: false });
  }
  if (!found.repo_url.endsWith(`/${SAMPLE_REPOSITORY}`)) {
    throw new CannotStart(`There is an app "${NAME}" of another repository already (${found.repo_url}).`);
  }
  // The port it is served on may have been set anew.
  if (found.repo_url === repoUrl) return found;
  return api.call<App>('PATCH', `/apps/${found.id}`, { repo_url: repoUrl });
}

async function findApp(api: ApiCalls): Promise<App | null> {
  let path: string | null = '/apps?limit=100';
  while (path !== null) {
    const page: Page<App> & { next_cursor?: string | null } = await api.call('GET', path);
    const found = page.items.find((app) => app.name === NAME);
    if (found) return found;
    path = page.next_cursor ? `/apps?limit=100&cursor=${encodeURIComponent(page.next_cursor)}` : null;
  }
  return null;
}

async function follow(api: ApiCalls, id: string, onLine: (text: string) => void): Promise<Deployment> {
  const limit = performance.now() + DEPLOY_LIMIT_MS;
  for (let after = 0; performance.now() < limit; await delay(200)) {
    // Asked before the lines, so that the last lines of an ended one are shown too.
    const deployment = await api.call<Deployment>('GET', `/deployments/${id}`);
    after = await showLines(api, { id, after, onLine });
    if (!['pending', 'building', 'deploying'].includes(deployment.status)) return deployment;
  }
  throw new CannotStart(
    `The sample's deployment ${id} has not ended; follow it at /api/v1/deployments/${id}.`,
  );
}

/** @returns the number of the last line shown */
async function showLines(
  api: ApiCalls,
  from: { id: string; after: number; onLine: (text: string) => void },
): Promise<number> {
  const page = await api.call<Page<Line>>('GET', `/deployments/${from.id}/logs?after=${from.after}`);
  for (const line of page.items) {
    if (line.source !== 'status') from.onLine(line.text);
  }
  const last = page.items.at(-1)?.seq ?? from.after;
  // A page that was full has a successor at once.
  return page.items.length > 0 ? showLines(api, { ...from, after: last }) : last;
}

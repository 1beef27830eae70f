import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Express } from 'express';
import supertest from 'supertest';
import { ensureOwner } from '../../internal/auth/ensure-owner.ts';
import { Sessions } from '../../internal/auth/sessions.ts';
import type { PrismaClient } from '../../internal/db/database.ts';
import { type AppNeeds, createApp } from '../../internal/http/create-app.ts';
import { RateLimits } from '../../internal/http/rate-limits/rate-limits.ts';
import { createLogger } from '../../internal/logger/logger.ts';
import { LogHub } from '../../internal/logs/log-hub.ts';
import { defaultProject } from '../../internal/projects/project-store.ts';
import { SealedBox } from '../../internal/secrets/sealed-box.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { newKey } from './new-key.ts';

export interface ApiUnderTest {
  readonly app: Express;
  readonly needs: AppNeeds;
  readonly prisma: PrismaClient;
  readonly token: string;
  /** A request with the owner's token. */
  call(method: 'get' | 'head' | 'post' | 'patch' | 'put' | 'delete', path: string): supertest.Test;
  close(): Promise<void>;
}

/** The API on a database, by default of its own, with an owner; each answer is held against its own schema. */
export async function startApi(
  overrides: Partial<Omit<AppNeeds, 'settings'>> & {
    settings?: Partial<AppNeeds['settings']>;
    githubApp?: AppNeeds['settings']['github']['app'];
    database?: TestDatabase;
  } = {},
): Promise<ApiUnderTest> {
  const { settings, githubApp = null, database, ...others } = overrides;
  const testDatabase = database ?? (await createTestDatabase());
  const { prisma, pool } = testDatabase.database;
  const directory = await mkdtemp(join(tmpdir(), 'berth-api-'));
  const tokenFile = join(directory, 'admin-token');
  await ensureOwner({ prisma, tokenFile, ensureProject: defaultProject });
  const token = (await readFile(tokenFile, 'utf8')).trim();
  const logger = createLogger({ level: 'silent', process: 'api' });
  const logHub = new LogHub({ prisma, logger, notifications: null, pollMs: 50 });
  const allSettings: AppNeeds['settings'] = {
    auth: 'token',
    apiPort: 8080,
    baseDomain: 'apps.test',
    httpPort: 8000,
    publicUrl: 'http://berth.apps.test:8000',
    gitAllowedHosts: ['github.com'],
    gitPrivateHosts: ['127.0.0.1:9418'],
    trustedProxies: ['loopback'],
    sessionSecret: newKey(),
    sessionIdleHours: 72,
    sessionMaxDays: 30,
    rateLimits: {
      requests: 100_000,
      deploys: 100_000,
      signIns: 100_000,
      webhooks: 100_000,
      streamsPerUser: 100,
    },
    github: {
      url: 'https://github.com',
      apiUrl: 'https://api.github.com',
      oauth: null,
      app: githubApp,
      allowedUsers: [],
      allowedOrgs: [],
      webhookBaseUrl: 'http://berth.apps.test:8000/webhooks/github',
    },
    ...settings,
  };
  const needs: AppNeeds = {
    prisma,
    box: new SealedBox(newKey()),
    logger,
    settings: allSettings,
    sessions: new Sessions({ prisma, pool, logger, settings: allSettings }),
    limits: new RateLimits(pool, allSettings.rateLimits),
    corsOrigins: [],
    version: '0.0.0',
    logHub,
    checkAnswers: true,
    ...others,
  };
  const app = createApp(needs);
  return {
    app,
    needs,
    prisma,
    token,
    call: (method, path) => supertest(app)[method](`/api/v1${path}`).auth(token, { type: 'bearer' }),
    async close() {
      logHub.close();
      if (!database) await testDatabase.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

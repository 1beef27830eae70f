import express, { type Express } from 'express';
import helmet from 'helmet';
import { authenticator } from '../auth/authenticator.ts';
import { mountOperations } from '../openapi/mount-operations.ts';
import { answerErrors, answerNotFound } from './answer-errors.ts';
import { allowOrigins } from './cors.ts';
import { type ApiNeeds, operationsOf } from './operations.ts';
import { admission, countingFailures } from './rate-limits/admission.ts';
import { logRequests } from './request-log.ts';
import { requireLocal } from './require-local.ts';

export interface AppNeeds extends ApiNeeds {
  /** Tests: an answer that its own schema refuses is an error. */
  readonly checkAnswers?: boolean;
}

/** The API as an Express app, without a port. Everything it works with comes in here. */
export function createApp(needs: AppNeeds): Express {
  const { prisma, sessions, limits, settings } = needs;
  const app = express();
  app.set('query parser', 'simple');
  // Only these proxies tell the client's address; nobody else is believed (T53).
  app.set('trust proxy', [...settings.trustedProxies]);
  app.disable('x-powered-by');
  app.disable('etag');

  app.use(logRequests(needs.logger));
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        // The first covers none of the others.
        directives: {
          defaultSrc: ["'none'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      strictTransportSecurity: settings.publicUrl.startsWith('https:'),
    }),
  );
  if (settings.auth === 'none') {
    app.use(requireLocal({ port: settings.apiPort, origins: needs.corsOrigins }));
  }
  app.use(allowOrigins(needs.corsOrigins));

  const router = mountOperations(operationsOf(needs), {
    authenticate: countingFailures(authenticator({ prisma, sessions, auth: settings.auth }), limits),
    admit: admission(limits),
    checkAnswers: needs.checkAnswers ?? false,
  });
  app.use('/api/v1', router);
  app.use(router);
  app.use(answerNotFound);
  app.use(answerErrors);
  return app;
}

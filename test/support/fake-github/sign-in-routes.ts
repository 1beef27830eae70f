import { createHash, randomBytes } from 'node:crypto';
import { Router, urlencoded } from 'express';
import type { World } from './world.ts';

/** What a browser and an OAuth client see: https://docs.github.com/apps/oauth-apps, and the App's install page. */
export function signInRoutes(world: World): Router {
  const router = Router();

  router.get('/login/oauth/authorize', (request, response) => {
    const query = new URL(request.url, 'http://github').searchParams;
    const redirectUri = query.get('redirect_uri') ?? world.oauth.callbackUrl;
    if (query.get('client_id') !== world.oauth.clientId || redirectUri === null) {
      response.status(404).send('Not Found');
      return;
    }
    const back = new URL(redirectUri);
    const state = query.get('state');
    const answer = (values: Record<string, string>) => {
      for (const [name, value] of Object.entries(values)) back.searchParams.set(name, value);
      if (state !== null) back.searchParams.set('state', state);
      response.redirect(302, back.href);
    };
    if (world.oauth.callbackUrl !== null && !redirectUri.startsWith(world.oauth.callbackUrl)) {
      answer({
        error: 'redirect_uri_mismatch',
        error_description: 'The redirect_uri MUST match the registered callback URL for this application.',
      });
      return;
    }
    if (world.browser === null) {
      answer({
        error: 'access_denied',
        error_description: 'The user has denied your application access.',
      });
      return;
    }
    const challenge = query.get('code_challenge');
    if (challenge !== null && query.get('code_challenge_method') !== 'S256') {
      answer({ error: 'invalid_request', error_description: 'The code_challenge_method must be S256.' });
      return;
    }
    const code = randomBytes(10).toString('hex');
    const asked = (query.get('scope') ?? '').split(/[\s,]+/).filter((scope) => scope !== '');
    world.codes.set(code, {
      user: world.browser,
      scopes: world.oauth.isOfApp ? null : asked,
      redirectUri,
      challenge,
    });
    answer({ code });
  });

  router.post('/login/oauth/access_token', urlencoded({ extended: false }), (request, response) => {
    // Errors come with status 200 too, as GitHub's do.
    const answer = (values: Record<string, string>) => {
      if (request.accepts(['application/x-www-form-urlencoded', 'json']) === 'json') response.json(values);
      else response.type('application/x-www-form-urlencoded').send(new URLSearchParams(values).toString());
    };
    const body = (request.body ?? {}) as Record<string, string | undefined>;
    const { client_id: id, client_secret: secret, code = '', code_verifier: verifier } = body;
    if (id !== world.oauth.clientId || secret !== world.oauth.clientSecret) {
      answer({
        error: 'incorrect_client_credentials',
        error_description: 'The client_id and/or client_secret passed are incorrect.',
      });
      return;
    }
    const found = world.codes.get(code);
    world.codes.delete(code);
    const isProven =
      found !== undefined && (found.challenge === null || found.challenge === challengeOf(verifier ?? ''));
    if (!found || !isProven) {
      answer({
        error: 'bad_verification_code',
        error_description: 'The code passed is incorrect or expired.',
      });
      return;
    }
    if (body['redirect_uri'] !== undefined && body['redirect_uri'] !== found.redirectUri) {
      answer({
        error: 'redirect_uri_mismatch',
        error_description: 'The redirect_uri MUST match the registered callback URL for this application.',
      });
      return;
    }
    const { user, scopes } = found;
    const token = world.newToken(scopes === null ? 'ghu' : 'gho', { kind: 'user', user, scopes });
    answer({ access_token: token, scope: (scopes ?? []).join(','), token_type: 'bearer' });
  });

  /** Whoever sits at the browser installs the App on their account, with all its repositories, and comes back. */
  router.get('/apps/:slug/installations/new', (request, response) => {
    const { setupUrl, slug } = world.app;
    if (request.params.slug !== slug || world.browser === null || setupUrl === null) {
      response.status(404).send('Not Found');
      return;
    }
    const account = world.browser;
    let installation = world.installations.find((one) => one.account.id === account.id);
    const action = installation ? 'update' : 'install';
    if (!installation) {
      installation = {
        id: world.nextId(),
        account,
        repositories: null,
        permissions: { ...ALL_PERMISSIONS },
        suspendedAt: null,
      };
      world.installations.push(installation);
    }
    const back = new URL(setupUrl);
    back.searchParams.set('installation_id', String(installation.id));
    back.searchParams.set('setup_action', action);
    const state = new URL(request.url, 'http://github').searchParams.get('state');
    if (state !== null) back.searchParams.set('state', state);
    response.redirect(302, back.href);
  });

  return router;
}

/** What docs/github.md asks for. */
export const ALL_PERMISSIONS: Readonly<Record<string, 'read' | 'write'>> = {
  metadata: 'read',
  contents: 'read',
  pull_requests: 'write',
  statuses: 'write',
  deployments: 'write',
  repository_hooks: 'write',
};

function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

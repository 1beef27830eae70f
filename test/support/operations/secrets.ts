import { tokenHash } from '../../../internal/auth/api-token.ts';
import { Secret } from '../../../internal/secrets/secret.ts';
import type { Tenant } from './tenant.ts';
import type { World } from './world.ts';

/** What of a tenant nobody may ever read in an answer, or only where the crawl says so. By where it is kept. */
export async function secretsOf(world: World, tenant: Tenant): Promise<ReadonlyMap<string, string>> {
  const { canary, tokens, sessionCookie } = tenant;
  const session = await world.api.prisma.session.findFirstOrThrow({
    where: { sess: { path: ['userId'], equals: tenant.userId } },
  });
  return new Map([
    ['env_vars.value and deployments.config_snapshot', `${canary}-value`],
    ['services.webhook_secret', tenant.webhookSecret],
    ['services.deploy_key_private', `${canary}-key`],
    ['webhook_deliveries.payload', `${canary}-payload`],
    ['idempotency_keys.answer', `${canary}-answer`],
    ['users.github_token', tenant.githubToken],
    ...Object.entries(tokens).flatMap(([scope, token]): [string, string][] => [
      [`the ${scope} token`, token],
      [`tokens.token_hash of the ${scope} token`, tokenHash(new Secret(token))],
    ]),
    ['the cookie of the session', sessionCookie.split('=').at(-1) ?? ''],
    ['sessions.sid', session.sid],
  ]);
}

/** What belongs to the installation: settings, and what the database is reached with. */
export function secretsOfInstallation(world: World): ReadonlyMap<string, string> {
  const { oauth, app } = world.github.world;
  return new Map([
    ['the owner’s token', world.ownerToken],
    ['SESSION_SECRET', world.api.needs.settings.sessionSecret.reveal()],
    ['GITHUB_CLIENT_SECRET', oauth.clientSecret],
    ['GITHUB_WEBHOOK_SECRET', app.webhookSecret],
    // One line of it, for a key is cut into lines in different ways.
    ['GITHUB_PRIVATE_KEY', app.privateKey.split('\n')[3] ?? ''],
  ]);
}

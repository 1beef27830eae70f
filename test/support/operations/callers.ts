import type { Row } from './table.ts';
import type { Tenant } from './tenant.ts';
import type { World } from './world.ts';

/**
 * Who may come: nobody, another member, the tenant by tokens of each scope and by a session, and the owner of the
 * installation, to whom the tenant's objects are foreign too.
 */
export const CALLERS = ['anonymous', 'foreign', 'read', 'deploy', 'admin', 'session', 'owner'] as const;
export type CallerName = (typeof CALLERS)[number];

/** A caller who may do that. */
export function whoMay({ needs }: Row): CallerName {
  if (needs === 'nobody') return 'anonymous';
  return needs === 'session' || needs === 'owner' ? needs : 'admin';
}

/** What such a caller sends along. */
export function credentials(
  world: World,
  name: CallerName,
  { mine, other }: { mine: Tenant; other: Tenant },
): Record<string, string> {
  if (name === 'anonymous') return {};
  if (name === 'session') {
    const { origin } = new URL(world.api.needs.settings.publicUrl);
    return { cookie: mine.sessionCookie, origin, 'sec-fetch-site': 'same-origin' };
  }
  const token =
    name === 'foreign' ? other.tokens.admin : name === 'owner' ? world.ownerToken : mine.tokens[name];
  return { authorization: `Bearer ${token}` };
}

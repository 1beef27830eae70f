import type { Secret } from '../secrets/secret.ts';
import { parseApiUrl } from './api-url.ts';
import { CliError, usageError } from './cli-error.ts';
import { EXIT } from './exit-code.ts';
import type { StoredLogin } from './stored-login.ts';

/**
 * Which installation, with which token: the environment before what `berth login` stored. A stored token goes to the
 * address it was stored for and to no other. No token is one, too: an installation with `AUTH=none` wants none.
 * @throws CliError without an address
 */
export function chooseConnection(
  environment: { readonly url: string | null; readonly token: Secret | null },
  stored: StoredLogin | null,
): { url: string; token: Secret | null } {
  const url = environment.url === null ? stored?.url : parseApiUrl(environment.url);
  if (url === null)
    throw usageError('BERTH_URL must be an http(s) address such as https://berth.example.org.');
  if (url === undefined) {
    const message = 'You are not signed in; use "berth login", or set BERTH_URL and BERTH_TOKEN.';
    throw new CliError(EXIT.unreachable, message, { code: 'not_signed_in' });
  }
  return { url, token: environment.token ?? (stored?.url === url ? stored.token : null) };
}

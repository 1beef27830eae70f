import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Secret } from '../secrets/secret.ts';

/** What the command line reads of its environment; everything else comes as options or from `berth login`. */
export interface CliSettings {
  /** `BERTH_URL`, as given. */
  readonly url: string | null;
  /** `BERTH_TOKEN`. */
  readonly token: Secret | null;
  /** Where `berth login` keeps URL and token: below `XDG_CONFIG_HOME`, else `~/.config`. */
  readonly loginFile: string;
  /** False: never, for `NO_COLOR` (no-color.org) or a terminal that knows none. */
  readonly mayColour: boolean;
  /** Is there a desktop on which a browser could open? */
  readonly hasDisplay: boolean;
}

/** An empty value counts as unset. */
export function loadCliSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): CliSettings {
  const read = (name: string) => environment[name] || null;
  const token = read('BERTH_TOKEN');
  const configHome = read('XDG_CONFIG_HOME');
  // The XDG rules: a relative path is invalid and not to be used.
  const base = configHome !== null && isAbsolute(configHome) ? configHome : join(homedir(), '.config');
  return Object.freeze({
    url: read('BERTH_URL'),
    token: token === null ? null : new Secret(token.trim()),
    loginFile: join(base, 'berth', 'login.json'),
    mayColour: read('NO_COLOR') === null && read('TERM') !== 'dumb',
    hasDisplay: process.platform === 'darwin' || (read('DISPLAY') ?? read('WAYLAND_DISPLAY')) !== null,
  });
}

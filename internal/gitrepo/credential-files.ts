import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { SourceCredential } from '../engine/ports.ts';
import type { Source } from './accept-request.ts';
import { publishedHostKey } from './known-hosts.ts';

export interface CredentialPlace {
  /** The attempt's own, beside its clone, for nobody but us to read. */
  readonly folder: string;
  /** Where the keys of hosts that nobody has published are kept from one clone to the next. */
  readonly knownHosts: string;
  readonly source: Source;
  /** The address that was checked; null: whatever the name says. */
  readonly address: string | null;
}

/**
 * Writes what Git needs to log in, and returns the file that Git is to read as its user's configuration. So secrets
 * stand in files (0600) for as long as the clone takes, and arguments, environment and `.git/config` hold a path at most.
 * Null: there is nothing to log in with.
 */
export async function writeCredentialFiles(
  credential: SourceCredential,
  place: CredentialPlace,
): Promise<string | null> {
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(place.folder, name);
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    return path;
  };
  if (credential.kind === 'none') return null;
  if (credential.kind === 'token') return write('gitconfig', tokenConfig(credential));

  const key = await write('key', credential.privateKey.reveal());
  const published = publishedHostKey(place.source.host);
  const knownHosts = published === null ? place.knownHosts : await write('known_hosts', published);
  await write(
    'ssh_config',
    sshConfig({
      key,
      knownHosts,
      isPublished: published !== null,
      host: place.source.host,
      address: place.address,
    }),
  );
  // Git hands this to a shell: the path is relative to the clone, and so made of our own ids alone.
  return write('gitconfig', `[core]\n\tsshCommand = ssh -F ../${basename(place.folder)}/ssh_config\n`);
}

/** As a header of requests to that origin; base64 needs no quoting. */
function tokenConfig({ origin, userName, token }: Extract<SourceCredential, { kind: 'token' }>): string {
  const basic = Buffer.from(`${userName}:${token.reveal()}`).toString('base64');
  return `[http "${origin}/"]\n\textraHeader = Authorization: Basic ${basic}\n`;
}

/** Nobody's keys, agent or settings but these; the name stays the host's, whatever address was checked. */
function sshConfig(of: {
  key: string;
  knownHosts: string;
  isPublished: boolean;
  host: string;
  address: string | null;
}): string {
  const settings = {
    ...(of.address === null ? {} : { HostName: of.address }),
    HostKeyAlias: of.host,
    CheckHostIP: 'no',
    User: 'git',
    IdentityFile: `"${of.key}"`,
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    PreferredAuthentications: 'publickey',
    UserKnownHostsFile: `"${of.knownHosts}"`,
    GlobalKnownHostsFile: '/dev/null',
    // The first key of a host that we have none of is believed, and from then on it is the only one.
    StrictHostKeyChecking: of.isPublished ? 'yes' : 'accept-new',
    HashKnownHosts: 'no',
    UpdateHostKeys: 'no',
    BatchMode: 'yes',
    ConnectTimeout: '30',
    ServerAliveInterval: '15',
    ServerAliveCountMax: '4',
    ClearAllForwardings: 'yes',
    ForwardAgent: 'no',
    LogLevel: 'ERROR',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}

import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { SourceCredential } from '../engine/ports.ts';
import type { Source } from './accept-request.ts';
import { publishedHostKey } from './known-hosts.ts';

export interface CredentialPlace {
  /** The attempt's own, beside its clone, for nobody but us to read. */
  readonly folder: string;
  /** Where Git runs. */
  readonly workTree: string;
  /** Where the keys of hosts that nobody has published are kept from one clone to the next. */
  readonly knownHosts: string;
  readonly source: Source;
  /** The address that was checked; null: whatever the name says. */
  readonly address: string | null;
}

export interface CredentialFiles {
  /** What Git is to read as its user's configuration. */
  readonly gitConfig: string;
  /** What ssh is to read; null: the repository is not asked by ssh. */
  readonly sshConfig: string | null;
}

/**
 * Writes what Git needs to log in. So secrets stand in files (0600) for as long as the clone takes, and arguments,
 * environment and `.git/config` hold a path at most.
 */
export async function writeCredentialFiles(
  credential: Exclude<SourceCredential, { kind: 'none' }>,
  place: CredentialPlace,
): Promise<CredentialFiles> {
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(place.folder, name);
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    return path;
  };
  if (credential.kind === 'token') {
    return { gitConfig: await write('gitconfig', tokenConfig(credential)), sshConfig: null };
  }

  const key = await write('key', credential.privateKey.reveal());
  const published = publishedHostKey(place.source.host);
  const knownHosts = published === null ? place.knownHosts : await write('known_hosts', published);
  const ssh = await write(
    'ssh_config',
    sshConfig({
      key,
      knownHosts,
      isPublished: published !== null,
      host: place.source.host,
      address: place.address,
    }),
  );
  // Git hands this to a shell: the path leads up from the clone, and so is made of dots and our own ids alone.
  const command = `ssh -F ${relative(place.workTree, place.folder)}/ssh_config`;
  return { gitConfig: await write('gitconfig', `[core]\n\tsshCommand = ${command}\n`), sshConfig: ssh };
}

type Token = Extract<SourceCredential, { kind: 'token' }>;

/** As a header of requests to that origin; base64 needs no quoting. */
function tokenConfig(token: Token): string {
  return `[http "${token.origin}/"]\n\textraHeader = Authorization: ${basicAuthorization(token)}\n`;
}

export function basicAuthorization({ userName, token }: Token): string {
  return `Basic ${Buffer.from(`${userName}:${token.reveal()}`).toString('base64')}`;
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

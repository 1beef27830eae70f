import { spawn } from 'node:child_process';
import { closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CannotStart } from './cannot-start.ts';
import { chooseDockerRemedy, type DockerRemedy } from './docker-remedy.ts';
import { type DockerSocket, DockerUnreachable } from './docker-socket.ts';
import type { EngineVersion } from './engine-support.ts';
import { findProgram, hasSystemd, isDebianLike, isRoot, readOsRelease } from './host-facts.ts';
import { LogFile } from './log-file.ts';
import { endProcess, identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts';
import { runProgram } from './run-program.ts';

export interface HostPreparation {
  readonly docker: DockerSocket;
  readonly dataDir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asked before packages are installed; false ends the start with the line that tells how to do it by hand. */
  confirm(question: string): Promise<boolean>;
  say(text: string): void;
}

const DAEMON_START_MS = 60_000;

/** Docker answers afterwards, installed and started by us where that is allowed. @returns the engine's version */
export async function prepareDocker(host: HostPreparation): Promise<string> {
  const tried = new Set<DockerRemedy['kind']>();
  for (;;) {
    const remedy = chooseDockerRemedy(await readDockerFacts(host));
    if (remedy.kind === 'ready') {
      if (remedy.note !== null) host.say(remedy.note);
      return remedy.version;
    }
    if (remedy.kind === 'impossible') throw new CannotStart(remedy.line);
    if (tried.has(remedy.kind))
      throw new CannotStart('Docker was set up but does not answer; see its own log.');
    tried.add(remedy.kind);
    if (remedy.kind === 'install') await installPackages(host, ['docker.io', 'iptables']);
    if (remedy.kind === 'start-service') await startService(host);
    if (remedy.kind === 'start-daemon') await startDaemon(host);
  }
}

/**
 * Git for clones and a static busybox for the health gate. The latter is only wished for: elsewhere the worker takes
 * it out of an image. @returns the names of those that are here
 */
export async function prepareTools(host: HostPreparation): Promise<readonly string[]> {
  const hasGit = findProgram('git', host.environment['PATH']) !== null;
  const hasGateTool = isStaticProgram('/usr/bin/busybox') || isStaticProgram('/bin/busybox');
  const missing = [...(hasGit ? [] : ['git']), ...(hasGateTool ? [] : ['busybox-static'])];
  const all = ['git', 'busybox'];
  if (missing.length === 0) return all;
  if (isRoot() && isDebianLike(readOsRelease())) {
    await installPackages(host, missing);
    return all;
  }
  if (!hasGit) throw new CannotStart('Git is missing: install it with the package manager of this system.');
  return ['git'];
}

/** @throws CannotStart when it is refused or fails. */
export async function installPackages(host: HostPreparation, packages: readonly string[]): Promise<void> {
  const names = packages.join(' ');
  if (!(await host.confirm(`${names} must be installed (apt-get). Do it now?`))) {
    throw new CannotStart(`Missing: ${names}. Install with: apt-get install ${names}`);
  }
  host.say(`installing ${names}`);
  const log = new LogFile(host.dataDir, 'apt');
  const environment = { ...host.environment, DEBIAN_FRONTEND: 'noninteractive' };
  await runProgram(['apt-get', 'update', '-q'], log, environment);
  const code = await runProgram(
    ['apt-get', 'install', '-q', '-y', '--no-install-recommends', ...packages],
    log,
    environment,
  );
  if (code !== 0) throw new CannotStart(`apt-get could not install ${names} (${log.path}):`, log.tail(10));
}

/** The daemon that `startDaemon` left running, or null. */
export function readOwnDaemon(dataDir: string): ProcessIdentity | null {
  try {
    const daemon: ProcessIdentity = JSON.parse(readFileSync(daemonFile(dataDir), 'utf8'));
    return isAlive(daemon) ? daemon : null;
  } catch {
    return null;
  }
}

/** Ends the daemon that we started; with live-restore the containers run on. True if there was one. */
export async function stopOwnDaemon(dataDir: string): Promise<boolean> {
  const daemon = readOwnDaemon(dataDir);
  if (daemon !== null) await endProcess(daemon, 30_000);
  rmSync(daemonFile(dataDir), { force: true });
  return daemon !== null;
}

async function readDockerFacts(host: HostPreparation) {
  return {
    answer: await askVersion(host.docker),
    socketPath: host.docker.path,
    hasDaemonProgram: findProgram('dockerd', host.environment['PATH']) !== null,
    isDebianLike: isDebianLike(readOsRelease()),
    isRoot: isRoot(),
    hasSystemd: hasSystemd(),
  };
}

async function askVersion(docker: DockerSocket): Promise<EngineVersion | { error: string }> {
  try {
    return await docker.version();
  } catch (error) {
    return { error: error instanceof DockerUnreachable ? error.code : String(error) };
  }
}

async function startService(host: HostPreparation): Promise<void> {
  host.say('starting Docker by systemd');
  const log = new LogFile(host.dataDir, 'dockerd');
  const code = await runProgram(['systemctl', 'start', 'docker'], log, host.environment);
  if (code !== 0) throw new CannotStart('systemctl start docker failed:', log.tail(10));
  await untilDockerAnswers(host, log);
}

async function startDaemon(host: HostPreparation): Promise<void> {
  const log = new LogFile(host.dataDir, 'dockerd');
  host.say(`starting dockerd (log: ${log.path})`);
  const output = log.open();
  // live-restore: containers and their addresses outlive the daemon.
  const daemon = spawn('dockerd', ['--live-restore'], {
    env: { ...host.environment },
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  daemon.once('error', () => undefined);
  daemon.unref();
  const identity = daemon.pid === undefined ? null : identifyProcess(daemon.pid);
  if (identity !== null) writeFileSync(daemonFile(host.dataDir), JSON.stringify(identity), { mode: 0o600 });
  await untilDockerAnswers(host, log, () => daemon.exitCode !== null);
}

async function untilDockerAnswers(
  host: HostPreparation,
  log: LogFile,
  hasEnded = () => false,
): Promise<void> {
  const limit = performance.now() + DAEMON_START_MS;
  while ('error' in (await askVersion(host.docker))) {
    if (hasEnded() || performance.now() > limit) {
      throw new CannotStart(`The Docker daemon did not start (${log.path}):`, log.tail(10));
    }
    await delay(100);
  }
}

function daemonFile(dataDir: string): string {
  return join(dataDir, 'dockerd.json');
}

// A dynamic program names its loader in the first page; in foreign images that loader is missing.
function isStaticProgram(path: string): boolean {
  try {
    return !readFileSync(path).subarray(0, 4096).includes('/ld-');
  } catch {
    return false;
  }
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidConfig } from '../../internal/config/load-config.ts';
import { loadStartSettings, type StartSettings } from '../../internal/config/start-settings.ts';
import { CannotStart } from '../../internal/host/cannot-start.ts';
import { makeDataDir } from '../../internal/host/data-dir.ts';
import { isAlive } from '../../internal/host/process-identity.ts';
import { type RunState, readRunState } from '../../internal/host/run-state.ts';
import { ApiCalls } from './api-calls.ts';
import { findCheckout } from './checkout.ts';
import { deploySample } from './deploy-sample.ts';
import { endAll } from './leftovers.ts';
import { parseOptions, type UpOptions, USAGE } from './options.ts';
import { commitSampleFolder, prepare } from './prepare.ts';
import { Progress } from './progress.ts';
import { SupervisorProcess } from './supervisor-process.ts';

/** `bin/up`: checks and prepares everything, starts the supervisor, and stays with it unless it is told to detach. */
const progress = new Progress();
try {
  process.exitCode = await up(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (error instanceof CannotStart) progress.problem(error.message, error.details);
  else if (error instanceof InvalidConfig) progress.problem(error.message);
  else
    progress.problem(
      'This is a fault of bin/up:',
      String(error instanceof Error ? error.stack : error).split('\n'),
    );
  process.exitCode = 1;
}

async function up(options: UpOptions): Promise<number> {
  if (options.help) {
    progress.print(USAGE);
    return 0;
  }
  const settings = loadStartSettings();
  const left = readRunState(settings.dataDir);
  if (left !== null && isAlive(left.supervisor)) return useRunning(left, settings, options);

  const checkout = findCheckout();
  makeDataDir(settings.dataDir, checkout);
  if (left !== null) {
    const work = () => endAll(left, settings.dataDir, settings.dockerHost);
    await progress.step('what a killed supervisor left', work, () => 'ended');
  }
  const environment = await prepare({ settings, options, checkout, progress });
  const isFirst = !existsSync(tokenFile(settings));
  return run(SupervisorProcess.start(settings.dataDir, environment), { settings, options, isFirst });
}

async function run(
  supervisor: SupervisorProcess,
  { settings, options, isFirst }: { settings: StartSettings; options: UpOptions; isFirst: boolean },
): Promise<number> {
  let isStopping = false;
  const stop = () => {
    if (!isStopping) progress.print('ending …');
    isStopping = true;
    supervisor.askToEnd();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  try {
    await supervisor.ready((report) => {
      if (report.kind === 'step') progress.done(report.name, report.detail, report.milliseconds);
      if (report.kind === 'event') progress.note(report.text);
    });
  } catch (error) {
    await supervisor.ended();
    if (isStopping) return 0;
    throw error;
  }
  const state = readRunState(settings.dataDir);
  if (state === null) throw new CannotStart('The supervisor has left no run.json in DATA_DIR.');
  printWhere(state, settings, isFirst);
  const sampleWorks = options.sample ? await trySample(state, settings) : true;

  if (options.detach) {
    await supervisor.detach();
    progress.print('It runs on; bin/down ends it.');
    return sampleWorks ? 0 : 1;
  }
  progress.print(`Ctrl-C ends it. Logs: ${join(settings.dataDir, 'log')}`);
  await supervisor.ended();
  if (isStopping) return 0;
  progress.problem('The supervisor was killed; ending what it left.');
  const left = readRunState(settings.dataDir);
  if (left !== null) await endAll(left, settings.dataDir, settings.dockerHost);
  return 1;
}

async function useRunning(state: RunState, settings: StartSettings, options: UpOptions): Promise<number> {
  if (!state.ready)
    throw new CannotStart(`Berth is being started already (process ${state.supervisor.pid}).`);
  progress.print(`Berth is running already (process ${state.supervisor.pid}); bin/down ends it.`);
  printWhere(state, settings, false);
  if (!options.sample) return 0;
  if (state.sampleRepoUrl === null) {
    throw new CannotStart('It was started without the sample: bin/down, then bin/up --sample.');
  }
  await commitSampleFolder(settings, findCheckout());
  return (await trySample(state, settings)) ? 0 : 1;
}

async function trySample(state: RunState, settings: StartSettings): Promise<boolean> {
  try {
    const url = await progress.step(
      'sample',
      () => sampleUrl(state, settings),
      (text) => text,
    );
    progress.print(`The sample answers at ${url}`);
    return true;
  } catch (error) {
    progress.problem(error instanceof Error ? error.message : String(error));
    return false;
  }
}

function sampleUrl(state: RunState, settings: StartSettings): Promise<string> {
  if (state.sampleRepoUrl === null) throw new CannotStart('The repository of the sample is not served.');
  return deploySample({
    api: new ApiCalls(state.apiUrl, readFileSync(tokenFile(settings), 'utf8').trim()),
    repoUrl: state.sampleRepoUrl,
    httpPort: state.httpPort,
    onLine: (text) => progress.note(`| ${text}`),
  });
}

function printWhere(state: RunState, settings: StartSettings, isFirst: boolean): void {
  const port = state.httpPort === 80 ? '' : `:${state.httpPort}`;
  progress.print(`API:   ${state.apiUrl}/api/v1`);
  progress.print(`Apps:  http://<app>.${state.baseDomain}${port}`);
  if (settings.auth === 'none') {
    progress.print('AUTH=none: from this machine no token is needed, and nobody else is answered.');
    return;
  }
  if (isFirst) progress.print(`Token: ${readFileSync(tokenFile(settings), 'utf8').trim()} (shown once)`);
  progress.print(`The token of the owner is in ${tokenFile(settings)}`);
}

function tokenFile(settings: StartSettings): string {
  return join(settings.dataDir, 'admin-token');
}

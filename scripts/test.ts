/**
 * Usage: bin/test [lint] [types] [unit] [int] [e2e] [stacks]      (none named: all but stacks)
 * Makes this machine ready, then runs every check and test. One that fails does not hide the others; the last line is
 * `N passed, N failed`, where a static check counts as one. `stacks` builds a repository of every kind there is, where
 * e2e builds one of each family (docs/stacks.md).
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCheckout } from '../cmd/up/checkout.ts';
import { prepareMachine } from '../cmd/up/prepare-machine.ts';
import { Progress } from '../cmd/up/progress.ts';
import { loadStartSettings, type StartSettings } from '../internal/config/start-settings.ts';
import { CannotStart } from '../internal/host/cannot-start.ts';
import { stopOwnDaemon } from '../internal/host/prepare-host.ts';
import { fetchNginx } from './fetch-nginx.ts';
import { findBuildKitImage } from './find-buildkit-image.ts';
import { findComposeBinary } from './find-compose-binary.ts';
import { findRegistryProgram } from './find-registry-program.ts';
import { findTraefikBinary } from './find-traefik-binary.ts';
import { installSchemathesis } from './install-schemathesis.ts';

interface Counts {
  passed: number;
  failed: number;
}
interface Phase {
  /** How it is named on the command line. */
  readonly word: string;
  readonly name: string;
  readonly script: string;
  /** jest counts its tests itself; any other check is one. */
  readonly isJest: boolean;
  /** Only when it is named: it takes too long for every time. */
  readonly onlyNamed?: true;
}

const PHASES: readonly Phase[] = [
  { word: 'lint', name: 'format and lint', script: 'lint', isJest: false },
  { word: 'types', name: 'types', script: 'typecheck', isJest: false },
  { word: 'unit', name: 'unit tests', script: 'test:unit', isJest: true },
  { word: 'int', name: 'integration tests', script: 'test:int', isJest: true },
  { word: 'e2e', name: 'end-to-end tests', script: 'test:e2e', isJest: true },
  { word: 'stacks', name: 'every kind of repository', script: 'test:stacks', isJest: true, onlyNamed: true },
];

const progress = new Progress();
const checkout = findCheckout();
/** What came of the tests with ids, for `npm run docs:faults`. */
const resultsFile = join(checkout, '.test-results.jsonl');
const folder = mkdtempSync(join(tmpdir(), 'berth-test-'));
// The postgres user passes through on the way to its data.
chmodSync(folder, 0o711);
let wasInterrupted = false;
// The running phase gets the same signal from the terminal and ends; what comes after it is clean-up only.
process.on('SIGINT', () => {
  wasInterrupted = true;
});

const total = await runAll();
if (total.failed > 0) process.exitCode = 1;
progress.print(`${total.passed} passed, ${total.failed} failed`);

async function runAll(): Promise<Counts> {
  const sum: Counts = { passed: 0, failed: 0 };
  rmSync(resultsFile, { force: true });
  try {
    const phases = choosePhases(process.argv.slice(2));
    const environment = await prepareTests(phases);
    for (const phase of phases) {
      if (wasInterrupted) break;
      const counts = await runPhase(phase, environment);
      sum.passed += counts.passed;
      sum.failed += counts.failed;
    }
    if (wasInterrupted) sum.failed += 1;
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    progress.problem(error.message, error.details);
    sum.failed += 1;
  } finally {
    await stopOwnDaemon(folder);
    rmSync(folder, { recursive: true, force: true });
  }
  return sum;
}

function choosePhases(words: readonly string[]): readonly Phase[] {
  const unknown = words.find((word) => !PHASES.some((phase) => phase.word === word));
  if (unknown !== undefined) {
    throw new CannotStart(`There is no ${unknown}; choose of: ${PHASES.map(({ word }) => word).join(' ')}`);
  }
  return PHASES.filter(({ word, onlyNamed }) => (words.length === 0 ? !onlyNamed : words.includes(word)));
}

async function prepareTests(phases: readonly Phase[]): Promise<NodeJS.ProcessEnv> {
  const settings = loadStartSettings();
  await prepareMachine(settings, folder, progress);
  const traefik = await progress.step(
    'Traefik program',
    () => findTraefikBinary(settings, folder, (text) => progress.note(text)),
    (binary) => binary,
  );
  const isAsked = (name: string) => phases.some(({ word }) => word === name);
  return {
    ...settings.environment,
    BERTH_TEST_TRAEFIK: traefik,
    ...(isAsked('int') ? await prepareIntegration(settings) : {}),
    ...(isAsked('e2e') ? await prepareEndToEnd(settings) : {}),
    ...(isAsked('e2e') || isAsked('stacks') ? await prepareStacks(settings) : {}),
    BERTH_TEST_COUNTS: join(folder, 'counts'),
    BERTH_TEST_RESULTS: resultsFile,
  };
}

async function prepareIntegration(settings: StartSettings): Promise<NodeJS.ProcessEnv> {
  const image = await progress.step(
    'BuildKit image',
    () => findBuildKitImage(settings, folder, (text) => progress.note(text)),
    (name) => name,
  );
  const registry = await progress.step(
    'registry program',
    () => findRegistryProgram(settings, folder),
    (found) => ('program' in found ? found.program : `not here, so its tests are skipped: ${found.lacks}`),
  );
  return {
    BERTH_TEST_BUILDKIT_IMAGE: image,
    ...('program' in registry
      ? { BERTH_TEST_REGISTRY: registry.program }
      : { BERTH_TEST_REGISTRY_LACKS: registry.lacks }),
  };
}

async function prepareEndToEnd(settings: StartSettings): Promise<NodeJS.ProcessEnv> {
  const compose = await progress.step(
    'compose plugin',
    () => findComposeBinary(settings, folder, (text) => progress.note(text)),
    (binary) => binary,
  );
  const schemathesis = await progress.step(
    'schemathesis',
    () => installSchemathesis(settings, folder),
    (found) => ('program' in found ? found.program : `not here, so its test is skipped: ${found.lacks}`),
  );
  return {
    BERTH_TEST_COMPOSE: compose,
    ...('program' in schemathesis
      ? { BERTH_TEST_SCHEMATHESIS: schemathesis.program }
      : { BERTH_TEST_SCHEMATHESIS_LACKS: schemathesis.lacks }),
  };
}

async function prepareStacks(settings: StartSettings): Promise<NodeJS.ProcessEnv> {
  const nginx = await progress.step(
    'nginx',
    () => fetchNginx(settings, folder),
    (found) =>
      'folder' in found ? found.folder : `not here, so tests of static sites are skipped: ${found.lacks}`,
  );
  return 'folder' in nginx ? { BERTH_TEST_NGINX: nginx.folder } : { BERTH_TEST_NGINX_LACKS: nginx.lacks };
}

async function runPhase(phase: Phase, environment: NodeJS.ProcessEnv): Promise<Counts> {
  progress.print(`\n── ${phase.name}`);
  const startedAt = performance.now();
  rmSync(join(folder, 'counts'), { force: true });
  const code = await runScript(phase, environment);
  const counts = phase.isJest ? readCounts(code) : { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
  const words = `${counts.passed} passed, ${counts.failed} failed`;
  const milliseconds = performance.now() - startedAt;
  if (counts.failed === 0) progress.done(phase.name, words, milliseconds);
  else progress.print(`✗ ${phase.name}: ${words} (${(milliseconds / 1000).toFixed(1)} s)`);
  return counts;
}

function runScript(phase: Phase, environment: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const args = ['run', '--silent', phase.script, ...(phase.isJest ? ['--', '--ci'] : [])];
    const child = spawn('npm', args, {
      cwd: checkout,
      env: environment,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** A run that failed without a failed test (it could not begin, it leaked) counts as one failure. */
function readCounts(code: number): Counts {
  const sum: Counts = { passed: 0, failed: 0 };
  const file = join(folder, 'counts');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  for (const line of lines) {
    const run: Counts = JSON.parse(line);
    sum.passed += run.passed;
    sum.failed += run.failed;
  }
  const wentWrong = code !== 0 || lines.length === 0;
  return wentWrong && sum.failed === 0 ? { ...sum, failed: 1 } : sum;
}

/**
 * Usage: npm run dev
 * As bin/up, with API and worker run from their sources and again at each change, their logs at this terminal.
 */
import { findCheckout } from '../cmd/up/checkout.ts';
import { endAll } from '../cmd/up/leftovers.ts';
import { Platform } from '../cmd/up/platform.ts';
import { prepare } from '../cmd/up/prepare.ts';
import { Progress } from '../cmd/up/progress.ts';
import { InvalidConfig } from '../internal/config/load-config.ts';
import { loadStartSettings } from '../internal/config/start-settings.ts';
import { CannotStart } from '../internal/host/cannot-start.ts';
import { makeDataDir } from '../internal/host/data-dir.ts';
import { isAlive } from '../internal/host/process-identity.ts';
import { readRunState } from '../internal/host/run-state.ts';

const progress = new Progress();
try {
  await develop();
} catch (error) {
  if (!(error instanceof CannotStart || error instanceof InvalidConfig)) throw error;
  progress.problem(error.message, error instanceof CannotStart ? error.details : []);
  process.exit(1);
}

async function develop(): Promise<void> {
  const settings = loadStartSettings();
  const checkout = findCheckout();
  const left = readRunState(settings.dataDir);
  if (left !== null && isAlive(left.supervisor)) {
    throw new CannotStart('Berth is running for this DATA_DIR: bin/down first, or set another DATA_DIR.');
  }
  makeDataDir(settings.dataDir, checkout);
  if (left !== null) await endAll(left, settings.dataDir, settings.dockerHost);
  const options = { sample: false, detach: false, help: false };
  const prepared = loadStartSettings(await prepare({ settings, options, checkout, progress }));
  const platform = new Platform({
    settings: prepared,
    httpPort: prepared.httpPort ?? 8000,
    checkout,
    mode: 'watched',
    report: (report) => {
      if (report.kind === 'step') progress.done(report.name, report.detail, report.milliseconds);
      if (report.kind === 'event') progress.note(report.text);
    },
  });
  const stop = () => void platform.stop().then(() => process.exit());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  try {
    await platform.start();
  } catch (error) {
    await platform.stop();
    throw error;
  }
  progress.print(`API at port ${prepared.apiPort}, apps at port ${prepared.httpPort}. Ctrl-C ends it.`);
}

import { loadStartSettings } from '../../internal/config/start-settings.ts';
import { CannotStart } from '../../internal/host/cannot-start.ts';
import { chooseHttpPort } from '../../internal/host/choose-ports.ts';
import { findCheckout } from './checkout.ts';
import { Platform } from './platform.ts';
import { DETACH, type Report } from './report.ts';

/**
 * The process that stays: it starts everything, restarts what ends, and ends everything on SIGTERM, or when `bin/up`
 * is gone before it said `detach`. Its settings come by environment from `bin/up`, which has checked them.
 */
const settings = loadStartSettings();
const platform = new Platform({
  settings,
  httpPort: settings.httpPort ?? (await chooseHttpPort(null)).port,
  checkout: findCheckout(),
  mode: 'built',
  report,
});
let detached = false;
let stopping = false;

process.on('message', (message) => {
  if (message === DETACH) detached = true;
});
process.on('disconnect', () => {
  if (!detached) void stop();
});
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
process.on('SIGHUP', () => undefined);

try {
  await platform.start();
  report({ kind: 'ready' });
} catch (error) {
  // What a stop in the midst of the start leaves unfinished is no failure to tell.
  if (!stopping) {
    report(failure(error));
    await stop(1);
  }
}

async function stop(code = 0): Promise<void> {
  stopping = true;
  await platform.stop();
  process.exit(code);
}

function report(message: Report): void {
  // Its own output goes to DATA_DIR/log/supervisor.log, for when nobody listens any more.
  if (message.kind !== 'ready') process.stdout.write(`${JSON.stringify({ time: new Date(), ...message })}\n`);
  if (process.connected) process.send?.(message);
}

function failure(error: unknown): Report {
  if (error instanceof CannotStart) return { kind: 'failed', message: error.message, details: error.details };
  const details = error instanceof Error && error.stack ? error.stack.split('\n') : [];
  return { kind: 'failed', message: `Starting failed: ${String(error)}`, details };
}

/** What may go wrong, and what must come of it. docs/faults.md is made of this and of the tests that carry the ids. */
export interface Fault {
  readonly id: string;
  readonly what: string;
  readonly outcome: string;
  /** Why no test carries the id; then the row says so. */
  readonly untested?: string;
}

const fault = (id: string, what: string, outcome: string, untested?: string): Fault => ({
  id,
  what,
  outcome,
  ...(untested === undefined ? {} : { untested }),
});

export const FAULTS: readonly Fault[] = [
  fault('F01', 'worker killed right after it took a deployment', 'taken over within the lease; it ends live'),
  fault('F02', 'worker killed while it clones', 'taken over; no folder and no git process is left'),
  fault('F03', 'worker killed while it builds', 'taken over; the build of the first attempt is gone'),
  fault(
    'F04',
    'worker killed after the build, before the image is recorded',
    'built or found again; one image stays',
  ),
  fault(
    'F05',
    'worker killed between making and starting a container',
    'a second attempt with a container of its own',
  ),
  fault(
    'F06',
    'worker killed while the candidate is probed',
    'the old release serves; the candidate is removed',
  ),
  fault(
    'F07',
    'worker killed after the switch',
    'goes forward: the new release is live, the old one retired',
  ),
  fault('F08', 'worker killed after the old release went', 'live, and not deployed again'),
  fault('F09', 'worker stopped (SIGTERM) in each stage', 'handed back at once; the attempt does not count'),
  fault('F10', 'API killed around the commit of a request', 'nothing, or all of it; with a key never twice'),
  fault(
    'F11',
    'API killed after a webhook was committed, before the answer',
    'the delivery comes again: duplicate',
  ),
  fault('F12', 'API killed with open log streams', 'readers go on where they were, each line once'),
  fault('F13', 'host restarts', 'what was live serves again; what was stopped stays stopped'),
  fault('F14', 'dockerd restarts during a deployment', 'named as such and tried again'),
  fault('F15', 'dockerd killed during a build', 'waited for, then tried again'),
  fault('F16', 'dockerd killed while apps are live', 'every app that should run is started'),
  fault('F17', 'dockerd restarts while logs are followed', 'nothing hangs; no line twice'),
  fault('F18', 'dockerd frozen', 'every call has its deadline'),
  fault('F19', 'Postgres restarts', 'no process ends; 503 meanwhile'),
  fault('F20', 'Postgres away longer than the lease', 'nothing is switched without being recorded'),
  fault('F21', 'worker cut off from Postgres', 'another takes over; the first changes nothing'),
  fault('F22', 'disk of Docker full', 'the build fails with what to do; apps go on'),
  fault('F23', 'disk of Postgres full', 'writes answer 503; all goes on when there is room'),
  fault('F24', 'disk of the clones full', 'the deployment fails by its own code; the folder is gone'),
  fault('F25', 'a build out of memory', 'fails with the limit named, once'),
  fault('F26', 'a live app out of memory', 'told on the app, and started again'),
  fault('F27', 'a clone that hangs', 'ends at its limit; no git process is left'),
  fault('F28', 'an app that crashes again and again after going live', 'crashed, with the cause'),
  fault('F29', 'a build that hangs', 'ends at its limit; its step is gone'),
  fault('F30', 'a health check that hangs', 'each try ends; the old release serves'),
  fault('F31', 'health that comes and goes', 'two good answers in a row are needed'),
  fault('F32', 'the same webhook ten times at once', 'one row, one deployment'),
  fault('F33', 'pushes out of order', 'the newest push wins'),
  fault('F34', 'pushes during a build', 'one waits, and it is the newest'),
  fault('F35', 'two workers and many deployments', 'each ends once; never two of one app'),
  fault('F36', 'clocks that differ', 'no effect: only the database knows the time'),
  fault('F37', 'a worker that sleeps past its lease', 'another takes over; the first changes nothing'),
  fault('F38', 'a live container removed by hand', 'made anew as it was'),
  fault('F39', 'a live container stopped or paused by hand', 'goes on again'),
  fault('F40', 'the image of a live release removed', 'the app goes on; when needed, built again'),
  fault('F41', 'the network of a project removed by hand', 'made anew, and joined'),
  fault('F42', 'a container of ours without a row', 'stopped and kept, not deleted; others are not touched'),
  fault('F43', 'Traefik away', 'deployments wait and say so; routes come back'),
  fault('F44', 'cancelled or deleted at any moment', 'ends soon; nothing comes back'),
  fault('F45', 'a reader of logs away for long', 'goes on where it was, each line once'),
  fault('F46', 'GitHub away, token revoked, repository moved', 'a code for each; apps go on'),
  fault('F47', 'the registry of a base image away', 'tried again, then named'),
  fault('F48', 'API and worker start together on an old database', 'one migrates, the other waits'),
  fault('F49', 'a deployment that ends its worker', 'given up after three; the queue goes on'),
  fault('F50', 'wrong encryption key', 'no start, nothing written; apps go on'),
  fault('F51', 'database restored from a backup', 'what serves goes on; nothing is deleted'),
  fault('F52', 'an old release that ignores SIGTERM', 'requests end; then it is killed'),
  fault('F53', 'clean-up during a build', 'nothing young, needed or in use is removed'),
  fault('F54', 'the notification connection lost', 'polling goes on; it is made again'),
];

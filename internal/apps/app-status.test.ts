import { describe, expect, test } from '@jest/globals';
import type { DeploymentStatus } from '../db/database.ts';
import { appStatus } from './app-status.ts';

const app = { deletingSince: null, desiredState: 'running', liveDeployment: null } as const;
const served = { ...app, liveDeployment: { status: 'live' as const } };
const looping = { ...app, liveDeployment: { status: 'crashed' as const } };
const latest = (status: DeploymentStatus) => ({ id: 'bbbbbbbbbb', status });

describe("an app's status", () => {
  test.each([
    ['nothing deployed yet', app, null, 'idle'],
    ['the first one waits', app, latest('pending'), 'deploying'],
    ['one is built', app, latest('building'), 'deploying'],
    ['one is started while another serves', served, latest('deploying'), 'deploying'],
    ['live', served, latest('live'), 'active'],
    ['the newest failed, an older one serves', served, latest('failed'), 'active'],
    ['the newest was cancelled, an older one serves', served, latest('cancelled'), 'active'],
    ['the newest failed and nothing serves', app, latest('failed'), 'failed'],
    ['F28: the release falls over again and again', looping, latest('crashed'), 'crashed'],
    ['it falls over, and the newest try to mend it failed', looping, latest('failed'), 'crashed'],
    ['it falls over, and the next one is built', looping, latest('building'), 'deploying'],
    ['the release died', app, latest('crashed'), 'crashed'],
    ['the only one was cancelled', app, latest('cancelled'), 'idle'],
    ['stopped by wish', { ...served, desiredState: 'stopped' as const }, latest('live'), 'stopped'],
    ['being deleted, whatever else', { ...served, deletingSince: new Date() }, latest('live'), 'deleting'],
  ])('%s → %s', (_case, row, newest, expected) => {
    expect(appStatus(row, newest)).toBe(expected);
  });
});

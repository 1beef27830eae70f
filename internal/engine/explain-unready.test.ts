import { describe, expect, test } from '@jest/globals';
import { explainExit, explainUnready, type Unready } from './explain-unready.ts';
import type { ContainerState } from './ports.ts';

const refused = { ok: false, reason: 'connection refused', connected: false } as const;
const seen = (of: Partial<Unready>): Unready => ({
  port: 3000,
  path: null,
  timeoutSeconds: 60,
  lastAnswer: refused,
  listening: [],
  evidence: {},
  ...of,
});

describe('A3: why a running candidate is not ready', () => {
  test('nothing listens', () => {
    const failure = explainUnready(seen({}));
    expect(failure.code).toBe('port_not_listening');
    expect(failure.message).toContain('port 3000');
  });

  test('it listens on loopback only', () => {
    expect(explainUnready(seen({ listening: [{ port: 3000, loopbackOnly: true }] })).code).toBe(
      'listens_on_loopback',
    );
  });

  test('it listens on other ports, which are named', () => {
    const failure = explainUnready(
      seen({
        listening: [
          { port: 8080, loopbackOnly: false },
          { port: 9229, loopbackOnly: true },
        ],
      }),
    );
    expect(failure.code).toBe('listens_on_other_port');
    expect(failure.message).toContain('8080, 9229 (127.0.0.1 only)');
  });

  test('its health path answers 500, which is quoted', () => {
    const failure = explainUnready(
      seen({ path: '/health', lastAnswer: { ok: false, reason: 'status 500: broken', connected: true } }),
    );
    expect(failure.code).toBe('health_check_failed');
    expect(failure.message).toContain('GET /health on port 3000 was not healthy: status 500: broken');
  });

  test('a good port that refuses is a failed health check, not another port', () => {
    const listening = [
      { port: 3000, loopbackOnly: false },
      { port: 8080, loopbackOnly: false },
    ];
    expect(explainUnready(seen({ listening })).code).toBe('health_check_failed');
  });
});

describe('A3: why a candidate has ended', () => {
  const state = (of: Partial<ContainerState>): ContainerState => ({
    status: 'exited',
    startedAt: '2026-11-21T00:00:00Z',
    exitCode: 0,
    outOfMemory: false,
    restartCount: 0,
    health: 'none',
    gateError: null,
    restartPolicy: 'no',
    networkIds: ['n1'],
    createdAt: '2026-11-21T00:00:00Z',
    ...of,
  });

  const ended = { evidence: {}, memoryMb: 128, when: 'before it was ready' } as const;

  test('its memory limit is named', () => {
    const failure = explainExit({ ...ended, state: state({ outOfMemory: true }) });
    expect(failure.message).toContain('its limit of 128 MB');
  });

  test.each([
    [state({ exitCode: 1 }), 'exited_early'],
    [state({ exitCode: 0 }), 'exited_early'],
    [state({ exitCode: 127 }), 'image_start_failed'],
    [state({ exitCode: 137, outOfMemory: true }), 'out_of_memory'],
    [state({ exitCode: 137 }), 'exited_early'],
    [null, 'exited_early'],
  ] as const)('%j is %s', (of, code) => {
    expect(explainExit({ ...ended, state: of }).code).toBe(code);
  });
});

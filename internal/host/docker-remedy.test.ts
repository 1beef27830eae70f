import { describe, expect, test } from '@jest/globals';
import { chooseDockerRemedy, type DockerFacts } from './docker-remedy.ts';

const freshDebian: DockerFacts = {
  answer: { error: 'ENOENT' },
  socketPath: '/var/run/docker.sock',
  hasDaemonProgram: false,
  isDebianLike: true,
  isRoot: true,
  hasSystemd: false,
};

describe('chooseDockerRemedy', () => {
  test.each<[string, Partial<DockerFacts>, string]>([
    [
      'an engine that answers is used',
      { answer: { version: '20.10.24+dfsg1', apiVersion: '1.41' } },
      'ready',
    ],
    ['a newer major version is used', { answer: { version: '29.0.1', apiVersion: '1.52' } }, 'ready'],
    [
      'an engine before 20.10 is refused',
      { answer: { version: '19.03.15', apiVersion: '1.40' } },
      'impossible',
    ],
    ['root on Debian without an engine installs it', {}, 'install'],
    ['without root nothing is installed', { isRoot: false }, 'impossible'],
    ['on another distribution nothing is installed', { isDebianLike: false }, 'impossible'],
    ['a daemon that is down is started by hand', { hasDaemonProgram: true }, 'start-daemon'],
    ['or by systemd where that runs', { hasDaemonProgram: true, hasSystemd: true }, 'start-service'],
    ['without root a daemon is not started', { hasDaemonProgram: true, isRoot: false }, 'impossible'],
    ['a socket elsewhere is never served by us', { socketPath: '/run/user/1/docker.sock' }, 'impossible'],
    ['a forbidden socket is not a missing engine', { answer: { error: 'EACCES' } }, 'impossible'],
  ])('%s', (_name, facts, kind) => {
    expect(chooseDockerRemedy({ ...freshDebian, ...facts }).kind).toBe(kind);
  });

  test('what cannot be mended is told in one line with the remedy', () => {
    const remedy = chooseDockerRemedy({ ...freshDebian, isRoot: false });
    expect(remedy).toEqual({
      kind: 'impossible',
      line: expect.stringMatching(/^[^\n]*apt-get install docker\.io/),
    });
  });

  test('A22: an engine newer than any known is used, and the person told', () => {
    const remedy = chooseDockerRemedy({
      ...freshDebian,
      answer: { version: '31.0.0', apiVersion: '1.70' },
    });
    expect(remedy).toMatchObject({ kind: 'ready', note: expect.stringContaining('31.0.0 is newer') });
  });
});

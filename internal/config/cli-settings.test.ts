import { homedir } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { loadCliSettings } from './cli-settings.ts';

describe('the settings of the command line', () => {
  test('come from the environment, with an empty value counting as unset', () => {
    const settings = loadCliSettings({ BERTH_URL: '', BERTH_TOKEN: ' berth_abc\n', TERM: 'xterm' });
    expect(settings).toMatchObject({ url: null, mayColour: true });
    expect(settings.token?.reveal()).toBe('berth_abc');
  });

  test.each([
    [{ XDG_CONFIG_HOME: '/tmp/settings' }, '/tmp/settings/berth/login.json'],
    [{ XDG_CONFIG_HOME: 'relative' }, `${homedir()}/.config/berth/login.json`],
    [{}, `${homedir()}/.config/berth/login.json`],
  ])('%j keeps the login in %s', (environment, file) => {
    expect(loadCliSettings(environment).loginFile).toBe(file);
  });

  test.each([
    [{ NO_COLOR: '1', TERM: 'xterm' }, false],
    [{ NO_COLOR: '', TERM: 'xterm' }, true],
    [{ TERM: 'dumb' }, false],
  ])('%j may colour: %s', (environment, mayColour) => {
    expect(loadCliSettings(environment).mayColour).toBe(mayColour);
  });
});

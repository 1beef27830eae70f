import { describe, expect, test } from '@jest/globals';
import { CliError, usageError } from './cli-error.ts';
import { EXIT } from './exit-code.ts';
import { Terminal } from './terminal.ts';

function terminalOf(options: { isTTY?: boolean; columns?: number; mayColour?: boolean } = {}) {
  const written = { out: '', err: '' };
  const { isTTY = false, columns = 80, mayColour = true } = options;
  const stream = (name: 'out' | 'err') => ({
    isTTY,
    columns,
    write: (text: string) => {
      written[name] += text;
    },
  });
  const terminal = new Terminal({ stdout: stream('out'), stderr: stream('err'), mayColour });
  return { terminal, written };
}

describe('what a command says', () => {
  test('is its result on standard output, and all else on standard error', () => {
    const { terminal, written } = terminalOf();
    terminal.showProgress('Building');
    terminal.message('Deployment x is queued.');
    terminal.result({ id: 'x' }, ['x']);
    expect(written).toEqual({ out: 'x\n', err: 'Deployment x is queued.\n' });
  });

  test('with --json is JSON on standard output, a problem too', () => {
    const { terminal, written } = terminalOf();
    terminal.isJson = true;
    terminal.result({ id: 'x' }, ['x']);
    terminal.item({ seq: 1 }, 'line');
    terminal.problem(usageError('Name an app.'));
    expect(written).toEqual({
      out: '{"id":"x"}\n{"seq":1}\n{"error":{"code":"usage","message":"Name an app."}}\n',
      err: 'berth: Name an app.\n',
    });
  });

  test.each([
    ['a pipe', { isTTY: false }, false, null],
    ['a terminal', { isTTY: true, columns: 100 }, true, 100],
    ['a terminal with NO_COLOR', { isTTY: true, mayColour: false }, false, 80],
  ])('has for %s its colours and width', (_name, options, colours, width) => {
    const { terminal } = terminalOf(options);
    expect([terminal.outColours.isColorSupported, terminal.width]).toEqual([colours, width]);
  });

  test('names the fields of a problem when there is more than one', () => {
    const fields = [
      { field: '/name', message: 'is reserved' },
      { field: '/port', message: 'must be at most 65535' },
    ];
    const told = (count: number) => {
      const { terminal, written } = terminalOf();
      terminal.problem(
        new CliError(EXIT.refused, 'No.', { code: 'invalid_input', fields: fields.slice(0, count) }),
      );
      return written.err;
    };
    expect(told(1)).toBe('berth: No.\n');
    expect(told(2)).toBe('berth: No.\n  /name: is reserved\n  /port: must be at most 65535\n');
  });

  test('at a terminal stands above the line that tells what goes on', () => {
    const { terminal, written } = terminalOf({ isTTY: true, columns: 12 });
    terminal.showProgress('Building');
    terminal.message('one');
    terminal.showProgress(null);
    terminal.message('two');
    const [erase, line] = ['\r\u001b[2K', (frame: string) => `${frame} Building…`];
    expect(written.err).toBe(`${erase}${line('⠙')}${erase}one\n${erase}${line('⠹')}${erase}two\n`);
  });
});
